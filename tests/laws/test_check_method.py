"""`relviz check-method`: a method that keeps the laws passes, one that does not fails with its numbers."""

from pathlib import Path

import pytest

from relviz.core.anchors import STRATEGIES
from relviz.core.measures import MEASURES
from relviz.core.projections import PROJECTIONS
from relviz.core.translations import TRANSLATIONS
from relviz.laws.docstrings import docstring_is_complete
from tests.packages import install, python

SHARE = '''
from relviz.core.measures import Measure
from relviz.types import MeasureValue


def share(pair):
    """A share of the first vectors."""
    return MeasureValue(float(pair.a[0, 0] / pair.b[0, 0]), None, pair.n)


SHARE = Measure(
    label="Share",
    function=share,
    summary="first against first",
    source="toy",
    invariances=frozenset({"isotropic scale"}),
    low=0.0,
    high=1.0,
)
'''


def test_a_method_that_keeps_the_laws_passes(tmp_path: Path) -> None:
    done = python(tmp_path, "-m", "relviz.cli", "check-method", "uniform")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and all(line.startswith("passed  anchor strategy: ") for line in lines)


def test_a_method_that_breaks_laws_fails_with_the_numbers(tmp_path: Path) -> None:
    install(tmp_path, "toy", SHARE, {"relviz.measures": {"share": "toy:SHARE"}})
    done = python(tmp_path, "-m", "relviz.cli", "check-method", "share")
    assert done.returncode == 1 and "share breaks" in done.stderr
    failed = {line.split(": ")[1]: line for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert "(isotropic scale, torch.float64), allowed 1e-08" in failed["claimed invariances hold"]
    assert "edges give a value in range or a reason" in failed
    assert "lacks an example, errors" in failed["its docstring is complete"]


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    done = python(tmp_path, "-m", "relviz.cli", "check-method", "unifrm")
    assert done.returncode == 1 and "Did you mean 'uniform'?" in done.stderr


@pytest.mark.parametrize(
    "entry", [*MEASURES.values(), *PROJECTIONS.values(), *TRANSLATIONS.values(), *STRATEGIES.values()]
)
def test_the_docstrings_of_relviz_are_complete(entry: object) -> None:
    outcome = docstring_is_complete(entry.function)  # type: ignore[attr-defined]
    assert outcome.kept, outcome.told
