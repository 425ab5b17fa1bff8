"""The recipe of a week's lists: the settings that shape them, and the weights of feedback.

Belongs here: which weights hold in a home, the hash that two weeks of one recipe share, what differs
between two. Does not: settings themselves
(configuration.py), the rules of a table of weights (models_ml/event_weights.py).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_project.configuration import Configuration, configuration_of, load_configuration
from dagster_project.home import WAREHOUSE_PROJECT, Home
from dagster_project.settings import toml_lines
from models_ml.event_weights import Row, read_event_weights, weight_differences, weights_hash
from models_ml.landing.storage import replace_file

SEED = WAREHOUSE_PROJECT / "seeds" / "event_weights.csv"
# They say what may be published, not what is made.
_SHAPES_NOTHING = ("gate",)


@dataclass(frozen=True)
class Recipe:
    """Settings, and a table of weights: its text where it is not the checked-in one."""

    configuration: Configuration
    weights: tuple[Row, ...]
    own_weights: str | None = None

    @cached_property
    def hash(self) -> str:
        """Equal hashes, equal settings and weights, whatever the gate."""
        settings = {name: part for name, part in self.configuration.as_dict().items() if name not in _SHAPES_NOTHING}
        said = json.dumps([settings, weights_hash(list(self.weights))], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def put(self, home: Home) -> None:
        """Make it the recipe of a home."""
        lines = "\n".join(toml_lines(self.configuration.as_dict())) + "\n"
        replace_file(home.config_file, lines.encode())
        put_weights(home, self.own_weights)


def recipe_of(configuration: Configuration, weights_file: Path | None) -> Recipe:
    """Settings with the weights of a file, or with the checked-in ones."""
    own = weights_file.read_text(encoding="utf-8") if weights_file is not None and weights_file.exists() else None
    rows = read_event_weights(weights_file if own is not None and weights_file is not None else SEED)
    return Recipe(configuration, tuple(rows), own)


def home_recipe(home: Home, overlay: Path | None = None, weights_file: Path | None = None) -> Recipe:
    """What holds in a home, with settings laid over it, and other weights, where they are given."""
    configuration = load_configuration([home.config_file, *([overlay] if overlay else [])])
    return recipe_of(configuration, weights_file or home.event_weights)


def recipe_of_manifest(manifest: dict[str, Any], folder: Path) -> Recipe:
    """What a committed week was made with.  folder: where its table of weights is put, to be read and checked."""
    configuration = configuration_of(manifest["config"], f"manifest of {manifest['week']}")
    own = manifest.get("event_weights")
    if own is None:
        return recipe_of(configuration, None)
    file = folder / f"event_weights_{manifest['week']}.csv"
    replace_file(file, own.encode())
    return recipe_of(configuration, file)


def own_weights(home: Home) -> str | None:
    """The text of the home's own table of weights, None where the checked-in one holds."""
    return home.event_weights.read_text(encoding="utf-8") if home.event_weights.exists() else None


def put_weights(home: Home, text: str | None) -> None:
    """Make a table of weights the home's own; None is the checked-in one."""
    put_table(home.event_weights, text)


def put_table(file: Path, text: str | None) -> None:
    """A table of weights as a file; None is no file."""
    if text is None:
        file.unlink(missing_ok=True)
    else:
        replace_file(file, text.encode())


def changes(baseline: Recipe, candidate: Recipe) -> tuple[str, ...]:
    """What differs, in words: `weighting.skip_strength 1.0 -> 0.0`, `skip in chosen: sign -1 -> 1`."""
    return (
        *_changed_settings(baseline, candidate),
        *weight_differences(list(baseline.weights), list(candidate.weights)),
    )


def _changed_settings(baseline: Recipe, candidate: Recipe) -> Iterator[str]:
    before, after = baseline.configuration.as_dict(), candidate.configuration.as_dict()
    for section, values in after.items():
        for name, value in values.items():
            was = before[section][name]
            if value != was and section != "gate":
                yield f"{section}.{name} {was} -> {value}"
