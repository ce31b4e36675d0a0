"""scikit-learn's handwritten digits, 8 x 8: the tiny data set."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from relviz.data.dataset import DataSet
from relviz.errors import MissingPackage


def load() -> DataSet:
    """1,797 digits; rows 0 to 1296 are the gallery, on which the bundled digit models were trained."""
    table = np.loadtxt(_file(), delimiter=",", dtype=np.int64)  # 64 values from 0 to 16, then the digit
    return DataSet(
        name="digits",
        title="Digits (scikit-learn, 8 x 8)",
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak (1998)",
        samples=np.round(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8),
        labels=table[:, -1].copy(),
        class_names=tuple("0123456789"),
        gallery_size=1297,
    )


def _file() -> Path:
    """The file of scikit-learn's `load_digits`; to import the package would take three seconds of a first picture."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise MissingPackage("scikit-learn", "The digits")
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
