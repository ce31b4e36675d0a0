import pytest

from relviz.core.measures import MEASURES, measure_all
from relviz.data.catalogue import load_dataset
from relviz.encoding.spaces import space_of
from relviz.errors import BadChoice, UnknownName
from relviz.models.catalogue import find
from relviz.models.shelf import shelf
from relviz.progress import silent
from relviz.requests import Anchors, Compare, Request, Similarity
from relviz.usecases.table import run

PAIR = ("fmnist-cnn-s0", "fmnist-cnn-s1", "fashion-mnist")


def test_values_are_those_of_the_held_out_rows() -> None:
    data = load_dataset("fashion-mnist")
    a, b = (space_of(find(name), load_dataset("fashion-mnist"), silent)[data.held_out] for name in PAIR[:2])
    assert run(Compare(*PAIR, measures=tuple(MEASURES))).absolute == measure_all(a, b, k=10)


def test_relative_spaces_of_two_seeds_agree_where_absolute_ones_do_not() -> None:
    found = run(Compare(*PAIR))
    assert found.absolute["jaccard"].value < 2 * found.absolute["jaccard"].chance
    assert found.relative["jaccard"].value > 20 * found.relative["jaccard"].chance
    assert found.absolute["cosine"].value < 0.2 < 0.8 < found.relative["cosine"].value


def test_the_board_holds_every_pair_and_the_values_of_compare() -> None:
    board = run(Similarity("jaccard", "digits", Anchors(50), k=7))
    assert board.models == tuple(name for name, card in shelf().items() if card.side == 8)
    i, j = board.models.index("digits-cnn-s0"), board.models.index("digits-mlp-s1")
    pair = run(Compare("digits-cnn-s0", "digits-mlp-s1", "digits", Anchors(50), k=7))
    assert board.absolute[i][j] == pair.absolute["jaccard"]
    assert board.relative[i][j] == pair.relative["jaccard"]
    assert all(board.relative[m][m].value == pytest.approx(1) for m in range(len(board.models)))


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_fills_a_board(name: str) -> None:
    measure, board = MEASURES[name], run(Similarity(name, "digits", Anchors(50)))
    for i, row in enumerate(board.relative):
        for j, value in enumerate(row):
            assert value.value is not None, value.undefined
            assert measure.low <= value.value <= measure.high
            if not measure.directed:
                assert value == board.relative[j][i]


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (Compare("fmnist-cn-s0", *PAIR[1:]), UnknownName, "Did you mean 'fmnist-cnn-s0'"),
        (Compare(*PAIR[:2], "fashion-minst"), UnknownName, "Did you mean 'fashion-mnist'"),
        (Compare(*PAIR, Anchors(0)), BadChoice, "0 anchors"),
        (Compare(*PAIR, measures=()), BadChoice, "No measure is named"),
        (Compare(*PAIR, Anchors(8001)), BadChoice, "8000 gallery rows"),
        (Compare(*PAIR, k=2000), BadChoice, "between 1 and 1999"),
        (Similarity("ckaa", "digits"), UnknownName, "Did you mean 'cka'"),
        (Compare(*PAIR, Anchors(projection="cosin")), UnknownName, "Did you mean 'cosine'"),
        (Compare("digits-cnn-s0", *PAIR[1:]), BadChoice, "8 x 8 images, and those of 'fashion-mnist' are 28 x 28"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(request_: Request, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        run(request_)
