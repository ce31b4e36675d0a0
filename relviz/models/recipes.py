"""The recorded recipes: `make models` trains those of the bundled models, `relviz train NAME` any."""

from __future__ import annotations

from typing import Any

from relviz.models.training import Recipe

_FASHION: dict[str, dict[str, Any]] = {
    "mlp": {"width": 128, "epochs": 10, "learning_rate": 2e-3},
    "cnn": {"width": 128, "epochs": 3, "learning_rate": 3e-3},
    "resnet": {"width": 64, "epochs": 4, "learning_rate": 5e-3},
    "vit": {"width": 64, "epochs": 6, "learning_rate": 3e-3},
    "ae": {"width": 64, "epochs": 6, "learning_rate": 3e-3, "weight_decay": 0.0},
    "vae": {"width": 64, "epochs": 8, "learning_rate": 3e-3, "weight_decay": 0.0},
    "ae2": {"width": 2, "epochs": 10, "learning_rate": 3e-3, "weight_decay": 0.0},
    "relae": {"width": 64, "epochs": 4, "learning_rate": 3e-3, "weight_decay": 0.0, "anchors": 200},
    "relvae": {"width": 64, "epochs": 4, "learning_rate": 3e-3, "weight_decay": 0.0, "anchors": 200},
}
_FASHION_MORE: dict[str, dict[str, Any]] = {
    "linae": {"width": 64, "epochs": 6, "learning_rate": 3e-3, "weight_decay": 0.0},
    "linvae": {"width": 64, "epochs": 6, "learning_rate": 3e-3, "weight_decay": 0.0},
    "relcnn": {"width": 64, "epochs": 3, "learning_rate": 3e-3, "anchors": 200},
}
_MNIST: dict[str, dict[str, Any]] = {"cnn": {"width": 500, "epochs": 3, "learning_rate": 3e-3}}
_DIGITS: dict[str, dict[str, Any]] = {
    "mlp": {"width": 64, "epochs": 40, "learning_rate": 3e-3, "batch": 64},
    "cnn": {"width": 32, "epochs": 20, "learning_rate": 3e-3, "batch": 64},
}

_PLANETOID: dict[str, Any] = {"width": 64, "epochs": 500, "learning_rate": 0.01, "weight_decay": 5e-4, "patience": 50}
_CORA: dict[str, dict[str, Any]] = {
    "gcn": {**_PLANETOID, "dropout": 0.8},
    "gcnii": {**_PLANETOID, "dropout": 0.6, "layers": 16, "patience": 100},
    "gin": {**_PLANETOID, "dropout": 0.5},
}


def _recipes(prefix: str, data: str, table: dict[str, dict[str, Any]], seeds: int = 2) -> list[Recipe]:
    return [
        Recipe(name=f"{prefix}-{architecture}-s{seed}", architecture=architecture, data=data, seed=seed, **choices)
        for architecture, choices in table.items()
        for seed in range(seeds)
    ]


BUNDLED: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in _recipes("fmnist", "fashion-mnist", _FASHION) + _recipes("digits", "digits", _DIGITS)
}
RECIPES: dict[str, Recipe] = {
    **BUNDLED,
    **{
        recipe.name: recipe
        for recipe in (
            *_recipes("fmnist", "fashion-mnist", _FASHION_MORE),
            *_recipes("mnist", "mnist", _MNIST),
            *_recipes("cora", "cora", _CORA, seeds=3),
        )
    },
}
