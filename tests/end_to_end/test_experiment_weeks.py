"""An experiment over two Mondays: who is in it, what its variants change, what is read of it."""

import datetime as dt
import re
import shutil
from collections import defaultdict
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.assets.playlists import playlists
from dagster_project.assets.ranker import EXAMPLES, LISTENERS
from dagster_project.cli_demo import react
from dagster_project.cli_run import run_week
from dagster_project.experiments_io import recorded_declarations
from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.recipe import home_recipe
from dagster_project.resources import Workspace
from dagster_project.shadow import made_by
from dagster_project.table_schemas import RANKER, SLOTS
from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.errors import InputError
from models_ml.ranker.params import RankerParams
from models_ml.ranker.training import learn
from tests.models_ml.ranker.ranker_examples import drawn_examples
from tests.published import query
from tests.worlds import MONDAY

BEFORE = MONDAY - dt.timedelta(weeks=1)
PARAMS = WorldParams(opening_share=0.9)
SEED = 8
EXPERIMENTS = f"""\
experiment_id,layer,first_bucket,last_bucket,starts_on,ends_on,markets,fewest_heard,training_scope,planned_listeners,\
guardrail_metrics,guardrail_margin
explore,lists,,,{BEFORE},,,,own,1000,skip_rate,
strict,rules,0,7999,{BEFORE},,,,,500,,
"""
VARIANTS = """\
experiment_id,variant_id,weight,is_control,parameters
explore,none,0.5,true,exploration.slot_share=0; exploration.softmax_listener_share=0
explore,some,0.5,false,exploration.slot_share=0.2
strict,one,0.5,false,rules.tracks_per_artist=1
strict,two,0.5,true,
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two Mondays with two experiments in layers of their own; listeners react to the first one's lists."""
    home = Home(tmp_path_factory.mktemp("experiment"))
    home.prepare()
    size = WorldSize(listeners=90, tracks=720, weeks=2, last_week=MONDAY, history_weeks=8, sound=False)
    write_world(home.landing, home.root / "truth", size, PARAMS, SEED)
    (home.root / "experiments.csv").write_text(EXPERIMENTS)
    (home.root / "experiment_variants.csv").write_text(VARIANTS)
    assert run_week(home, BEFORE)
    react(home, BEFORE, PARAMS, SEED)
    assert run_week(home, MONDAY)
    return home


def test_every_list_says_the_variants_of_its_listener(home: Home) -> None:
    assigned: dict[object, list[str]] = defaultdict(list)
    for user, experiment, variant in query(
        home.root, "select user_id, experiment_id, variant_id from experiment_assignments order by experiment_id"
    ):
        assigned[user].append(f"{experiment}:{variant}")
    lists = query(home.root, f"select user_id, variant_id from weekly_playlists where week = '{MONDAY}'")
    assert {user: variants for user, variants in lists} == {user: ",".join(assigned[user]) for user, _ in lists}
    assert len({variants for _, variants in lists}) == 6, "both of one with both or none of the other"


def test_a_listener_stays_in_their_variant(home: Home) -> None:
    moved = query(
        home.root,
        f"""
        select count(*), count(*) filter (where before.variant_id <> now.variant_id)
        from weekly_playlists as before
        inner join weekly_playlists as now on before.user_id = now.user_id
        where before.week = '{BEFORE}' and now.week = '{MONDAY}'
        """,
    )
    assert moved[0][0] > 80
    assert moved[0][1] == 0


def test_variants_change_the_lists_of_their_listeners_alone(home: Home) -> None:
    found = query(
        home.root,
        """
        select
            contains(variant_id, 'explore:some') as explores, contains(variant_id, 'strict:one') as is_strict,
            max(tracks), min(explored), max(explored), bool_or(drawn)
        from (
            select
                week, user_id, any_value(variant_id) as variant_id, max(by_artist) as tracks,
                count(*) filter (where slot_kind = 'explore') as explored, bool_or(feasible_count is not null) as drawn
            from (
                select *, count(*) over (partition by week, user_id, artist_id) as by_artist from weekly_playlist_tracks
            ) as slots
            inner join (select week, user_id from weekly_playlists where status = 'complete') as complete
                using (week, user_id)
            group by week, user_id
        ) as lists
        group by explores, is_strict
        """,
    )
    told = {(explores, strict): rest for explores, strict, *rest in found}
    assert len(told) == 4
    for (explores, strict), (tracks, fewest, most, drawn) in told.items():
        assert tracks == (1 if strict else 2)
        assert drawn is explores
        assert most == (6 if explores else 0)
        assert fewest == 0, "some don't let us explore"


def test_arms_of_an_experiment_with_its_own_feedback_learn_from_its_lists(home: Home) -> None:
    learnt = query(
        home.root,
        f"select variant_id, sum(pulls) from bandit_arms where week = '{MONDAY}' and segment = 'everyone' group by all",
    )
    pulls = {str(variant): int(str(count)) for variant, count in learnt}
    assert set(pulls) == {"control", "explore:none", "explore:some"}
    assert pulls["explore:none"] == 0
    assert pulls["control"] == pulls["explore:some"] > 0


def test_an_example_is_of_the_variants_its_list_was_made_under(home: Home) -> None:
    lake = Lake(home.lake)
    examples = lake.read_week(EXAMPLES, MONDAY, ["user_index", "list_week", "variant_id"])
    user = lake.read_week(LISTENERS, MONDAY)["user_id"].take(examples["user_index"]).to_pylist()
    lists = dict(query(home.root, f"select user_id, variant_id from weekly_playlists where week = '{BEFORE}'"))
    told = {name: {lists.get(each) for each in user if name in str(lists.get(each))} for name in ("none", "some")}
    assert all(len(combinations) == 3 for combinations in told.values()), "with either of the rules, or neither"
    assert examples["variant_id"].to_pylist() == [lists.get(each) for each in user]
    assert set(examples["list_week"].to_pylist()) == {BEFORE}


def test_lists_of_a_variant_are_scored_by_the_ranker_of_its_own_lists(home: Home, tmp_path: Path) -> None:
    again = Home(tmp_path / "home")
    shutil.copytree(home.root, again.root)
    lake = Lake(again.lake)
    ranker = learn(drawn_examples(count=3000), RankerParams(minimum_positives=100, most_trees=20), seed=3).ranker
    assert ranker is not None
    lake.replace_week(RANKER, MONDAY, ranker.to_table("explore:some"))
    resources = {"workspace": Workspace(home=str(again.root))}
    assert dg.materialize([playlists], partition_key=MONDAY.isoformat(), resources=resources, selection=[playlists])
    variants = dict(query(home.root, f"select user_id, variant_id from weekly_playlists where week = '{MONDAY}'"))
    user = lake.read_week(LISTENERS, MONDAY)["user_id"].to_pylist()
    scored: dict[bool, set[bool]] = defaultdict(set)
    for slot in lake.read_week(SLOTS, MONDAY, ["user_index", "listener_rung", "p_complete"]).to_pylist():
        if slot["listener_rung"] == "collaborative":
            scored["explore:some" in str(variants[user[slot["user_index"]]])].add(slot["p_complete"] is not None)
    assert scored == {True: {True}, False: {False}}, "of the others' lists there is too little: the linear score"


def test_who_opened_a_list_is_exposed_and_results_are_of_those(home: Home) -> None:
    exposed = query(
        home.root,
        """
        select exposures.user_id, exposures.exposed_at, min(outcomes.delivered_at)
        from experiment_exposures as exposures
        left join playlist_slot_outcomes as outcomes using (program_id, user_id)
        where experiment_id = 'explore'
        group by all
        """,
    )
    assert all(first == seen for _, first, seen in exposed)
    results = query(
        home.root,
        f"""
        select variant_id, exposed, listeners, mean, lift, sample_ratio_p
        from experiment_results
        where week = '{MONDAY}' and experiment_id = 'explore' and metric = 'skip_rate'
        """,
    )
    rates = query(
        home.root,
        """
        select exposures.variant_id, count(*), avg(rate)
        from (
            select user_id, count(*) filter (where skipped_early) / count(*) as rate
            from playlist_slot_outcomes
            where reached_at is not null
            group by user_id
        ) as by_listener
        inner join experiment_exposures as exposures using (user_id)
        where experiment_id = 'explore'
        group by exposures.variant_id
        """,
    )
    assert {row[0]: row[2] for row in results} == {row[0]: row[1] for row in rates}
    means = {row[0]: pytest.approx(row[2]) for row in rates}
    assert {row[0]: row[3] for row in results} == means
    assert sum(int(str(row[1])) for row in results) == sum(1 for _, first, _ in exposed if first is not None)
    assert all(0 < float(str(row[5])) <= 1 for row in results)


def test_nobody_has_been_there_for_thirty_days_yet(home: Home) -> None:
    rows = query(
        home.root, "select distinct listeners, mean from experiment_results where metric like '%_30d' and is_control"
    )
    assert rows == [(0, None)]


def test_the_queries_of_the_page_run_and_growthbook_finds_the_columns_it_asks_for(home: Home) -> None:
    page = (REPOSITORY / "docs" / "experiments.md").read_text(encoding="utf-8")
    results, exposures, slots = re.findall(r"```sql\n(.*?);\n```", page, re.DOTALL)
    assert query(home.root, results) == []
    assert len(query(home.root, results.replace("explore-10", "explore"))) == 10
    told = query(home.root, f"select user_id, timestamp, experiment_id, variation_id from ({exposures}) as exposures")
    assert {str(row[2]) for row in told} == {"explore", "strict"}
    assert query(home.root, f"select max(skipped), max(saved), max(completed) from ({slots}) as slots") == [(1, 1, 1)]


def test_the_manifest_keeps_what_was_declared(home: Home) -> None:
    manifest = read_manifest(home, MONDAY)
    assert manifest is not None
    declared = manifest["experiments"]
    assert [row["experiment_id"] for row in declared["experiments"]] == ["explore", "strict"]
    assert declared["variants"][0]["parameters"].startswith("exploration.slot_share=0;")


def test_a_declaration_that_cannot_be_stops_the_run_before_anything_is_made(home: Home, tmp_path: Path) -> None:
    path = home.root / "experiment_variants.csv"
    published = home.published.read_bytes()
    path.write_text(VARIANTS.replace("rules.tracks_per_artist=1", "retrieval.engine=exact"))
    try:
        with pytest.raises(
            InputError, match=r"experiment_variants.csv: row 4, column parameters: a variant can't change"
        ):
            run_week(home, MONDAY)
    finally:
        path.write_text(VARIANTS)
    assert home.published.read_bytes() == published


def test_a_week_made_again_to_be_compared_has_its_experiments(home: Home, tmp_path: Path) -> None:
    overlay = tmp_path / "stretched.toml"
    overlay.write_text("[weighting]\nhalf_life_scale = 1.1\n")
    shadow = made_by(home, MONDAY, home_recipe(home, overlay))
    assert shadow.home.root != home.root
    assert recorded_declarations(shadow.lake, MONDAY) == (read_manifest(home, MONDAY) or {})["experiments"]
    columns = ["user_id", "variant_id"]
    given = [Lake(one.lake).read_week("marts/weekly_playlists", MONDAY, columns) for one in (home, shadow.home)]
    assert given[0].equals(given[1])
