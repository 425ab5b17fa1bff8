"""Comparing: a candidate recipe beside the one that made a week, on that week and on one whose truth is in.

Belongs here: which weeks, both sides read from their lakes, the verdict. Does not: making a week
again (shadow.py), the numbers (models_ml/comparison), the command's words (cli_compare.py).
"""

import dataclasses
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dagster_project.assets.off_policy import logged_week
from dagster_project.assets.playlists import week_features
from dagster_project.catalogue_io import preferred_editions
from dagster_project.comparison_record import put_on_record
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks, read_manifest
from dagster_project.progress import LOG
from dagster_project.recipe import Recipe, changes, home_recipe, recipe_of_manifest
from dagster_project.shadow import MadeWeek, made_by
from dagster_project.table_schemas import COMPARISONS_SCHEMA
from models_ml.comparison.gate import Verdict, judge
from models_ml.comparison.lists import Yardstick
from models_ml.comparison.report import (
    Draws,
    Measured,
    Side,
    compare_lists,
    compare_on_truth,
    nothing_off_policy,
    off_policy_row,
)
from models_ml.errors import InputError
from models_ml.off_policy.policies import by_settings
from models_ml.seeds import seed_for

TRUTH = "features/evaluation_truth"
_OF_SLOT = ["user_id", "position", "recording_id"]


@dataclass(frozen=True)
class Comparison:
    """What came of it.  truth_week: the Monday by which the truth of the lists of as_of was in; None: none is yet."""

    week: dt.date
    as_of: dt.date | None
    truth_week: dt.date | None
    baseline: Recipe
    candidate: Recipe
    changed: tuple[str, ...]
    verdict: Verdict

    def to_arrow(self) -> pa.Table:
        """COMPARISONS_SCHEMA, a row a number."""
        rows = self.verdict.to_arrow()
        facts = {
            "compared_week": self.week,
            "config_hash": self.candidate.configuration.hash(),
            "recipe_hash": self.candidate.hash,
            "baseline_config_hash": self.baseline.configuration.hash(),
            "baseline_recipe_hash": self.baseline.hash,
            "changed": "; ".join(self.changed),
            "verdict": self.verdict.verdict,
        }
        for name, value in facts.items():
            field = COMPARISONS_SCHEMA.field(name)
            rows = rows.append_column(field, pa.array([value] * rows.num_rows, field.type))
        return rows.select(COMPARISONS_SCHEMA.names).cast(COMPARISONS_SCHEMA)


def compare(home: Home, week: dt.date | None, overlay: Path | None, weights_file: Path | None) -> Comparison:
    """Make the candidate's lists, hold them against the baseline's and put the result on record.

    week: the newest completed one unless given.  The baseline is what made that week, the candidate the home's settings
    and weights with these laid over them.  Raises InputError where there is no such week, or nothing differs.
    """
    for file in (overlay, weights_file):
        if file is not None and not file.exists():
            raise InputError(f"{file}: no such file to compare with")
    week = week or max(committed_weeks(home), default=None)
    manifest = read_manifest(home, week) if week else None
    if week is None:
        raise InputError(f"{home.root}: no week was ever completed, so there is nothing to compare with")
    if manifest is None:
        raise InputError(f"week {week}: never completed in {home.root}; compare on one that was")
    candidate = home_recipe(home, overlay, weights_file)
    baseline = recipe_of_manifest(manifest, home.comparisons / "weights")
    if candidate.hash == baseline.hash:
        raise InputError(f"week {week} was made with these settings and weights; give others by --with or --weights")
    as_of, truth_week = _newest_truth(home, baseline)
    rows = [*_on_week(home, week, baseline, candidate), *_on_truth(home, as_of, truth_week, baseline, candidate)]
    rows.append(_off_policy(home, week, as_of, truth_week, (baseline, candidate)))
    # The home's own thresholds: a candidate can't loosen what it is held against.
    verdict = judge(rows, load_configuration([home.config_file]).gate)
    compared = Comparison(week, as_of, truth_week, baseline, candidate, changes(baseline, candidate), verdict)
    put_on_record(home, week, compared.to_arrow())
    return compared


def _newest_truth(home: Home, baseline: Recipe) -> tuple[dt.date | None, dt.date | None]:
    """(the Monday whose lists are scored, the one by which their truth was in); None where no truth is in yet."""
    weeks, lake = committed_weeks(home), Lake(home.lake)
    window = dt.timedelta(weeks=baseline.configuration.evaluation.window_weeks)
    for truth_week in reversed(weeks):
        as_of, manifest = truth_week - window, read_manifest(home, truth_week)
        same_window = manifest and dt.timedelta(weeks=manifest["config"]["evaluation"]["window_weeks"]) == window
        if as_of in weeks and same_window and lake.has_week(TRUTH, truth_week) and lake.row_count(TRUTH, truth_week):
            return as_of, truth_week
    return None, None


def _on_week(home: Home, week: dt.date, baseline: Recipe, candidate: Recipe) -> list[Measured]:
    before, after = made_by(home, week, baseline), made_by(home, week, candidate)
    settings = baseline.configuration
    return compare_lists(
        _side(before), _side(after), _yardstick(before), week, settings.evaluation, _draws(week, baseline)
    )


def _on_truth(
    home: Home, as_of: dt.date | None, truth_week: dt.date | None, baseline: Recipe, candidate: Recipe
) -> list[Measured]:
    if as_of is None or truth_week is None:
        return []
    before, after = made_by(home, as_of, baseline), made_by(home, as_of, candidate)
    truth = Lake(home.lake).read_week(TRUTH, truth_week, ["user_id", "recording_id", "kept", "via_own_playlist"])
    return compare_on_truth(
        _side(before),
        _side(after),
        truth,
        _yardstick(before),
        as_of,
        baseline.configuration.evaluation,
        _draws(as_of, baseline),
    )


def _off_policy(
    home: Home, week: dt.date, as_of: dt.date | None, truth_week: dt.date | None, recipes: tuple[Recipe, Recipe]
) -> Measured:
    """Completed tracks a list, by the whole list's weight, where recipes differ by what arms are drawn with alone.

    Anything else they differ by changes which tracks stand in the slots, of which logged draws tell nothing.
    """
    before, after = (recipe.configuration for recipe in recipes)
    drawn_as_after = dataclasses.replace(
        before.exploration, policy=after.exploration.policy, arm_floor=after.exploration.arm_floor
    )
    all_but_arms = dataclasses.replace(before, exploration=drawn_as_after)
    same_else = dataclasses.replace(recipes[0], configuration=all_but_arms).hash == recipes[1].hash
    if as_of is None or truth_week is None or not same_else:
        return nothing_off_policy(week)
    try:
        logged = logged_week(home, as_of, truth_week)
    except InputError as error:
        LOG.info(f"comparison: nothing can be told off-policy: {error}")
        return nothing_off_policy(week)
    found = logged.judged(
        lambda lists: by_settings(lists, after.exploration), "completed", "list_ips", before.off_policy
    )
    return off_policy_row(as_of, found)


def _side(made: MadeWeek) -> Side:
    slots = made.lake.read_week("marts/weekly_playlist_tracks", made.week, _OF_SLOT)
    return Side(slots, made.lake.read_week("marts/weekly_playlists", made.week, ["user_id", "listener_rung"]))


def _yardstick(made: MadeWeek) -> Yardstick:
    genres = preferred_editions(made.lake, made.week, ["genres"])["genres"].combine_chunks()
    return Yardstick.of(week_features(made.lake, made.week), genres)


def _draws(week: dt.date, recipe: Recipe) -> Draws:
    settings = recipe.configuration
    return Draws(settings.evaluation.bootstrap_resamples, seed_for("comparison", week, settings.run.seed))
