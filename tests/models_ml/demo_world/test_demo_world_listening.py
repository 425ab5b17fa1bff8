"""Whether the demo world is believable: taste can be learned, is carried by what says so, time goes forward.

Belongs here: what holds of the music and the people. Does not: files and formats (test_demo_world_files.py).
"""

import dataclasses
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.choices import artist_choice, make_chooser, make_shelves
from models_ml.demo_world.chunks import Chunk, draw_chunk
from models_ml.demo_world.draws import generator
from models_ml.demo_world.editions import SAME_ISRC, SAME_RECORDING_ID, SAME_TITLE, draw_catalogue
from models_ml.demo_world.genres import GENRE_COUNT, MARKETS
from models_ml.demo_world.latent import squared_distance
from models_ml.demo_world.listeners import EVENTS_ONLY, REGISTERED_ONLY, draw_listeners
from models_ml.demo_world.outcomes import BLOCK_ARTIST, BLOCK_TRACK, FINISHED, SAVE, SKIPPED, UNSAVE
from models_ml.demo_world.sessions import draw_sessions
from models_ml.demo_world.size import WEEK_MS
from tests.models_ml.demo_world.world_fixture import LAST_WEEK, dataset, small_world, truth

SIZE = WorldSize(listeners=1_200, tracks=2_400, weeks=3, last_week=LAST_WEEK, history_weeks=26, sound=False)


def chunk_of(params: WorldParams, size: WorldSize = SIZE, seed: int = 5) -> Chunk:
    """What the first chunk of a world does, without files."""
    catalogue = draw_catalogue(seed, size, params)
    listeners = draw_listeners(seed, 0, size.listeners, catalogue.space, size, params)
    sessions = draw_sessions(generator(seed, "sessions", 0), listeners, size, params)
    chooser = make_chooser(listeners, sessions, catalogue, make_shelves(catalogue, params), params)
    return draw_chunk(0, chooser, size, seed)


@pytest.fixture(scope="module")
def chunk() -> Chunk:
    return chunk_of(WorldParams())


@pytest.fixture(scope="module")
def catalogue(chunk: Chunk) -> Catalogue:
    return chunk.chooser.catalogue


def listener_of(chunk: Chunk) -> np.ndarray:
    return chunk.chooser.sessions.listener[chunk.plays.session]


def counts(chunk: Chunk, rows: np.ndarray) -> np.ndarray:
    """(listeners, tracks) plays among some rows."""
    shape = (len(chunk.chooser.listeners), len(chunk.chooser.catalogue.tracks))
    cells = listener_of(chunk)[rows] * shape[1] + chunk.plays.track[rows]
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def recall_of_next_month(chunk: Chunk) -> tuple[float, float]:
    """Recall at 30 of what is first finished in the last four weeks: by neighbours in taste, by fame."""
    finished = chunk.outcomes.end == FINISHED
    late = chunk.outcomes.occurred_ms >= SIZE.end_ms - 4 * WEEK_MS
    before = counts(chunk, finished & ~late) > 0
    after = (counts(chunk, finished & late) > 0) & ~before
    rows = np.flatnonzero(after.any(axis=1) & (before.sum(axis=1) >= 5))
    known = before.astype(np.float64)
    length = np.sqrt(np.maximum(known.sum(axis=0), 1))
    similar = (known.T @ known) / length[:, None] / length[None, :]
    recalls = []
    for scores in (known[rows] @ similar, np.tile(known.sum(axis=0), (len(rows), 1))):
        scores[before[rows]] = -1
        best = np.argsort(-scores, axis=1, kind="stable")[:, :30]
        hits = np.take_along_axis(after[rows], best, axis=1).sum(axis=1)
        recalls.append(float((hits / np.minimum(after[rows].sum(axis=1), 30)).mean()))
    return recalls[0], recalls[1]


def test_neighbours_in_taste_predict_the_next_month_far_better_than_fame_does(chunk: Chunk) -> None:
    by_taste, by_fame = recall_of_next_month(chunk)
    assert by_taste > 2 * by_fame
    assert by_fame > 0.01  # fame is worth something too


def test_without_taste_neighbours_are_worth_no_more_than_fame() -> None:
    params = WorldParams(
        taste_strength=0, home_preference=0, noise_share=1, exploration_share=0, fresh_share=0, conformity=1
    )
    by_taste, by_fame = recall_of_next_month(chunk_of(params))
    assert by_taste < 1.1 * by_fame


def test_plays_are_as_many_as_was_asked_for(chunk: Chunk) -> None:
    listeners = chunk.chooser.listeners
    aimed = listeners.plays[listeners.kind != REGISTERED_ONLY].sum()
    assert 0.9 * aimed < len(chunk.plays) < 1.1 * aimed
    mean = listeners.plays[listeners.registered_ms < SIZE.start_ms].mean()
    # Lognormal with sigma 1: the deviation is 1.31 means, about a thousand listeners.
    assert abs(mean - 100) < 5 * 131 / 1_000**0.5


def test_what_fits_better_is_skipped_less_and_saved_more(chunk: Chunk) -> None:
    # First plays only: replays are both nearer and skipped less for being replays.
    plays, ends = chunk.plays, chunk.outcomes.end
    distance, ended = plays.distance[plays.is_first], ends[plays.is_first]
    edges = np.quantile(distance, [0, 1 / 3, 2 / 3, 1])
    thirds = [(distance >= low) & (distance <= high) for low, high in pairwise(edges)]
    near, between, far = (float((ended[third] == SKIPPED).mean()) for third in thirds)
    assert near < between < far
    assert far > 2 * near
    saved = plays.distance[chunk.actions.play[chunk.actions.kind == SAVE]]
    assert np.median(saved) < np.median(plays.distance)


def test_a_replay_is_of_something_that_the_listener_has_played_before(chunk: Chunk) -> None:
    key = listener_of(chunk) * len(chunk.chooser.catalogue.tracks) + chunk.plays.track
    first = np.zeros(len(key), dtype=bool)
    first[np.unique(key, return_index=True)[1]] = True
    # A first play that was dropped as unplayable takes its replays with it, so that none stands alone.
    assert not (first & ~chunk.plays.is_first).any()
    assert 0.35 < (~chunk.plays.is_first).mean() < 0.65


def test_those_who_love_the_new_replay_less(chunk: Chunk) -> None:
    listener = listener_of(chunk)
    novelty = chunk.chooser.listeners.novelty[listener]
    assert chunk.plays.is_first[novelty > 0.3].mean() > chunk.plays.is_first[novelty < -0.3].mean() + 0.1


def test_one_play_begins_when_the_one_before_it_has_ended(chunk: Chunk) -> None:
    begin = chunk.outcomes.occurred_ms
    end = begin + chunk.outcomes.ms_played
    same = listener_of(chunk)[1:] == listener_of(chunk)[:-1]
    assert (begin[1:][same] > end[:-1][same]).all()
    assert (begin >= SIZE.start_ms).all()
    assert (end < SIZE.end_ms).all()


def test_nobody_listens_before_they_registered(chunk: Chunk) -> None:
    assert (chunk.outcomes.occurred_ms >= chunk.chooser.listeners.registered_ms[listener_of(chunk)]).all()


def test_finished_plays_are_whole_and_skipped_ones_are_not(chunk: Chunk) -> None:
    duration = chunk.chooser.catalogue.tracks.duration_ms[chunk.plays.track]
    ends, played = chunk.outcomes.end, chunk.outcomes.ms_played
    assert (played[ends == FINISHED] == duration[ends == FINISHED]).all()
    assert (played[ends == SKIPPED] < duration[ends == SKIPPED]).all()
    assert (played > 0).all()


def test_nobody_plays_what_their_market_or_their_wishes_forbid(chunk: Chunk, catalogue: Catalogue) -> None:
    listeners, listener = chunk.chooser.listeners, listener_of(chunk)
    track = chunk.plays.track
    assert ((catalogue.tracks.markets[track] >> listeners.market[listener]) & 1 == 1).all()
    assert not (catalogue.tracks.explicit[track] & ~listeners.allow_explicit[listener]).any()


def test_after_a_block_there_is_no_more_of_it(chunk: Chunk, catalogue: Catalogue) -> None:
    listener, artist = listener_of(chunk), catalogue.tracks.artist[chunk.plays.track]
    found = 0
    for kind, what in ((BLOCK_TRACK, chunk.plays.track), (BLOCK_ARTIST, artist)):
        for action in np.flatnonzero(chunk.actions.kind == kind):
            play = chunk.actions.play[action]
            of_it = (listener == listener[play]) & (what == what[play])
            assert (chunk.outcomes.occurred_ms[of_it] <= chunk.actions.occurred_ms[action]).all()
            found += 1
    assert found > 5


def test_a_save_is_taken_back_only_after_it_was_made(chunk: Chunk) -> None:
    saved, undone = (np.flatnonzero(chunk.actions.kind == kind) for kind in (SAVE, UNSAVE))
    when = dict(zip(chunk.actions.play[saved].tolist(), chunk.actions.occurred_ms[saved].tolist(), strict=True))
    assert len(undone) > 5
    assert all(when[int(chunk.actions.play[row])] < chunk.actions.occurred_ms[row] for row in undone)


def test_people_listen_when_they_are_awake(chunk: Chunk) -> None:
    tokyo = chunk.chooser.listeners.zone[listener_of(chunk)] == 9
    hour = (chunk.outcomes.occurred_ms[tokyo] // 3_600_000 + 9) % 24
    night, evening = np.isin(hour, [2, 3, 4, 5]).mean(), np.isin(hour, [17, 18, 19, 20]).mean()
    assert evening > 5 * night


def test_tastes_are_few_and_weights_add_up_at_both_ends(chunk: Chunk) -> None:
    listeners = chunk.chooser.listeners
    modes = (listeners.mode_genre >= 0).sum(axis=1)
    assert modes.min() == 1
    assert modes.max() == WorldParams().taste_modes_max
    np.testing.assert_allclose(listeners.mode_weight.sum(axis=1), 1.0)
    assert (listeners.mode_weight[listeners.mode_genre < 0] == 0).all()


def test_drift_can_be_switched_off() -> None:
    size = dataclasses.replace(SIZE, listeners=50)
    params = WorldParams(drift_per_week=0)
    space = draw_catalogue(1, size, params).space
    listeners = draw_listeners(1, 0, 50, space, size, params)
    np.testing.assert_array_equal(listeners.point[:, :, 0], listeners.point[:, :, 1])
    np.testing.assert_allclose(listeners.mode_weight[:, :, 0], listeners.mode_weight[:, :, 1])


def agreement(catalogue: Catalogue) -> float:
    return float((catalogue.artists.label == catalogue.artists.genre).mean())


def test_labels_agree_with_the_music_as_far_as_they_carry_taste() -> None:
    size = dataclasses.replace(SIZE, tracks=20_000)
    worthless, honest = (draw_catalogue(2, size, WorldParams(genre_carries_taste=share)) for share in (0.0, 1.0))
    artists = len(worthless.artists.genre)
    chance = 1 / GENRE_COUNT
    assert abs(agreement(worthless) - chance) < 5 * (chance * (1 - chance) / artists) ** 0.5
    assert agreement(honest) == 1.0


def explained_by_genre(catalogue: Catalogue, values: np.ndarray) -> float:
    """Share of the variance between artists that their true genres explain."""
    artist, genre = catalogue.tracks.artist, catalogue.artists.genre
    means = np.bincount(artist, weights=values) / np.bincount(artist)
    by_genre = np.bincount(genre, weights=means) / np.bincount(genre)
    return float(by_genre[genre].var() / means.var())


@pytest.mark.parametrize("signal", ["energy", "tempo", "duration"])
def test_sound_follows_the_genre_as_far_as_it_carries_taste(signal: str) -> None:
    size = dataclasses.replace(SIZE, tracks=20_000)
    shares = []
    for carries in (0.0, 1.0):
        world = draw_catalogue(2, size, WorldParams(sound_carries_taste=carries))
        tracks = world.tracks
        columns = {"energy": tracks.sound[:, 0], "tempo": tracks.tempo_bpm, "duration": tracks.duration_ms}
        shares.append(explained_by_genre(world, columns[signal].astype(np.float64)))
    # Of noise alone 24 groups explain 23 in the number of artists; twice that is out of reach of chance.
    assert shares[0] < 2 * 23 / 1_900
    assert shares[1] > 0.5


def tag_agreement(folder: Path, carries: float) -> float:
    size = WorldSize(listeners=20, tracks=4_000, weeks=1, last_week=LAST_WEEK, history_weeks=1, sound=False)
    params = WorldParams(words_carry_taste=carries, genre_carries_taste=1)
    write_world(folder / "landing", folder / "truth", size, params, 6)
    with duckdb.connect() as connection:
        connection.register("tags", dataset(folder, "track_tags"))
        connection.register("tracks", truth(folder, "tracks"))
        query = """
            select avg((tag = genre)::int) from tags inner join tracks using (track_id)
            where tag in (select genre from tracks)
        """
        return float(connection.execute(query).fetchall()[0][0])


def test_tags_agree_with_the_music_as_far_as_words_carry_taste(tmp_path: Path) -> None:
    assert tag_agreement(tmp_path / "honest", 1.0) == 1.0
    # Genres of different sizes meet by chance more often than 1 in 24, never as often as 1 in 8.
    assert tag_agreement(tmp_path / "worthless", 0.0) < 1 / 8


def test_editions_of_each_kind_exist_and_can_be_told_as_the_kind_says() -> None:
    folder, _ = small_world()
    tracks = {row["track_id"]: row for row in dataset(folder, "tracks").to_pylist()}
    pairs = truth(folder, "tracks").select(["track_id", "original_track_id"]).to_pylist()
    found = {SAME_ISRC: 0, SAME_RECORDING_ID: 0, SAME_TITLE: 0}
    for pair in pairs:
        edition, original = tracks[pair["track_id"]], tracks[pair["original_track_id"]]
        if edition is original:
            continue
        assert edition["artist_id"] == original["artist_id"]
        assert edition["title"].startswith(original["title"])
        assert edition["released_on"] > original["released_on"]
        if edition["recording_id"] and edition["recording_id"] == original["recording_id"]:
            found[SAME_RECORDING_ID] += 1
        elif edition["isrc"] and edition["isrc"] == original["isrc"]:
            found[SAME_ISRC] += 1
        else:
            assert (edition["isrc"], edition["recording_id"], original["isrc"], original["recording_id"]) == (None,) * 4
            known = edition["duration_ms"] is not None and original["duration_ms"] is not None
            assert not known or abs(edition["duration_ms"] - original["duration_ms"]) <= 3_000
            found[SAME_TITLE] += 1
    assert sum(found.values()) == int(960 * 0.05)
    assert min(found.values()) > 0


def test_different_recordings_never_share_what_ties_editions_together() -> None:
    folder, _ = small_world()
    original = {row["track_id"]: row["original_track_id"] for row in truth(folder, "tracks").to_pylist()}
    tracks = dataset(folder, "tracks").to_pylist()
    for column in ("isrc", "recording_id"):
        owner: dict[str, str] = {}
        for row in tracks:
            if row[column]:
                assert owner.setdefault(row[column], original[row["track_id"]]) == original[row["track_id"]]
    titles = [(row["artist_id"], row["title"]) for row in tracks if original[row["track_id"]] == row["track_id"]]
    assert len(set(titles)) == len(titles)


def test_names_of_artists_are_different_and_made_of_words(catalogue: Catalogue) -> None:
    names = catalogue.artists.name.tolist()
    assert len(set(names)) == len(names)
    assert not any("{" in name or "  " in name for name in [*names, *catalogue.tracks.title.tolist()])


def test_everyone_is_in_users_but_those_known_from_events_only() -> None:
    folder, _ = small_world()
    kinds = {row["user_id"]: row["kind"] for row in truth(folder, "listeners").to_pylist()}
    users = set(dataset(folder, "users")["user_id"].to_pylist())
    assert users == {user for user, kind in kinds.items() if kind != "events_only"}
    with duckdb.connect() as connection:
        pattern = str(folder / "landing" / "events" / "*" / "part-*.parquet")
        rows = connection.execute("select distinct user_id from read_parquet(?)", [pattern]).fetchall()
    seen = {kinds[user] for (user,) in rows if user}
    assert {"usual", "events_only"} <= seen
    assert not seen & {"registered_only", "totals_only"}
    counted = set(dataset(folder, "play_counts")["user_id"].to_pylist())
    assert {kinds[user] for user in counted} == {"totals_only"}


def test_playlists_hold_each_track_once_in_order_of_adding() -> None:
    folder, _ = small_world()
    rows = dataset(folder, "playlist_tracks").to_pylist()
    titled = set(dataset(folder, "playlists")["playlist_id"].to_pylist())
    by_playlist: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_playlist.setdefault(row["playlist_id"], []).append(row)
    assert set(by_playlist) <= titled
    assert any(name.startswith("p") for name in by_playlist)
    for members in by_playlist.values():
        assert [row["position"] for row in members] == list(range(1, len(members) + 1))
        assert len({row["track_id"] for row in members}) == len(members)
        added = [row["added_at"] for row in members]
        assert added == sorted(added)


def test_markets_have_listeners_in_time_zones_of_their_own() -> None:
    folder, _ = small_world()
    zones = {market.code: {name for name, _ in market.zones} for market in MARKETS}
    rows = [row for row in dataset(folder, "users").to_pylist() if row["market"] and row["timezone"]]
    assert all(row["timezone"] in zones[row["market"]] for row in rows)
    assert {row["market"] for row in rows} == set(zones)


def test_new_listeners_come_every_week(chunk: Chunk) -> None:
    listeners = chunk.chooser.listeners
    new = listeners.registered_ms[listeners.registered_ms >= SIZE.start_ms]
    weeks = np.bincount((new - SIZE.start_ms) // WEEK_MS, minlength=SIZE.history_weeks)
    assert len(weeks) == SIZE.history_weeks
    assert (weeks > 0).mean() > 0.9
    share = len(new) / len(listeners)
    assert abs(share - 0.15) < 5 * (0.15 * 0.85 / len(listeners)) ** 0.5


def test_reviews_name_an_artist_and_a_title_that_belong_together() -> None:
    folder, _ = small_world()
    known = {(row["artist_name"], row["title"]) for row in dataset(folder, "tracks").to_pylist()}
    for row in dataset(folder, "documents").to_pylist():
        title = row["body"][row["body"].index("“") + 1 : row["body"].index("”")]
        rest = row["body"][row["body"].index("”") + 3 :]
        assert any(title == named and rest.startswith(artist) for artist, named in known)


def test_kinds_of_listeners_occur_in_their_shares(chunk: Chunk) -> None:
    kinds = chunk.chooser.listeners.kind
    for kind, share in ((REGISTERED_ONLY, 0.02), (EVENTS_ONLY, 0.01)):
        assert abs((kinds == kind).mean() - share) < 5 * (share / len(kinds)) ** 0.5


def test_without_fame_the_nearer_artist_is_always_the_likelier() -> None:
    size = dataclasses.replace(SIZE, listeners=10)
    params = WorldParams(conformity=0, home_preference=0)
    world = draw_catalogue(3, size, params)
    listeners = draw_listeners(3, 0, 10, world.space, size, params)
    choice = artist_choice(listeners, world, params)
    sums = choice.cumulative[choice.first[0] :][: choice.length[0]]
    chances = np.diff(sums, prepend=choice.place[0])
    genre = listeners.point_genre[0, 0, 0]
    inside = slice(world.artists.first[genre], world.artists.first[genre + 1])
    distance = squared_distance(listeners.point[0, 0, 0], world.artists.place[inside])
    assert np.argsort(-chances).tolist() == np.argsort(distance).tolist()
    assert chances.max() / chances.min() == pytest.approx(np.exp(3.0 * (distance.max() - distance.min())))
