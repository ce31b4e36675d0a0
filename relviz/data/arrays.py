"""Images, texts, vectors or a graph in the arrays of npz, npy and safetensors files.

Arrays are found by their usual names, or named: `FILE.npz#key=effnet0&labels=y&ids=words`, in short `FILE.npz#effnet0`.
A name stands for the array of that name, or for the pair NAME_train and NAME_test, whose second part is held out.
The arrays beside an npy file are files of the same folder: `vectors.npy#labels=classes.npy&ids=names.npy`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz.data import graphs
from relviz.data.arranging import arranged, class_labels, row
from relviz.data.dataset import DataSet
from relviz.data.files import Arrays, check_options
from relviz.data.vectors import matrix
from relviz.errors import BadFile, UnknownName

SUFFIXES = (".npz", ".npy", ".safetensors")
_OPTIONS = ("key", "labels", "ids", "split", "classes")
_USUAL = {  # in small letters
    "key": ("x", "images", "embeddings", "vectors", "features", "texts", "data"),
    "labels": ("y", "labels", "label", "targets"),
    "ids": ("ids", "id", "words"),
    "split": ("split",),
    "classes": ("classes", "class_names"),
}


def load(path: Path, options: dict[str, str], *, name: str) -> DataSet:
    """The data set in a file of arrays.

    Raises
    ------
    BadFile: missing, empty, damaged, or arrays that do not fit each other; the row is named.
    UnknownName: no such option or array.
    """
    check_options(options, _OPTIONS, path)
    arrays = Arrays(path)
    if graphs.NAMES <= set(arrays.names):
        return graphs.from_arrays(arrays, name=name)
    chosen = {what: _name(arrays, what, options) for what in _OPTIONS}
    if chosen["key"] is None:
        raise BadFile(
            f"{path} has several arrays or none of samples: {', '.join(arrays.names[:20])}.",
            f"Name one: '{path.name}#NAME', where NAME_train and NAME_test are one.",
        )
    found, train = _read(arrays, chosen["key"])
    labels, ids, split = (_beside(arrays, chosen[what], len(found), train) for what in ("labels", "ids", "split"))
    names = tuple(map(str, _read(arrays, chosen["classes"])[0])) if chosen["classes"] else ()
    held_out = np.arange(len(found)) >= train if train is not None else None
    return arranged(
        _samples(found, path),
        name=name,
        file=path,
        title=path.name if options.get("key") is None else f"{path.name}, {options['key']}",
        labels=None if labels is None else class_labels(labels, names=names, file=path),
        ids=() if ids is None else tuple(map(str, ids.tolist())),
        held_out=held_out,
        parts=split,
    )


def pictures(array: NDArray[Any], file: object) -> NDArray[np.uint8]:
    """Images as uint8 `n x h x w` or `n x h x w x 3`.

    Raises
    ------
    BadFile: other numbers than bytes, or other axes.
    """
    if array.dtype != np.uint8:
        raise BadFile(f"{file} has images of {array.dtype}.", "Save them as uint8, 0 to 255.")
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if 0 in array.shape[1:] or array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3):
        form = " x ".join(map(str, array.shape))
        raise BadFile(f"{file} has images in the form {form}.", "Save them as n x h x w or n x h x w x 3.")
    return np.ascontiguousarray(array)


def _samples(array: NDArray[Any], file: Path) -> NDArray[np.uint8] | NDArray[np.float32] | tuple[str, ...]:
    if array.dtype.kind == "U" and array.ndim == 1:
        for i in np.flatnonzero(np.char.str_len(np.char.strip(array)) == 0):
            raise BadFile(f"{file} has no text at {row(int(i))}.", "Give every sample a text, or remove the row.")
        return tuple(array.tolist())
    if array.ndim in (3, 4):
        return pictures(array, file)
    if array.ndim == 2 and array.shape[1] and array.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            return matrix(array, file, row)
    form = " x ".join(map(str, array.shape))
    raise BadFile(f"{file} has samples in the form {form} of {array.dtype}.", "Vectors are n x d numbers.")


def _name(arrays: Arrays, what: str, options: dict[str, str]) -> str | None:
    """The asked or usual name of the samples, labels, ids, split or class names, without _train and _test."""
    bases = {name.removesuffix("_train").removesuffix("_test") for name in arrays.names} | set(arrays.names)
    asked = options.get(what)
    if asked is not None:
        if asked not in bases and not asked.endswith(".npy"):
            raise UnknownName(f"array in {arrays.path}", asked, bases)
        return asked
    lower = {base.lower(): base for base in sorted(bases)}
    return next((lower[usual] for usual in _USUAL[what] if usual in lower), None)


def _read(arrays: Arrays, name: str) -> tuple[NDArray[Any], int | None]:
    """An array, or a _train and a _test part in one and the number of rows of the first."""
    if name.endswith(".npy"):
        beside = arrays.path.parent / Path(name).name
        return _listed(Arrays(beside)["X"], "X", beside), None
    if name in arrays.names:
        return _listed(arrays[name], name, arrays.path), None
    train, test = (f"{name}_{part}" for part in ("train", "test"))
    for part in (train, test):
        if part not in arrays.names:
            raise BadFile(f"{arrays.path} has only one of {train} and {test}.", "Save both, or one whole array.")
    first, second = (_listed(arrays[part], part, arrays.path) for part in (train, test))
    if first.shape[1:] != second.shape[1:] or first.dtype.kind != second.dtype.kind:
        unlike = f"{train} is {first.shape[1:]} of {first.dtype}, {test} {second.shape[1:]} of {second.dtype}"
        raise BadFile(f"{arrays.path} has two unlike parts: {unlike}.", "Save both in one form.")
    return np.concatenate([first, second]), len(first)


def _listed(array: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    if array.ndim == 0:
        raise BadFile(f"The array {name} in {path} is one number.", "Save one row for every sample.")
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"The array {name} in {path} is not UTF-8 text.", "Save its words as UTF-8.") from error


def _beside(arrays: Arrays, name: str | None, n: int, train: int | None) -> NDArray[Any] | None:
    """Labels, ids or split, one for each of the samples and divided as they are."""
    if name is None:
        return None
    found, own = _read(arrays, name)
    if found.ndim != 1 or len(found) != n or (None not in (own, train) and own != train):
        told = f"{n} samples ({train} of them for training)" if train is not None else f"{n} samples"
        form = " x ".join(map(str, found.shape)) + (f" ({own} for training)" if own is not None else "")
        raise BadFile(f"{arrays.path} has {told}, but {name} is {form}.", "Give one entry for every sample.")
    return found
