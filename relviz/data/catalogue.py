"""The data sets relviz knows by name, and the forms of files it reads. A new one is one loader and one line here.

A name is one of the catalogue or of the shelf file, `torchvision:NAME`, or a path, perhaps with options after a #; each
may end in `:n=2000,seed=0`, which draws a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relviz import settings
from relviz.data import arrays, cifar, digits, fashion_mnist, graphs, hub, image_folders, mnist, tables, words
from relviz.data import torchvision_sets as of_torchvision
from relviz.data.dataset import DataSet
from relviz.data.files import split_name
from relviz.data.subset import subset, subset_name
from relviz.errors import BadFile, MissingData, UnknownName
from relviz.shelf_file import data_entries
from relviz.stamps import tree_stamp


@dataclass(frozen=True, kw_only=True)
class Source:
    """One named data set.

    Attributes
    ----------
    title, licence: how it is called, and on what terms it comes.
    load: reads it from this machine, or raises MissingData.
    fetch: downloads it; None where no download is known.
    bundled: whether it comes with relviz.
    """

    title: str
    licence: str = "not stated"
    load: Callable[[], DataSet]
    fetch: Callable[[], None] | None = None
    bundled: bool = False


def _graph(name: str, title: str) -> Source:
    licence = "not stated; Sen et al. (2008), divided by Yang et al. (2016)"
    load, fetch = partial(graphs.planetoid, name), partial(graphs.fetch, name)
    return Source(title=title, licence=licence, load=load, fetch=fetch)


def _text(name: str, title: str, licence: str, one: hub.HubSet) -> Source:
    load, fetch = partial(hub.load, one, name=name), partial(hub.fetch, one, name=name)
    return Source(title=title, licence=licence, load=load, fetch=fetch)


def _n24news() -> DataSet:
    raise MissingData(
        "The text set 'n24news' is not on this machine, and on no hub.",
        "Ask its authors (2108.13327) for it and put it as n24news.json into the folder that RELVIZ_DATA names.",
    )


_CIFAR = "not stated; A. Krizhevsky (2009)"
_PARQUET = "refs/convert/parquet"  # the hub's own conversion of sets that otherwise need a script
_LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "ja": "Japanese", "zh": "Chinese"}

CATALOGUE: dict[str, Source] = {
    "fashion-mnist": Source(title="Fashion-MNIST, official test images", load=fashion_mnist.load, bundled=True),
    "digits": Source(title="Digits of scikit-learn", load=digits.load, bundled=True),
    "mnist": Source(
        title="MNIST",
        licence="CC BY-SA 3.0, Y. LeCun, C. Cortes and C. Burges",
        load=mnist.load,
        fetch=partial(of_torchvision.fetch, "MNIST"),
    ),
    "cifar10": Source(
        title="CIFAR-10", licence=_CIFAR, load=cifar.load_10, fetch=partial(of_torchvision.fetch, "CIFAR10")
    ),
    "cifar100": Source(
        title="CIFAR-100", licence=_CIFAR, load=cifar.load_100, fetch=partial(of_torchvision.fetch, "CIFAR100")
    ),
    "cora": _graph("cora", "Cora, papers that cite each other"),
    "citeseer": _graph("citeseer", "CiteSeer, papers that cite each other"),
    "pubmed": _graph("pubmed", "PubMed, papers that cite each other"),
    "trec": _text(
        "trec",
        "TREC questions",
        "not stated; Li and Roth (2002), for research",
        hub.HubSet("CogComp/trec", "text", "coarse_label", revision=_PARQUET),
    ),
    "ag_news": _text(
        "ag_news", "AG News", "for research, not commercial", hub.HubSet("fancyzhx/ag_news", "text", "label")
    ),
    "dbpedia_14": _text(
        "dbpedia_14",
        "DBpedia-14",
        "CC BY-SA 3.0",
        hub.HubSet("fancyzhx/dbpedia_14", "content", "label", configuration="dbpedia_14"),
    ),
    "imdb": _text(
        "imdb",
        "IMDB reviews",
        "not stated; Maas et al. (2011)",
        hub.HubSet("stanfordnlp/imdb", "text", "label", configuration="plain_text"),
    ),
    **{
        f"amazon_reviews_multi-{code}": _text(
            f"amazon_reviews_multi-{code}",
            f"Amazon reviews, {language}",
            "Amazon's own, for research; Keung et al. (2020)",
            hub.HubSet("mteb/amazon_reviews_multi", "text", "label", configuration=code),
        )
        for code, language in _LANGUAGES.items()
    },
    "n24news": Source(title="N24News, headlines and abstracts of news", load=_n24news),
}

# What needs nothing else: the sets that pages and lists offer unasked.
DATASETS: dict[str, Callable[[], DataSet]] = {name: source.load for name, source in CATALOGUE.items() if source.bundled}

_FORMS: dict[str, Callable[..., DataSet]] = {
    suffix: module.load for module in (tables, arrays, words) for suffix in module.SUFFIXES
}


def load_dataset(name: str, *, download: bool = False) -> DataSet:
    """The data set of that name or path.

    Parameters
    ----------
    download: whether to download it where this machine does not have it; `RELVIZ_DOWNLOAD=1` allows it as well.

    Raises
    ------
    UnknownName: no such name, path, or option.
    MissingData: known, but not on this machine.
    MissingPackage: an optional package is needed.
    BadFile: a file is damaged or not what it is read as.

    >>> len(load_dataset("digits")), load_dataset("digits:n=100").name
    (1797, 'digits:n=100,seed=0')
    """
    return _load(name, download, data_entries())


def source_of(name: str) -> Path | str:
    """Where the samples of a data set come from: a file or folder, else a name that stands for no entry.

    Two data sets of one source have the same rows, whatever labels, ids and part of them each takes.

    >>> source_of("digits:n=100")
    'digits'
    """
    entries = data_entries()
    while isinstance(stands_for := entries.pop(name, None), str) and name not in DATASETS:
        name = stands_for
    part = subset_name(name)
    if part is not None:
        return source_of(part[0])
    path, _ = split_name(name)
    return path.resolve() if name not in CATALOGUE and path.exists() else name


def _load(name: str, download: bool, entries: Mapping[str, str | BadFile]) -> DataSet:
    """As `load_dataset`; an entry of the shelf file is followed once, and goes before a set of the catalogue."""
    if name in entries and name not in DATASETS:
        path = entries[name]
        if isinstance(path, BadFile):
            raise path
        return _load(path, download, {other: path for other, path in entries.items() if other != name})
    part = subset_name(name)
    if part is not None:
        whole, n, seed = part
        return subset(_load(whole, download, entries), n=n, seed=seed)
    try:
        return _loaded(name, _stamp(name))
    except MissingData:
        fetch = _fetcher(name)
        if fetch is None or not (download or settings.may_download()):
            raise
    except OSError as error:
        raise BadFile(f"{name} cannot be read ({error.strerror}).", "Check the path and its permissions.") from error
    fetch()
    return _loaded(name, _stamp(name))


@lru_cache(maxsize=4)
def _loaded(name: str, _: object) -> DataSet:
    """The second argument changes when the files may have; then they are read again."""
    if name in CATALOGUE:
        return _named(name)
    if name.startswith("torchvision:"):
        kind, _, fragment = name.removeprefix("torchvision:").partition("#")
        return of_torchvision.load(kind, split_name(f"#{fragment}")[1], name=name)
    path, options = split_name(name)
    if path.is_dir():
        return image_folders.load(path, options, name=name)
    if path.suffix not in _FORMS and not path.exists():
        raise UnknownName("data set or file", name, CATALOGUE)
    if not path.is_file():
        raise BadFile(f"There is no file {path}.", "Check the path; relative ones start where relviz was started.")
    if path.suffix not in _FORMS:
        raise BadFile(f"Files like {path} are not read.", f"Bring one of {', '.join(_FORMS)} or a folder of pictures.")
    return _FORMS[path.suffix](path, options, name=name)


def _named(name: str) -> DataSet:
    """A named set; where the user keeps it as one file of its name in a data folder, that file is read."""
    source = CATALOGUE[name]
    if source.bundled:
        return source.load()
    paths = [folder / f"{name}{suffix}" for folder in settings.data_dirs() for suffix in _FORMS]
    brought = next((path for path in paths if path.is_file()), None)
    data = _FORMS[brought.suffix](brought, {}, name=name) if brought else source.load()
    return replace(data, title=source.title, licence=source.licence)


def _fetcher(name: str) -> Callable[[], None] | None:
    if name.startswith("torchvision:"):
        return partial(of_torchvision.fetch, name.removeprefix("torchvision:").partition("#")[0])
    return CATALOGUE[name].fetch if name in CATALOGUE else None


def _stamp(name: str) -> object:
    """What tells a path's present content from a former one, and the data folders in which names are looked up."""
    if name in CATALOGUE or name.startswith("torchvision:"):
        return None if name in DATASETS else settings.data_dirs()
    return tree_stamp(split_name(name)[0])


def load_training(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels that the bundled models of a data set are trained on, none of them held out."""
    if name == "fashion-mnist":
        return fashion_mnist.load_training()
    data = load_dataset(name)
    return data.images[data.gallery], data.label_tensor().numpy()[data.gallery]
