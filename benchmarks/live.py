"""Times the points of the live stitching curve and writes their part of `benchmarks/RESULTS.md`: `make bench-live`.

Two made-up spaces of 10,000 x 512 stand for a pair of models. What is timed is all that a new number of anchors costs:
projections, heads or maps, native and stitched predictions; encoding is done before.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable

import torch

from benchmarks.results import machine, write_part
from benchmarks.spaces import two_spaces
from relviz.core.heads.closed_form import fit_ridge
from relviz.core.stitching import CLOSED_FORM, METHODS, Side, stitch_all

GALLERY, N, WIDTH, CLASSES = 8_000, 10_000, 512, 10
COUNTS = (50, 300, 1000)
REPEATS = 3
TRAINED, TRAINED_COUNT = ("product-weighted", "product-attention"), 300
GPU = torch.cuda.is_available()
GOAL, TRAINED_GOAL = 0.2 if GPU else 1.5, 10.0  # seconds a point
ABOUT = (
    f"Written by `make bench-live`: two made-up spaces of {N:,} x {WIDTH} with {CLASSES} classes, {GALLERY:,} rows of "
    f"them the gallery. Seconds for one point of the live curve, medians of {REPEATS}: one encoder read by one head, "
    "native accuracy included, nothing kept from other points. Under load from elsewhere the seconds grow."
)


class Pair:
    """The two spaces, and models that stand for them."""

    def __init__(self) -> None:
        *spaces, labels = (x.cuda() if GPU else x for x in two_spaces(N, WIDTH, classes=CLASSES))
        self.spaces, self.gallery, self.held_out = spaces, labels[:GALLERY], labels[GALLERY:]
        self.heads = [fit_ridge(x[:GALLERY], self.gallery, classes=CLASSES) for x in spaces]

    def sides(self, anchors: int) -> list[Side]:
        """Both models with the same random anchors, and nothing computed yet."""
        rows = torch.randperm(GALLERY, generator=torch.Generator().manual_seed(anchors))[:anchors]
        rows = rows.to(self.gallery.device)
        both = zip("ab", self.spaces, self.heads, strict=True)
        return [Side(name, x[:GALLERY], x[GALLERY:], rows, head) for name, x, head in both]

    def stitch(self, name: str, encoders: list[Side], head: Side) -> None:
        """One method; what comes out are plain numbers, so a GPU is done with it."""
        stitch_all(METHODS[name], encoders, head, gallery_labels=self.gallery, labels=self.held_out)

    def one(self, name: str, anchors: int) -> None:
        """A point of one method in one direction."""
        encoder, head = self.sides(anchors)
        self.stitch(name, [encoder], head)

    def all(self, names: Iterable[str], anchors: int) -> None:
        """A point of several methods in both directions, as the page asks for it."""
        both = self.sides(anchors)
        for head in both:
            for name in names:
                self.stitch(name, both, head)


def main() -> None:
    """Measure every method at every number of anchors and write the tables."""
    torch.set_num_threads(os.cpu_count() or 1)
    pair = Pair()
    pair.all(CLOSED_FORM, COUNTS[-1])  # compilation and lazy imports are not what is timed
    rows, missed = [], []
    for name in CLOSED_FORM:
        times = [timed(lambda name=name, count=count: pair.one(name, count)) for count in COUNTS]  # type: ignore[misc]
        rows.append(line(name, times))
        missed += [f"{name} at {count}" for count, spent in zip(COUNTS, times, strict=True) if spent >= GOAL]
        print(rows[-1], flush=True)
    rows.append(
        line("**all of these, both directions**", [timed(lambda c=c: pair.all(CLOSED_FORM, c)) for c in COUNTS])
    )  # type: ignore[misc]
    print(rows[-1], flush=True)
    trained = {name: timed(lambda name=name: pair.one(name, TRAINED_COUNT), repeats=1) for name in TRAINED}  # type: ignore[misc]
    head = "| method | " + " | ".join(f"{count} anchors" for count in COUNTS) + " |\n|" + " --- |" * (len(COUNTS) + 1)
    verdicts = [
        verdict(f"every method in closed form below {GOAL:g} s a point", missed),
        *(verdict(f"{name}, trained, {TRAINED_COUNT} anchors, below {TRAINED_GOAL:g} s: {spent:.2f} s",
                  [name] if spent >= TRAINED_GOAL else []) for name, spent in trained.items()),
    ]  # fmt: skip
    table = "\n".join([head, *rows])
    write_part("Live stitching", "\n\n".join([ABOUT, machine(["torch", "numpy"]), table, *verdicts]))


def timed(work: Callable[[], None], *, repeats: int = REPEATS) -> float:
    """Median seconds of the repeats."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def line(name: str, times: Iterable[float]) -> str:
    """One row of the table."""
    return f"| {name} | {' | '.join(f'{spent:.3f}' for spent in times)} |"


def verdict(goal: str, missed: list[str]) -> str:
    """Whether a goal was met, and by which methods not."""
    return f"Goal: {goal}. " + (f"**Missed** by {', '.join(missed)}." if missed else "**Met.**")


if __name__ == "__main__":
    main()
