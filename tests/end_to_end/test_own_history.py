"""A listener's own history beside a crowd: a first playlist of what they haven't heard under any source's id."""

import datetime as dt
import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from dagster_project.cli import main
from dagster_project.home import REPOSITORY
from tests.models_ml.importers.exports import listen_of, playlist_of, stream_of, write_json, write_lines, zipped
from tests.published import query
from tests.worlds import MONDAY

GENRES, TRACKS_PER_GENRE, TRACKS_PER_ARTIST = 3, 120, 4
PLAYLISTS, TRACKS_PER_PLAYLIST = 90, 40
# Of the first genre, the most popular first: played on Spotify under the ids that the crowd knows, on Spotify under the
# id of another edition, scrobbled to ListenBrainz with a MusicBrainz id. No service knows the other's ids.
SAME_ID, OTHER_EDITION, MUSICBRAINZ = range(0, 12), range(12, 24), range(24, 36)
ONLY_SPOTIFY = range(1000, 1030)  # what no playlist of the crowd holds
LATE_IN_OCTOBER = dt.datetime(2026, 10, 20, tzinfo=dt.UTC)


def title(track: int) -> str:
    return f"Song {track}"


def artist(track: int) -> str:
    return f"Björk {track // TRACKS_PER_ARTIST}"


def land_crowd(folder: Path, home: Path) -> None:
    """Playlists that keep to one genre each and hold its first tracks most often."""
    random = np.random.default_rng(0)
    playlists = []
    for pid in range(PLAYLISTS):
        draws = (random.beta(0.6, 1.4, TRACKS_PER_PLAYLIST) * TRACKS_PER_GENRE).astype(int)
        tracks = [int(track) + pid % GENRES * TRACKS_PER_GENRE for track in dict.fromkeys(draws.tolist())]
        playlist = playlist_of(pid, [title(track) for track in tracks], modified_at=int(LATE_IN_OCTOBER.timestamp()))
        for entry, track in zip(playlist["tracks"], tracks, strict=True):
            entry.update(artist_name=artist(track), duration_ms=180_000 + 10_000 * (track % 7))
        playlists.append(playlist)
    write_json(folder / "mpd" / "mpd.slice.0-999.json", {"info": {}, "playlists": playlists[:50]}, indent=4)
    write_json(folder / "mpd" / "mpd.slice.1000-1999.json", {"info": {}, "playlists": playlists[50:]}, indent=4)
    assert main(["import", "playlists-mpd", str(folder / "mpd"), "--home", str(home)]) == 0


def land_spotify_history(folder: Path, home: Path) -> None:
    """Plays under the ids that the crowd knows, and under others, with an accent and an edition written otherwise."""
    heard = [
        *((title(track), artist(track), title(track).replace(" ", "")) for track in SAME_ID),
        *(
            (f"{title(track)} - Remastered 2011", artist(track).replace("ö", "o"), f"e{track}")
            for track in OTHER_EDITION
        ),
        *((title(track), artist(track), f"o{track}") for track in ONLY_SPOTIFY),
    ]
    streams = [
        stream_of(
            name,
            performer,
            ts=(LATE_IN_OCTOBER + dt.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            spotify_track_uri=f"spotify:track:{track_id}",
        )
        for number, (name, performer, track_id) in enumerate(heard)
    ]
    streams.append(stream_of("A Secret", "Nobody", incognito_mode=True))
    content = json.dumps(streams, ensure_ascii=False).encode()
    path = zipped(folder / "my_spotify_data.zip", {"Spotify Data/Streaming_History_Audio_2026_0.json": content})
    assert main(["import", "spotify-history", str(path), "--home", str(home)]) == 0


def land_listens(folder: Path, home: Path) -> None:
    listens = [
        listen_of(
            title(track).upper(),
            f"{artist(track)} feat. Somebody",
            at=int(LATE_IN_OCTOBER.timestamp()) + track,
            # A second beside the length that the crowd's track has.
            info={"duration_ms": 181_000 + 10_000 * (track % 7)},
            mapping={"recording_mbid": f"{track:08d}-0000-4000-8000-000000000000"},
        )
        for track in MUSICBRAINZ
    ]
    path = write_lines(folder / "listens" / "2026" / "10.jsonl", listens)
    assert main(["import", "listenbrainz", str(path.parents[1]), "--user", "me", "--home", str(home)]) == 0


def run_monday(home: Path) -> None:
    assert main(["run", "--week", MONDAY.isoformat(), "--home", str(home)]) == 0


def given(home: Path, where: str) -> set[str]:
    """Titles that were recommended, as the crowd writes them."""
    rows = query(home, f"select title from weekly_playlist_tracks where {where}")
    return {str(name).split(" - ")[0].capitalize() for (name,) in rows}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own_history")
    home = folder / "home"
    land_crowd(folder, home)
    land_spotify_history(folder, home)
    land_listens(folder, home)
    run_monday(home)
    return home


def test_a_listener_beside_a_crowd_gets_thirty_tracks(home: Path) -> None:
    assert query(home, "select track_count from weekly_playlists where user_id = 'me'") == [(30,)]


def test_nothing_they_heard_is_in_it_under_any_sources_id(home: Path) -> None:
    heard = {title(track) for tracks in (SAME_ID, OTHER_EDITION, MUSICBRAINZ, ONLY_SPOTIFY) for track in tracks}
    assert given(home, "user_id = 'me'") & heard == set()
    # They are what is given to the others: nothing but having heard them keeps them off the list.
    for tracks in (SAME_ID, OTHER_EDITION, MUSICBRAINZ):
        assert given(home, "user_id <> 'me'") & {title(track) for track in tracks}


def test_the_queries_in_the_docs_say_how_many_recordings_met(home: Path) -> None:
    page = (REPOSITORY / "docs" / "own-history.md").read_text(encoding="utf-8")
    queries = [block.split("```")[0].replace("'var/", f"'{home}/") for block in page.split("```sql\n")[1:]]
    with duckdb.connect() as connection:
        known, kinds = (connection.execute(sql.replace("2026-11-23", str(MONDAY))).fetchall() for sql in queries)
    known_to_others = len(SAME_ID) + len(OTHER_EDITION) + len(MUSICBRAINZ)
    assert known == [(known_to_others + len(ONLY_SPOTIFY), known_to_others)]
    assert dict(kinds)["mbid + spotify"] == len(MUSICBRAINZ)


def test_the_lists_are_of_the_listeners_genre(home: Path) -> None:
    numbers = [int(name.split()[1]) for name in given(home, "user_id = 'me'")]
    assert np.mean([number < TRACKS_PER_GENRE for number in numbers]) > 0.6


def test_one_listener_alone_gets_no_list_and_a_row_that_says_why(tmp_path: Path) -> None:
    home = tmp_path / "home"
    land_spotify_history(tmp_path, home)
    run_monday(home)
    assert query(home, "select count(*) from weekly_playlists") == [(0,)]
    assert query(home, "select user_id, rule_id from playlist_relaxations") == [("me", "too_few_tracks")]
