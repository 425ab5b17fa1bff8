"""What tuning tries: for one setting after the other, a small grid of values.

Belongs here: the table of steps, and the settings that a step makes of those it starts from. Does not: which of them
is best (search.py), what a setting means (the parameter classes).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One thing to try: these values in a section.  label: what it is called in the table of trials."""

    section: str
    values: Mapping[str, Any]
    label: str

    def applied(self, settings: Settings) -> dict[str, dict[str, Any]]:
        """The settings with the change made."""
        changed = {section: dict(values) for section, values in settings.items()}
        changed[self.section].update(self.values)
        return changed


@dataclass(frozen=True)
class Step:
    """One setting and its grid, the simpler values first.

    values: what is tried; a number stands for itself or, with `relative`, for a multiple of the present value.
    along: another setting of the section and its values, tried in all pairs: for a setting whose values need another
    scale of a second one.
    needs_time: whether only a hold-out in time can tell: one at random is as old as what it is drawn from.
    """

    section: str
    name: str
    values: tuple[Any, ...]
    relative: bool = False
    along: tuple[str, tuple[Any, ...]] | None = None
    needs_time: bool = field(default=False)

    def changes(self, settings: Settings) -> list[Change]:
        """What the step tries from these settings, in order; values that are there already are left out."""
        present = settings[self.section]
        tried = [present[self.name] * value if self.relative else value for value in self.values]
        if self.along is None:
            return [self._change({self.name: value}) for value in tried if value != present[self.name]]
        other, others = self.along
        pairs = [{self.name: value, other: beside} for value in tried for beside in others]
        return [self._change(pair) for pair in pairs if pair[self.name] != present[self.name]]

    def _change(self, values: Mapping[str, Any]) -> Change:
        return Change(self.section, values, ", ".join(f"{self.section}.{name} = {values[name]}" for name in values))


# In this order: first what everything after depends on, then what only reorders candidates, which is cheap, and last
# what weighs all listening anew, a dbt call for each week: a budget that ends early has then seen the most.
SPACE: Final = (
    # Scaled by confidence, little is left of the mean listener above 1 (collaborative.py): no large steps upwards.
    Step("collaborative", "regularization", (0.25, 0.5, 0.75, 1.25), relative=True),
    Step(
        "collaborative",
        "regularization_scaling",
        ("constant",),
        along=("regularization", (1.0, 3.0, 10.0, 30.0, 100.0)),
    ),
    Step("collaborative", "factors", (64, 128, 192, 256)),
    Step("serving", "artist_weight", (0.0, 0.5, 1.0, 2.0)),
    Step("serving", "idle_half_life_days", (0.0, 14.0, 30.0, 90.0), needs_time=True),
    Step("ranking", "artist_affinity_weight", (0.0, 0.03, 0.1, 0.2)),
    Step("ranking", "popularity_penalty", (0.0, 0.02, 0.05, 0.1)),
    Step("ranking", "freshness_weight", (0.0, 0.05, 0.1), needs_time=True),
    Step("weighting", "confidence_alpha", (1.0, 3.0, 10.0, 30.0)),
    Step("weighting", "half_life_scale", (1.0, 0.25, 0.5, 2.0), needs_time=True),
    Step("weighting", "statement_half_life_days", (0.0, 30.0, 60.0, 120.0, 365.0), needs_time=True),
    Step("weighting", "skip_strength", (0.0, 0.5, 1.0, 2.0)),
    Step("weighting", "negative_threshold", (0.25, 0.5, 1.0, 2.0)),
)


def without_time(space: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that a hold-out at random can tell something about."""
    return tuple(step for step in space if not step.needs_time)
