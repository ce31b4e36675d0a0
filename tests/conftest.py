"""What every test starts from: an empty cache of its own, and no setting of the machine leaking in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from relviz.packages import declare_operators

declare_operators()  # latentis imports torchvision, whose operators a CPU build of torch lacks

collect_ignore = ["app/linked_map_app.py", "app/linked_map_page.py"]  # scripts that Streamlit runs


@pytest.fixture(autouse=True, scope="session")
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache folder for the whole session, so that spaces are encoded once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RELVIZ_")]:
            patch.delenv(name)
        patch.setenv("RELVIZ_CACHE", str(folder))
        patch.setenv("RELVIZ_MODELS", str(folder / "models"))
        yield folder
