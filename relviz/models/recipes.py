"""The recorded recipes of the bundled models: `make models` trains them all."""

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
}
_DIGITS: dict[str, dict[str, Any]] = {
    "mlp": {"width": 64, "epochs": 40, "learning_rate": 3e-3, "batch": 64},
    "cnn": {"width": 32, "epochs": 20, "learning_rate": 3e-3, "batch": 64},
}


def _recipes(prefix: str, data: str, table: dict[str, dict[str, Any]]) -> list[Recipe]:
    return [
        Recipe(name=f"{prefix}-{architecture}-s{seed}", architecture=architecture, data=data, seed=seed, **choices)
        for architecture, choices in table.items()
        for seed in (0, 1)
    ]


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in _recipes("fmnist", "fashion-mnist", _FASHION) + _recipes("digits", "digits", _DIGITS)
}
