"""Graphs: Planetoid's Cora, CiteSeer and PubMed in their raw files, and npz files of one graph."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relviz import settings
from relviz.data.arranging import arranged, class_labels
from relviz.data.dataset import PARTS, DataSet, Graph
from relviz.data.files import Arrays, check_size, read_text
from relviz.data.plain_pickle import read_plain_pickle
from relviz.errors import BadFile, MissingData
from relviz.packages import needed

NAMES = {"indptr", "indices", "values", "shape", "edges"}
_RAW = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
_FOLDERS = {"cora": "Cora", "citeseer": "CiteSeer", "pubmed": "PubMed"}
# Sen et al. (2008) in the order of Planetoid, which the sizes of the classes tell: 351, 217, 418, 818, 426, 298, 180.
_CLASSES = {
    "cora": (
        "theory", "reinforcement learning", "genetic algorithms", "neural networks", "probabilistic methods",
        "case-based", "rule learning",
    )
}  # fmt: skip
_VALIDATION = 500  # nodes after the training nodes, by the public split
_TRAIN, _STOP, _TEST, _NONE = range(len(PARTS))


def from_arrays(arrays: Arrays, *, name: str) -> DataSet:
    """A graph in an npz: sparse features `indptr`, `indices`, `values`, `shape`, `edges`, perhaps `labels`, `split`.

    The nodes of the test part are held out.

    Raises
    ------
    BadFile: arrays that do not fit each other, an edge to no node.
    """
    path = arrays.path
    sparse = {what: arrays[what] for what in ("indptr", "indices", "values", "shape")}
    features = _dense(sparse["indptr"], sparse["indices"], sparse["values"], tuple(sparse["shape"].tolist()), path)
    n = len(features)
    edges = _edges(arrays["edges"], n, path)
    labels = class_labels(arrays["labels"], file=path) if "labels" in arrays.names else None
    parts = arrays["split"] if "split" in arrays.names else np.full(n, _NONE)
    if parts.shape != (n,) or parts.dtype.kind not in "iu" or (n and not 0 <= parts.min() <= parts.max() < len(PARTS)):
        hint = "Give every node 0 (train), 1 (validation), 2 (test) or 3 (none)."
        raise BadFile(f"The split in {path} is not one code from 0 to 3 for each of the {n} nodes.", hint)
    graph = Graph(features, edges, parts.astype(np.uint8))
    held_out = parts == _TEST if "split" in arrays.names else None
    return arranged(graph, name=name, file=path, title=path.name, labels=labels, held_out=held_out)


def planetoid(name: str) -> DataSet:
    """One of Planetoid's graphs with its public split, from `Cora/raw` and so on in a data folder.

    Raises
    ------
    MissingData: no data folder has it.
    BadFile: a raw file is missing or damaged.
    """
    for root in settings.data_dirs():
        folder = root / _FOLDERS[name] / "raw"
        if all((folder / f"ind.{name}.{part}").is_file() for part in _RAW):
            return from_raw(folder, name)
    raise MissingData(
        f"The graph {_FOLDERS[name]} is not on this machine.",
        f"Put Planetoid's files ind.{name}.* into {settings.data_dirs()[0] / _FOLDERS[name] / 'raw'}, "
        "or allow the download with RELVIZ_DOWNLOAD=1.",
    )


def fetch(name: str) -> None:
    """Download the raw files of one of Planetoid's graphs to the first data folder.

    Raises
    ------
    MissingPackage: torch_geometric is not installed.
    MissingData: the download failed.
    """
    geometric = {"requirement": "torch_geometric", "purpose": "Downloads of Planetoid's graphs"}
    download = needed("torch_geometric.data", **geometric).download_url
    source = needed("torch_geometric.datasets", **geometric).Planetoid.url
    folder = settings.data_dirs()[0] / _FOLDERS[name] / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as begun:  # so that no half file stands where it is looked for
            for part in _RAW:
                download(f"{source}/ind.{name}.{part}", begun)
            for file in Path(begun).iterdir():
                file.replace(folder / file.name)
    except OSError as error:
        hint = f"Put Planetoid's files ind.{name}.* into {folder}."
        raise MissingData(f"The graph {_FOLDERS[name]} could not be downloaded ({error}).", hint) from error


def from_raw(folder: Path, name: str) -> DataSet:
    """A Planetoid graph from the folder of its files `ind.NAME.*`.

    Nodes that the test files pass over have neither features nor label (15 of CiteSeer); they are left out.

    Raises
    ------
    BadFile: a file is missing, damaged, or does not fit the others.
    """
    files = {part: folder / f"ind.{name}.{part}" for part in _RAW}
    x, y, neighbours = (read_plain_pickle(files[part]) for part in ("allx", "ally", "graph"))
    tx, ty, trained = (read_plain_pickle(files[part]) for part in ("tx", "ty", "y"))
    try:
        test = np.array([int(line) for line in read_text(files["test.index"]).split()], np.int64)
        ids = np.concatenate([np.arange(len(y)), test])
        order = np.argsort(ids)
        features = np.concatenate([_sparse(x, files["allx"]), _sparse(tx, files["tx"])])[order]
        if len(y) != x["_shape"][0] or not len(ty) == len(test) == tx["_shape"][0] or len(set(ids)) < len(ids):
            raise ValueError("unlike numbers of nodes")
        classes = np.concatenate([y, ty]).argmax(1)[order]
        edges = _from_lists(neighbours, ids[order])
        parts = np.full(len(ids), _NONE, np.uint8)
        parts[: len(trained)], parts[len(trained) : len(trained) + _VALIDATION] = _TRAIN, _STOP
        parts[np.isin(ids[order], test)] = _TEST
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        hint = "Take all eight files from the original source."
        raise BadFile(f"The files ind.{name}.* in {folder} do not fit each other ({error}).", hint) from error
    return arranged(
        Graph(features, _edges(edges, len(ids), files["graph"]), parts),
        name=name,
        file=folder,
        title=f"{_FOLDERS[name]} (Planetoid)",
        labels=class_labels(classes, file=files["ally"], names=_CLASSES.get(name, ())),
        ids=tuple(map(str, ids[order].tolist())),
        held_out=parts == _TEST,
    )


def _sparse(parts: dict[str, Any], path: Path) -> NDArray[np.float32]:
    return _dense(parts["indptr"], parts["indices"], parts["data"], parts["_shape"], path)


def _dense(indptr: Any, indices: Any, values: Any, shape: Any, path: Path) -> NDArray[np.float32]:
    """Compressed sparse rows written out."""
    try:
        n, width = (int(length) for length in shape)
        check_size(4 * n * width, path)
        counts = np.diff(indptr)
        fits = len(indptr) == n + 1 and indptr[0] == 0 and (counts >= 0).all() and len(values) == len(indices)
        if not (fits and counts.sum() == len(indices) and (np.asarray(indices) >= 0).all()):
            raise ValueError("rows and entries do not fit")
        dense = np.zeros((n, width), np.float32)
        np.add.at(dense, (np.repeat(np.arange(n), counts), indices), values)
        return dense
    except (ValueError, TypeError, IndexError) as error:
        raise BadFile(f"The sparse features in {path} are damaged ({error}).", "Write them again.") from error


def _from_lists(neighbours: dict[int, list[int]], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each edge between unlike nodes once, by the rows of the nodes' ids; edges of left out nodes are left out."""
    rows = {node: i for i, node in enumerate(ids.tolist())}
    pairs = {
        (min(rows[a], rows[b]), max(rows[a], rows[b]))
        for a, others in neighbours.items()
        for b in others
        if a != b and a in rows and b in rows
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _edges(edges: NDArray[Any], n: int, path: Path) -> NDArray[np.int64]:
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise BadFile(f"The edges in {path} are no pairs of nodes.", "Save whole numbers, m x 2.")
    astray = np.flatnonzero(((edges < 0) | (edges >= n)).any(1))
    if len(astray):
        hint = f"Nodes are numbered 0 to {n - 1}."
        raise BadFile(f"Edge {astray[0]} in {path} joins {edges[astray[0]].tolist()}, no two of the nodes.", hint)
    edges = edges.astype(np.int64)
    loops = np.flatnonzero(edges[:, 0] == edges[:, 1])
    if len(loops):
        raise BadFile(f"Edge {loops[0]} in {path} joins node {edges[loops[0], 0]} to itself.", "Leave such edges out.")
    _, first = np.unique(np.sort(edges, 1), axis=0, return_index=True)
    if len(first) < len(edges):
        again = int(np.setdiff1d(np.arange(len(edges)), first)[0])
        hint = "Give every edge once, in one direction."
        raise BadFile(f"Edge {again} in {path} joins {edges[again].tolist()}, as an edge before it does.", hint)
    return edges
