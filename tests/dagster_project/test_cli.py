"""The command line as a person meets it: what each command prints, and the exit code of each mistake."""

import datetime as dt
import re
import unicodedata
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dagster_project.cli import BAD_INPUT, main
from dagster_project.cli_queries import typical_listener
from dagster_project.configuration import Configuration, load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.resources import Workspace
from models_ml.ranking import Components, RankingParams
from tests.published import query
from tests.worlds import MONDAY, land, land_small_world

MIDNIGHT = dt.datetime.combine(MONDAY, dt.time())
ARTISTS = 180  # of the small world
OVERLAY = "[collaborative]\nfactors = 16\n"
# By one artist nobody hears otherwise, each with one thing that matters.
SPECIAL: dict[str, dict[str, object]] = {
    "x_heard": {},
    "x_sampled": {},
    "x_blocked": {},
    "x_nobody": {},
    "x_down": {},
    "x_explicit": {"explicit": True},
    "x_market": {"markets": ["SE"]},
    "x_guest": {"artist_ids": ["ax", "a0003"]},
    "x_coming": {"released_on": MONDAY},
}
BOOSTED_ARTIST = "a0006"
OVERRIDES: list[dict[str, object]] = [
    {"track_id": "x_down", "artist_id": None, "action": "takedown"},
    {"track_id": None, "artist_id": BOOSTED_ARTIST, "action": "boost"},
]
PASS_FOR_BLOCKER = ("x_heard", "x_sampled", "x_blocked", "x_nobody", "x_explicit")


def _land(landing: Path) -> None:
    """The small world, its genre 0 in wide letters, what u000 did to special tracks, and one who blocks all artists."""
    land_small_world(landing)
    defaults: dict[str, object] = {
        "artist_id": "ax",
        "artist_name": "Artist X",
        "artist_ids": None,
        "duration_ms": 180_000,
        "released_on": dt.date(2020, 1, 1),
        "explicit": False,
        "markets": None,
    }
    land(
        landing,
        "tracks/special.parquet",
        [{"track_id": name, "title": name, **defaults, **more} for name, more in SPECIAL.items()],
    )
    land(
        landing,
        "tracks/wide.parquet",
        [
            {
                "track_id": f"t{number:04d}",
                "title": f"静かな夜のジャズ喫茶で聴いた曲 Cafe\u0301 第{number}番",
                "artist_id": f"a{number // 6 * 3:04d}",
                "artist_name": f"Artist {number // 6 * 3}",
                "duration_ms": 180_000 + 10 * number,
                "released_on": dt.date(2015, 1, 1),
            }
            for number in range(3, 360, 3)
            if number % 7
        ],
    )
    base: dict[str, object] = {"user_id": "u000", "artist_id": None, "occurred_at": MIDNIGHT - dt.timedelta(days=1)}
    land(
        landing,
        "events/special.parquet",
        [
            {**base, "event_type": "play", "track_id": "x_heard", "ms_played": 170_000},
            {**base, "event_type": "skip", "track_id": "x_sampled", "ms_played": 4_000},
            {**base, "event_type": "block_track", "track_id": "x_blocked", "ms_played": None},
            {**base, "event_type": "block_artist", "track_id": None, "artist_id": "a0003", "ms_played": None},
            *(
                {
                    **base,
                    "user_id": "blocker",
                    "event_type": "block_artist",
                    "track_id": None,
                    "artist_id": f"a{artist:04d}",
                    "ms_played": None,
                }
                for artist in range(ARTISTS)
            ),
        ],
    )
    land(landing, "overrides/o.parquet", OVERRIDES)
    (landing / "events" / "broken.parquet").write_bytes(b"PAR1 and no more")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("cli"))
    _land(home.landing)
    overlay = tmp_path_factory.mktemp("overlay") / "try.toml"
    overlay.write_text(OVERLAY)
    assert main(["run", "--week", str(MONDAY), "--with", str(overlay), "--home", str(home.root)]) == 0
    return home


def _call(*arguments: object) -> int:
    """Exit code of a command, whoever decides on it."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)


def _said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command prints when it is content."""
    capsys.readouterr()
    assert _call(*arguments) == 0
    return capsys.readouterr().out


def _refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line with which a command refuses."""
    capsys.readouterr()
    assert _call(*arguments) == BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if re.match(r"monday-mix[\w ]*: ", line)]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("week", "message"),
    [
        ("soon", "week 'soon': not a date"),
        ("2026-13-01", "not a date"),
        ("", "not a date"),
        ("2026-11-24", "week 2026-11-24: a Tuesday, and weeks are named by their Monday, such as 2026-11-23"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["show", "u"], ["why", "u", "t"]])
def test_a_week_that_is_no_monday_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    week: str,
    message: str,
) -> None:
    assert message in _refused(capsys, *command, "--week", week, "--home", tmp_path)


@pytest.mark.parametrize("week", ["2004-12-27", "2199-12-30"])
def test_a_week_outside_the_weeks_there_are_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    week: str,
) -> None:
    assert f"week {week}: outside the weeks there are, 2005-01-03 to " in _refused(
        capsys, "run", "--week", week, "--home", tmp_path
    )


@pytest.mark.parametrize("arguments", [[], ["dance"], ["show"], ["why", "u"], ["demo", "--listeners", "many"]])
def test_what_is_no_command_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "error: " in _refused(capsys, *arguments)


def test_a_demo_of_no_weeks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--weeks is 0" in _refused(capsys, "demo", "--weeks", 0, "--home", tmp_path)


@pytest.mark.parametrize("command", [["show", "u000"], ["why", "u000", "t0001"]])
def test_before_the_first_run_there_is_nothing_to_ask(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    assert "nothing is published yet; run: monday-mix run" in _refused(capsys, *command, "--home", tmp_path)


def test_an_empty_home_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "weeks      none yet; land files and run" in _said(capsys, "status", "--home", tmp_path)
    assert f"{tmp_path} is ready" in _said(capsys, "init", "--home", tmp_path)
    assert (tmp_path / "landing").is_dir()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[weighting]\nheard_ms = 0\n", "weighting.heard_ms is 0; it has to be from 1 to 3600000 ms"),
        ("[weigting]\n", "unknown section [weigting]"),
        ("[run\n", "not TOML"),
    ],
)
def test_a_broken_setting_is_named_and_nothing_is_published(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    message: str,
) -> None:
    (tmp_path / "config.toml").write_text(text)
    line = _refused(capsys, "run", "--week", MONDAY, "--home", tmp_path)
    assert f"{tmp_path / 'config.toml'}: " in line
    assert message in line
    assert not (tmp_path / "published" / "monday_mix.duckdb").exists()


def test_an_overlay_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.toml"
    assert f"{missing}: no such file" in _refused(
        capsys, "run", "--week", MONDAY, "--with", missing, "--home", tmp_path
    )


def test_an_overlay_holds_for_its_own_run(home: Home, tmp_path: Path) -> None:
    overlay = tmp_path / "try.toml"
    overlay.write_text(OVERLAY)
    with_overlay = load_configuration([overlay]).hash()
    assert query(home.root, "select distinct config_hash from weekly_playlists") == [(with_overlay,)]
    assert (read_manifest(home, MONDAY) or {})["config_hash"] == with_overlay
    assert Workspace(home=str(home.root)).configuration.hash() == Configuration().hash() != with_overlay


def test_a_playlist_has_thirty_lines_under_its_head(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _said(capsys, "show", "u001", "--home", home.root).splitlines()
    assert lines[0] == "u001, Monday 2026-11-23"
    rows = query(home.root, "select title, reason from weekly_playlist_tracks where user_id = 'u001' order by position")
    assert [line.split()[0] for line in lines[4:]] == [str(position) for position in range(1, 31)]
    for line, (title, reason) in zip(lines[4:], rows, strict=True):
        assert f"  {str(title)[:12]}" in line
        assert line.endswith(str(reason)) or line.endswith("…")


def _columns(text: str) -> int:
    """Columns of a terminal: wide letters take two, accents that combine none."""
    wide = sum(unicodedata.east_asian_width(letter) in ("W", "F") for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def test_wide_letters_keep_the_columns_in_line(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _said(capsys, "show", "u003", "--home", home.root).splitlines()
    artist = lines[2].index("artist")
    assert sum("静" in line for line in lines) >= 10
    assert {_columns(line[: line.index("Artist ")]) for line in lines[4:]} == {artist}


def test_nobody_gets_somebody_elses_answer(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert "listener stranger: no playlist for 2026-11-23; published weeks: 2026-11-23" in _refused(
        capsys, "show", "stranger", "--home", home.root
    )
    assert "no playlist for 2026-11-16; published weeks: 2026-11-23" in _refused(
        capsys, "show", "u001", "--week", "2026-11-16", "--home", home.root
    )
    assert "no week 2026-11-16" in _refused(capsys, "why", "u001", "t0001", "--week", "2026-11-16", "--home", home.root)
    assert "stranger is no listener of 2026-11-23" in _said(capsys, "why", "stranger", "t0001", "--home", home.root)


def test_a_listener_with_too_few_tracks_is_told_how_many(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"no playlist for 2026-11-23, only {len(PASS_FOR_BLOCKER)} tracks pass the filters"
    assert expected in _refused(capsys, "show", "blocker", "--home", home.root)
    for track_id in PASS_FOR_BLOCKER:
        said = _said(capsys, "why", "blocker", track_id, "--home", home.root)
        assert f"{track_id} by Artist X passes, and blocker has no playlist" in said


def test_the_parts_of_a_track_that_is_given_add_up(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    track_id, title, reason, score = query(
        home.root,
        "select track_id, title, reason, final_score from weekly_playlist_tracks "
        "where user_id = 'u001' and position = 3",
    )[0]
    lines = _said(capsys, "why", "u001", track_id, "--home", home.root).splitlines()
    assert re.fullmatch(f"{re.escape(str(title))} by Artist .* is number 3 of u001, Monday 2026-11-23", lines[0])
    assert lines[1].strip() == reason
    parts = {line.split()[0]: float(line.split()[1]) for line in lines if re.fullmatch(r"  \w+ +[+-]\d+\.\d{6}", line)}
    assert any(line.startswith("  found by: ") for line in lines)
    assert any(re.fullmatch(r"  stands on: \w+ \(the listener on \w+\)", line) for line in lines)
    total = parts.pop("score")
    assert set(parts) == {part.name for part in fields(Components)}
    assert total == pytest.approx(float(str(score)), abs=1e-6)
    assert sum(parts.values()) == pytest.approx(total, abs=(len(parts) + 1) * 0.5e-6)


@pytest.mark.parametrize(
    ("track_id", "answer"),
    [
        ("x_heard", "x_heard by Artist X is kept from u000 on 2026-11-23: heard"),
        ("x_sampled", "x_sampled by Artist X is kept from u000 on 2026-11-23: sampled"),
        ("x_blocked", "x_blocked by Artist X is kept from u000 on 2026-11-23: blocked track"),
        ("x_guest", "x_guest by Artist X is kept from u000 on 2026-11-23: blocked artist"),
        ("x_explicit", "x_explicit by Artist X is kept from u000 on 2026-11-23: explicit"),
        ("x_market", "x_market by Artist X is kept from u000 on 2026-11-23: not available in market DE"),
        ("x_down", "x_down by Artist X can't be given to anyone on 2026-11-23: taken down"),
        ("x_coming", "x_coming was not known before Monday 2026-11-23"),
        ("no-such-track", "no-such-track was not known before Monday 2026-11-23"),
        ("x_nobody", "x_nobody by Artist X was not among the "),
    ],
)
def test_why_not_names_the_rule(home: Home, capsys: pytest.CaptureFixture[str], track_id: str, answer: str) -> None:
    assert _said(capsys, "why", "u000", track_id, "--home", home.root).startswith(answer)


def _candidates_not_given(home: Home, user_id: str) -> list[dict[str, Any]]:
    """Preferred editions of a listener's candidates that are not in the list."""
    lake = Lake(home.lake)
    users = lake.read_week("features/listeners", MONDAY)["user_id"].to_pylist()
    found = next(
        row["recording_index"]
        for row in lake.read_week("candidates/candidates", MONDAY).to_pylist()
        if row["user_index"] == users.index(user_id)
    )
    given = query(home.root, "select recording_id from weekly_playlist_tracks where user_id = ?", user_id)
    recordings = lake.read_week("features/recordings", MONDAY)["recording_id"].to_pylist()
    editions = lake.read_week("features/editions", MONDAY).to_pylist()
    first = {row["recording_index"]: row for row in reversed(editions)}
    return [
        {**first[recording], "candidates": len(found)} for recording in found if (recordings[recording],) not in given
    ]


def test_why_not_names_the_rank_and_the_score_of_a_candidate_that_lost(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    lowest = float(
        str(query(home.root, "select min(final_score) from weekly_playlist_tracks where user_id = 'u001'")[0][0])
    )
    ranks = set()
    for lost in _candidates_not_given(home, "u001")[:5]:
        said = _said(capsys, "why", "u001", lost["track_id"], "--home", home.root)
        told = re.search(
            rf"was candidate (\d+) of {lost['candidates']} for u001 on 2026-11-23, (.+): "
            r"score (\S+), the weakest of the list has (\S+)\n",
            said,
        )
        assert told
        ranks.add(int(told[1]))
        assert float(told[4]) == pytest.approx(lowest, abs=1e-6)
        assert (told[2] == "behind the list") == (float(told[3]) <= lowest)
        parts = [float(number) for number in re.findall(r"^  \w+ +([+-]\d+\.\d{6})$", said, flags=re.MULTILINE)]
        assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=1e-5)
        assert parts[-1] == float(told[3])
    assert len(ranks) == 5


def test_a_boosted_artist_has_the_component_and_nobody_else(home: Home) -> None:
    parts = "select distinct list_contains(artist_ids, ?), contribution_boost from weekly_playlist_tracks order by 1"
    weight = RankingParams().boost_weight
    assert query(home.root, parts, BOOSTED_ARTIST) == [(False, 0.0), (True, weight)]
    reasons = "select sum(contribution) > 0 from playlist_track_reasons where component = 'boost'"
    assert query(home.root, reasons) == [(True,)]


def test_another_edition_of_what_is_given_is_called_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    user_id, track_id, position = query(
        home.root,
        "select user_id, track_id, position from weekly_playlist_tracks "
        "where track_id similar to 't[0-9]{4}' and substr(track_id, 2)::integer % 77 <> 0 "
        "and substr(track_id, 2)::integer % 7 = 0 order by all limit 1",
    )[0]
    said = _said(capsys, "why", user_id, f"{track_id}r", "--home", home.root)
    assert f"is another edition of number {position} of {user_id}, Monday 2026-11-23" in said


def test_the_state_of_a_home_after_a_run(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    said = _said(capsys, "status", "--home", home.root)
    lists, relaxed = query(
        home.root, "select count(*), count(*) filter (where status = 'relaxed') from weekly_playlists"
    )[0]
    assert f"home       {home.root}" in said
    assert "weeks      1, 2026-11-23 to 2026-11-23" in said
    assert f"playlists  {lists} for 2026-11-23, {relaxed} of them with a rule relaxed" in said
    assert "files      8 read for 2026-11-23, 1 of them unreadable" in said
    assert "events/broken.parquet" in said
    assert "stale" not in said
    rows = re.search(r"rows +(\d+) in = (\d+) accepted \+ (\d+) pending \+ (\d+) quarantined \+ (\d+) duplicates", said)
    assert rows
    landed, *parts = map(int, rows.groups())
    assert landed == sum(parts) > 0


def test_the_listener_a_demo_shows_has_a_full_list(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    user_id = typical_listener(home, MONDAY)
    assert query(home.root, "select status, listener_rung from weekly_playlists where user_id = ?", user_id) == [
        ("complete", "collaborative")
    ]
    assert _said(capsys, "show", user_id, "--home", home.root).count("\n") >= 33
