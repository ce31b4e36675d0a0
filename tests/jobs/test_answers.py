from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import torch

from relviz.data.catalogue import load_dataset
from relviz.encoding import cache
from relviz.errors import UnknownName
from relviz.jobs import answers
from relviz.models.catalogue import find, names_for
from relviz.models.shelf import shelf
from relviz.requests import (
    Anchors,
    Change,
    Compare,
    Equalise,
    Explain,
    Layers,
    Maps,
    Notes,
    PairBoard,
    Pairs,
    Readings,
    Reconstruct,
    Request,
    Rescale,
    Similarity,
    Stitch,
)
from relviz.types import DataName, MethodName, ModelName, OptionValue, SampleName, SetOption
from relviz.usecases.anchors import DiagnoseAnchors
from relviz.usecases.maps import FourMaps, Map
from relviz.usecases.table import run, use_cases
from tests.pace import seconds_of

A, B, OTHER = "digits-cnn-s0", "digits-mlp-s0", "digits-cnn-s1"
ANCHORS = Anchors(30, "kmeans", source=A)
REQUESTS = [
    Compare(A, B, "digits", Anchors(30), measures=("cka", "jaccard")),
    Similarity("cka", "digits", Anchors(30)),
    Layers("cka", A, B, "digits"),
    Stitch((A, B), "digits", Anchors(30)),
    Maps(A, B, "digits", Anchors(30)),
    Readings(A, B, "digits", Anchors(30)),
    Explain(A, B, "digits", Anchors(30)),
    DiagnoseAnchors(A, B, "digits", Anchors(30)),
    Reconstruct("fmnist-ae2-s0", "fmnist-ae2-s1", "fashion-mnist", Anchors(30), ("absolute", "ortho"), 2),
    Equalise("fmnist-relae-s0", "fashion-mnist", 1, (Change(0, 1.0), Change(1, 0.5))),
    Rescale((A, B), "digits", (0.5, 1.0)),
    Notes((A, B), "digits"),
    Pairs(A, B, "digits", "digits", Anchors(30), ("absolute", "relative", "ortho")),
    PairBoard(A, B, ("digits", "digits:n=900"), Anchors(30)),
]
each = pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVIZ_CACHE", str(tmp_path))


def read(request: Request) -> Any | None:
    return answers.read(request, answers.key(request))


def write(request: Request, answer: Any) -> None:
    answers.write(request, answers.key(request), answer)


def plain(value: Any) -> Any:
    """Comparable with `==`, types included."""
    if is_dataclass(value):
        return type(value), {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, torch.Tensor):
        return value.dtype, value.tolist()
    if isinstance(value, list | tuple):
        return type(value), [plain(item) for item in value]
    if isinstance(value, dict):
        return [(name, plain(item)) for name, item in value.items()]
    return type(value), value


OPTION = SetOption("measure", "svcca", "keep", 0.5)


def changes(value: Any, hint: Any) -> Iterator[Any]:
    """Values that differ from this one in one place each."""
    if is_dataclass(hint):
        for name, of in get_type_hints(hint, include_extras=True).items():
            yield from (replace(value, **{name: other}) for other in changes(getattr(value, name), of))
    elif get_origin(hint) is tuple:
        other = {
            ModelName: OTHER,
            DataName: "fashion-mnist",
            Change: Change(9, 9.0),
            SetOption: OPTION,
            float: 9.0,
        }.get(get_args(hint)[0], "other")
        yield from ((*value, other), value[::-1], value[:-1])
    else:
        yield {ModelName: OTHER, DataName: "fashion-mnist", MethodName: "other", bool: value is False}.get(hint, 7)


def leaves(hint: Any) -> Iterator[Any]:
    if is_dataclass(hint):
        for of in get_type_hints(hint, include_extras=True).values():
            yield from leaves(of)
    elif get_origin(hint) is tuple:
        yield from leaves(get_args(hint)[0])
    else:
        yield hint


@each
def test_an_answer_comes_back_as_it_was(request_: Request) -> None:
    assert read(request_) is None
    answer = run(request_)
    write(request_, answer)
    assert plain(read(request_)) == plain(answer)


def test_every_kind_of_request_is_tried_here_and_has_its_answer() -> None:
    assert {type(request) for request in REQUESTS} == set(use_cases())


@pytest.mark.parametrize("kind", use_cases())
def test_every_field_of_a_request_says_what_it_names(kind: type) -> None:
    assert set(leaves(kind)) <= {ModelName, DataName, MethodName, SampleName, OptionValue, int, float, bool}


def test_a_field_that_does_not_say_what_it_names_has_no_key() -> None:
    @dataclass(frozen=True)
    class Forgetful:
        model: str

    with pytest.raises(TypeError, match="must say what it names"):
        answers.key(Forgetful(A))  # type: ignore[arg-type]


@each
def test_any_other_request_has_another_key(request_: Request) -> None:
    others = [other for other in changes(request_, type(request_)) if other != request_]
    assert len(others) >= len(asdict(request_))
    assert len({answers.key(other) for other in [request_, *others]}) == len(others) + 1


@each
def test_other_weights_or_data_under_the_same_name_have_another_key(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hasattr(request_, "anchors"):
        request_ = replace(request_, anchors=ANCHORS)
    before = {answers.key(request_)}
    retrained = {name: replace(find(name), fingerprint="0" * 64) for name in shelf() if f"'{name}'" in str(request_)}
    for name in retrained:
        with monkeypatch.context() as patch:
            patch.setattr(answers, "find", lambda n, name=name: retrained[n] if n == name else find(n))
            before.add(answers.key(request_))
    data = load_dataset(getattr(request_, "data", "digits"))
    with monkeypatch.context() as patch:
        patch.setattr(answers, "load_dataset", lambda _: replace(data, gallery_size=data.gallery_size - 1))
        before.add(answers.key(request_))
    assert len(before) == 2 + len(retrained) > 2


@each
def test_a_new_model_matters_only_to_boards_of_the_whole_shelf(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers.key(request_)
    fewer = names_for(load_dataset("digits"))[:-1]
    monkeypatch.setattr(answers, "names_for", lambda _: fewer)
    assert (answers.key(request_) != before) == isinstance(request_, Similarity)


def test_another_release_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = answers.key(REQUESTS[0])
    monkeypatch.setattr(answers, "__version__", "0")
    assert answers.key(REQUESTS[0]) != before


def test_a_method_that_says_something_else_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = answers.key(REQUESTS[0]), answers.rows()
    monkeypatch.setattr(answers, "rows", lambda: [told[0] | {"options": "k = 3"}, *told[1:]])
    answers._version.cache_clear()
    try:
        assert answers.key(REQUESTS[0]) != before
    finally:
        answers._version.cache_clear()


@pytest.mark.parametrize("facts", [None, [], {}, "text", {"absolute": {}, "relative": {"cka": {"value": 1}}}])
def test_what_is_not_such_an_answer_is_a_miss(facts: Any, caplog: pytest.LogCaptureFixture) -> None:
    cache.write(answers.key(REQUESTS[0]), {}, facts)
    assert read(REQUESTS[0]) is None
    assert len(caplog.records) == 1 and "not understood" in caplog.text


def test_an_answer_of_another_kind_is_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    write(REQUESTS[0], [1, 2])
    assert read(REQUESTS[0]) is None
    assert "cannot be stored" in caplog.text


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="digits-cn"):
        read(Maps("digits-cn", B, "digits"))


def test_the_first_picture_is_read_about_as_quickly_as_its_file() -> None:
    request = Maps("fmnist-cnn-s0", "fmnist-cnn-s1", "fashion-mnist")
    one = Map(torch.rand(2000, 2), 0.5, 0.01, torch.rand(2000), torch.rand(300, 2))
    write(request, FourMaps(one, one, one, one))
    key = answers.key(request)
    # Beside the bare entry, since machines differ; the best of rounds, since others use them too.
    costs = [(seconds_of(lambda: cache.read(key)), seconds_of(lambda: read(request))) for _ in range(20)]
    assert read(request) is not None
    assert min(whole for _, whole in costs) < 10 * min(bare for bare, _ in costs), costs
