"""What a method declares can be set: by every name of it, from the command line and from Python."""

import json
from typing import Any

import pytest

import relviz
from relviz.cli import main
from relviz.core.registry import Option
from relviz.errors import BadChoice, RelvizError, UnknownName
from relviz.jobs import answers
from relviz.request_options import KINDS, with_options
from relviz.requests import Anchors, Compare, Request
from relviz.usecases import table

PAIR = ("digits-mlp-s0", "digits-mlp-s1")
DATA = ("--data", "digits", "--anchors", "20")
# How a method of each kind is asked for.
ASKED = {
    "strategy": ("compare", "--measures", "cka", "--strategy"),
    "projection": ("compare", "--measures", "cka", "--projection"),
    "measure": ("compare", "--measures"),
}
DECLARED = [
    (kind, name, option)
    for kind, registry in KINDS.items()
    for name, entry in registry.items()
    for option in entry.options
]


def other(option: Option) -> Any:
    """A value that is not the default."""
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    if isinstance(option.default, bool):
        return not option.default
    assert not isinstance(option.default, str)
    low = None if option.low is None else type(option.default)(option.low)
    return 2 * option.default + 1 if low in (None, option.default) else low


def answered(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Request, Any]:
    """The request that a command makes, and the numbers it prints."""
    asked: list[Request] = []
    run = table.run

    def recorded(request: Request, *how: Any) -> Any:
        asked.append(request)
        return run(request, *how)

    with monkeypatch.context() as patch:
        patch.setattr(table, "run", recorded)
        assert main([*words, "--json"]) == 0, capsys.readouterr().err
    found = json.loads(capsys.readouterr().out)
    return asked[0], found.get("measures") or found["cells"]


def test_every_kind_of_method_that_is_set_can_be_asked_for() -> None:
    assert set(ASKED) == set(KINDS) and len(DECLARED) >= 6


@pytest.mark.parametrize(
    ("kind", "name", "option"), DECLARED, ids=[f"{kind}.{name}.{option.name}" for kind, name, option in DECLARED]
)
def test_every_option_changes_what_is_answered(
    kind: str, name: str, option: Option, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = ASKED[kind]
    words = [command, *PAIR, *DATA, *rest, name]
    plain, default, changed = (
        answered([*words, *setting], monkeypatch, capsys)
        for setting in (
            [],
            ["--option", f"{kind}.{name}.{option.name}={option.default}"],
            ["--option", f"{kind}.{name}.{option.name}={other(option)}"],
        )
    )
    assert plain == default and answers.key(plain[0]) == answers.key(default[0])
    assert answers.key(plain[0]) != answers.key(changed[0])
    assert plain[1] != changed[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--measures svcca --option keeps=1", "called 'keeps'. Did you mean 'keep'?"),
        ("--measures cka --option keep=1", "There is no option of the methods asked for called 'keep'. Known: none."),
        ("--measures svcca --option keep", "--option keep sets nothing. Write it as NAME=VALUE."),
        ("--measures svcca --option keep=much", "keep = 'much' is of the wrong kind. Choose one like 0.99."),
        ("--measures svcca --option keep=2", "keep = 2.0 is out of range."),
        ("--measures svcca --option keep=nan", "keep = nan is out of range."),
        ("--measures svcca --option keep=1 --option keep=1", "The option keep is set twice."),
        ("--measures svcca --option keep=1 --option svcca.keep=1", "The option svcca.keep is set twice."),
        (
            "--measures cka-rbf cka-rbf-debiased --option bandwidth=2",
            "Several methods have an option 'bandwidth'. Name one of cka-rbf.bandwidth, cka-rbf-debiased.bandwidth.",
        ),
        ("--layers --measures cka --option keep=1", "Known: none."),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_there_is(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *PAIR, "--data", "digits", *words.split()]) == 1
    assert said in capsys.readouterr().err


def test_the_order_and_the_spelling_of_options_make_no_other_request() -> None:
    plain = Compare(*PAIR, "digits", Anchors(projection="geodesic"), measures=("svcca", "cka-rbf"))
    one = with_options(plain, {"keep": 1, "bandwidth": "2", "neighbours": "3"})
    two = with_options(plain, {"projection.geodesic.neighbours": 3, "cka-rbf.bandwidth": 2.0, "svcca.keep": "1.0"})
    assert one == two and answers.key(one) == answers.key(two) != answers.key(plain)
    assert [set_one.method for set_one in one.options] == ["cka-rbf", "svcca"]
    assert with_options(plain, {"keep": 0.99, "neighbours": 10}) == plain


def test_python_sets_options_as_the_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    found = relviz.compare(*PAIR, data="digits", anchors=20, measures=["svcca"], options={"keep": 0.5})
    assert main(["compare", *PAIR, *DATA, "--measures", "svcca", "--option", "keep=0.5", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["measures"]["absolute"]["svcca"]["value"] == found.absolute["svcca"].value
    assert printed["options"] == [{"kind": "measure", "method": "svcca", "name": "keep", "value": 0.5}]


@pytest.mark.parametrize(("value", "error"), [(None, BadChoice), ("", BadChoice), (True, BadChoice), ([], BadChoice)])
def test_values_of_other_kinds_are_refused(value: Any, error: type[RelvizError]) -> None:
    with pytest.raises(error, match="of the wrong kind"):
        with_options(Compare(*PAIR, "digits", measures=("svcca",)), {"keep": value})
    with pytest.raises(UnknownName):
        with_options(Compare(*PAIR, "digits", measures=("no",)), {"keep": 1})
