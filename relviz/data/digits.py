"""scikit-learn's handwritten digits, 8 x 8: the tiny data set."""

from __future__ import annotations

import numpy as np

from relviz.data.dataset import DataSet


def load() -> DataSet:
    """1,797 digits; rows 0 to 1296 are the gallery, on which the bundled digit models were trained."""
    from sklearn.datasets import load_digits  # takes a second that only this data set needs

    bunch = load_digits()
    return DataSet(
        name="digits",
        title="Digits (scikit-learn, 8 x 8)",
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak (1998)",
        samples=np.round(bunch.images * (255 / 16)).astype(np.uint8),
        labels=bunch.target.astype(np.int64),
        class_names=tuple("0123456789"),
        gallery_size=1297,
    )
