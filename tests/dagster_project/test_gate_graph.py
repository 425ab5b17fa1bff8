"""Where the gate stands in the graph: before publication, and not before what is made to be compared."""

from typing import Any

import dagster as dg

from dagster_project import checks_gate, keys
from dagster_project.definitions import build_defs
from dagster_project.jobs import monday, shadow_monday


def _graph() -> Any:
    return build_defs().resolve_asset_graph()


def test_every_check_of_the_gate_blocks_and_stands_before_publishing() -> None:
    specs = [spec for key in keys.GATE_CHECKS for spec in getattr(checks_gate, key.name).check_specs]
    assert {spec.key for spec in specs} == set(keys.GATE_CHECKS)
    assert all(spec.blocking for spec in specs)
    assert {spec.asset_key for spec in specs} <= _graph().get(keys.PLAYLISTS_PUBLISHED).parent_keys


def test_a_week_made_to_be_compared_is_neither_held_up_by_the_gate_nor_published() -> None:
    graph, left_out = _graph(), {keys.GOLDEN_LISTENERS, keys.PLAYLISTS_PUBLISHED}
    assets = {job.name: job.selection.resolve(graph) for job in (monday, shadow_monday)}
    assert assets["monday"] - assets["shadow_monday"] == left_out
    checks = {job.name: job.selection.resolve_checks(graph) for job in (monday, shadow_monday)}
    of_those = {key for key in graph.asset_check_keys if key.asset_key in left_out}
    assert checks["monday"] - checks["shadow_monday"] == {*keys.GATE_CHECKS, *of_those}
    assert (
        dg.AssetCheckKey(keys.mart("weekly_playlist_tracks"), "no_slot_is_lost_on_the_way") in checks["shadow_monday"]
    )
