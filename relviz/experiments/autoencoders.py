"""Autoencoders stitched: the encoder of one with the decoder of another that differs by its seed alone."""

from __future__ import annotations

from relviz.encoding.spaces import part
from relviz.errors import MissingData, UnknownName
from relviz.experiments.report import Claim, Report, Row, row, value
from relviz.models.catalogue import find
from relviz.plots.experiments import bars
from relviz.progress import Progress
from relviz.requests import Anchors, Reconstruct
from relviz.usecases.reconstruction import Rebuilt
from relviz.usecases.table import run as answer

KINDS = {"ae": "AE", "vae": "VAE"}
OWN, STITCHED, TRANSLATED = "own", "absolute", "ortho"
ERROR, PSNR, SSIM = "squared error", "PSNR", "SSIM"
BETTER = 5  # times


def run(quick: bool, progress: Progress) -> Report:
    """Absolute and relative autoencoders of both kinds, each stitched to its twin of another seed."""
    data = f"fashion-mnist:n={300 if quick else 5000},seed=0"
    names = [f"{space}{kind}" for kind in KINDS for space in ("", "rel")]
    rows: list[Row] = []
    for done, name in enumerate(names):
        rows += _rows(name, data, part(progress, done / len(names), (done + 1) / len(names)))
    return Report(
        rows=rows,
        claims=claims(rows),
        data=[f"Fashion-MNIST, the held-out part of {300 if quick else 5000:,} images"],
        differences=[
            "Fashion-MNIST instead of MNIST and CIFAR; small bundled networks trained for few epochs, with 200 anchors "
            "and a bottleneck of 64 instead of 500 anchors",
            "the relative layer's norm has no weights of its own",
            "the notes hold no published error of this table, so none stands beside ours",
        ],
        figure=bars(
            {
                how: {name: value(rows, name, f"{how}, {ERROR}") for name in names}
                for how in ("own encoder", "stitched as it is")
            },
            y="mean squared error per pixel",
            log_y=True,
        ),
    )


def _rows(name: str, data: str, progress: Progress) -> list[Row]:
    encoder, decoder = (f"fmnist-{name}-s{seed}" for seed in (0, 1))
    for model in (encoder, decoder):
        try:
            find(model)
        except UnknownName as error:
            raise MissingData(f"The model {model} is not on the shelf.", f"Run 'relviz train {model}'.") from error
    relative = name.startswith("rel")
    methods = (STITCHED,) if relative else (STITCHED, TRANSLATED)
    found = answer(Reconstruct(encoder, decoder, data, Anchors(100), methods, pictures=1), progress)
    called = {OWN: "own encoder", STITCHED: "stitched as it is", TRANSLATED: "stitched by ortho"}
    return [each for rebuilt in found.rebuilt for each in _numbers(name, called[rebuilt.method], rebuilt)]


def _numbers(name: str, how: str, rebuilt: Rebuilt) -> list[Row]:
    measured = {ERROR: rebuilt.error, PSNR: rebuilt.psnr, SSIM: rebuilt.ssim}
    return [row(name, f"{how}, {what}", number, why=rebuilt.undefined) for what, number in measured.items()]


def claims(rows: list[Row]) -> list[Claim]:
    """Stitched relative against stitched absolute, by kind."""
    found = []
    for kind, label in KINDS.items():
        absolute, relative = (value(rows, name, f"stitched as it is, {ERROR}") for name in (kind, f"rel{kind}"))
        own = value(rows, f"rel{kind}", f"own encoder, {ERROR}")
        found.append(
            Claim(
                f"Relative {label} stitching is at least {BETTER} times better than absolute.",
                absolute >= BETTER * relative,
                f"squared error {absolute:.4f} and {relative:.4f}, {absolute / relative:.1f} times; "
                f"the relative decoder's own encoder {own:.4f}",
            )
        )
    return found
