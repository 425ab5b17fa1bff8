"""What every published week has to keep to, checked against landing files and nothing of the pipeline's own.

Belongs here: one function a guarantee; each returns a line for every breach. Does not: reading landing files
(landed.py), worlds and runs (test_guarantees.py).
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import ceil, isfinite
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import duckdb

from tests.end_to_end.landed import Landed, Listener, Row, Track

TRACKS = 30
SCORE_TOLERANCE = 1e-6
FRESH_DAYS = 28
# The soft rules with their limits, as the settings page states the defaults.
LIMITS = {"tracks_per_artist": 2.0, "tracks_per_album": 2.0, "new_artist_share": 0.5}
SOFT_RULES = (*LIMITS, "too_few_tracks")
BECAUSE = re.compile(r"Because you (?P<word>play|saved|added|liked) “(?P<title>.*)” by (?P<artist>.*)", re.DOTALL)
ACTS = {"saved": "save", "added": "playlist_add", "liked": "like"}


@dataclass
class Published:
    """The rows of one published week."""

    playlists: list[Row]
    tracks: list[Row]
    relaxations: list[Row]
    components: list[Row]

    @cached_property
    def lists(self) -> dict[str, list[Row]]:
        """Tracks of each listener in the order heard."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self.tracks, key=lambda row: (row["user_id"], row["position"])):
            found[row["user_id"]].append(row)
        return dict(found)

    def steps(self, user_id: str, rule_id: str) -> list[Row]:
        """What a rule gave way to for a listener, step by step."""
        return sorted(
            (row for row in self.relaxations if (row["user_id"], row["rule_id"]) == (user_id, rule_id)),
            key=lambda row: int(row["step"]),
        )


def read_published(file: Path, week: dt.date) -> Published:
    """The published tables of one week, as rows."""
    tables = ("weekly_playlists", "weekly_playlist_tracks", "playlist_relaxations", "playlist_track_reasons")
    with duckdb.connect(str(file), read_only=True) as connection:
        found = [
            connection.execute(f"select * from {table} where week = ?", [week]).to_arrow_table() for table in tables
        ]
    return Published(*(table.to_pylist() for table in found))


def thirty_distinct_recordings(landed: Landed, published: Published) -> Iterator[str]:
    """Exactly thirty, at positions 1 to 30, no two of them editions of one recording."""
    users = [row["user_id"] for row in published.playlists]
    if sorted(users) != sorted(published.lists):
        yield f"{len(users)} playlists, tracks for {len(published.lists)} listeners"
    for row in published.playlists:
        tracks = published.lists.get(row["user_id"], [])
        positions = [track["position"] for track in tracks]
        if positions != list(range(1, TRACKS + 1)) or row["track_count"] != TRACKS:
            yield f"{row['user_id']}: positions {positions}, track_count {row['track_count']}"
        if len({track["recording_id"] for track in tracks}) != len(tracks):
            yield f"{row['user_id']}: a recording_id twice"
    for user_id, tracks in published.lists.items():
        for one, other in combinations([track["track_id"] for track in tracks], 2):
            if landed.editions({other}, landed.tracks[one]):
                yield f"{user_id}: {one} and {other} are one recording"


def nothing_filtered_is_given(landed: Landed, published: Published) -> Iterator[str]:
    """Nothing heard, sampled lately, blocked, taken down, explicit where unwanted, out of the market."""
    for row in published.tracks:
        track = landed.tracks.get(row["track_id"])
        against = landed.reason_against(row["user_id"], track) if track else "not known before the Monday"
        if against:
            yield f"{row['user_id']}: {row['track_id']} is {against}"


def tracks_are_described_as_they_landed(landed: Landed, published: Published) -> Iterator[str]:
    """Title, credits and album of each row are those of its track."""
    for row in published.tracks:
        track = landed.tracks.get(row["track_id"])
        stated = (
            row["title"],
            row["artist_id"],
            row["artist_name"],
            frozenset(row["artist_ids"]),
            row["album_id"],
            row["released_on"],
        )
        if track is None or stated != (
            track.title,
            track.artist_id,
            track.artist_name,
            track.credits,
            track.album_id,
            track.released_on,
        ):
            yield f"{row['user_id']}: {row['track_id']} is described as {stated}"


def limits_hold_or_say_so(landed: Landed, published: Published) -> Iterator[str]:
    """Two tracks an artist and album, half by new artists, or rows that say to what each gave way."""
    for user_id, tracks in published.lists.items():
        albums = Counter(track["album_id"] for track in tracks if track["album_id"])
        new = sum(_is_new(landed, user_id, track) for track in tracks)
        used = {
            "tracks_per_artist": max(Counter(track["artist_id"] for track in tracks).values()),
            "tracks_per_album": max(albums.values(), default=0),
            "new_artist_share": new,
        }
        for rule_id, limit in LIMITS.items():
            yield from _steps_fit(user_id, rule_id, limit, used[rule_id], published.steps(user_id, rule_id))


def _steps_fit(user_id: str, rule_id: str, limit: float, used: int, steps: list[Row]) -> Iterator[str]:
    """The steps lead from the limit to the first one that the list keeps to, and each was needed."""
    limits = [limit, *(step["limit_to"] for step in steps)]
    if [step["limit_from"] for step in steps] != limits[:-1] or [step["step"] for step in steps] != sorted(
        {step["step"] for step in steps}
    ):
        yield f"{user_id}: steps of {rule_id} don't follow from {limit}: {steps}"
    if not _keeps_to(rule_id, used, limits[-1]):
        yield f"{user_id}: {rule_id} is {used}, the limit stated is {limits[-1]}"
    if any(_keeps_to(rule_id, used, earlier) for earlier in limits[:-1]):
        yield f"{user_id}: {rule_id} is {used}, and gave way to {limits[-1]} all the same"


def _keeps_to(rule_id: str, used: int, limit: float) -> bool:
    return used >= ceil(round(limit * TRACKS, 9)) if rule_id == "new_artist_share" else used <= limit


def _is_new(landed: Landed, user_id: str, row: Row) -> bool:
    """None of the credited artists is credited on anything the listener has heard."""
    heard = {artist for track_id in landed.heard[user_id] for artist in landed.tracks[track_id].credits}
    return not heard & landed.tracks[row["track_id"]].credits


def new_artists_are_new(landed: Landed, published: Published) -> Iterator[str]:
    """is_new_artist of each row, and the count and status of each playlist, are true."""
    for row in published.tracks:
        if row["is_new_artist"] != _is_new(landed, row["user_id"], row):
            yield f"{row['user_id']}: is_new_artist of {row['track_id']} is {row['is_new_artist']}"
    gave_way = {row["user_id"] for row in published.relaxations}
    for row in published.playlists:
        new = sum(track["is_new_artist"] for track in published.lists[row["user_id"]])
        status = "relaxed" if row["user_id"] in gave_way else "complete"
        if (row["new_artist_count"], row["status"]) != (new, status):
            yield f"{row['user_id']}: {row['status']}, {row['new_artist_count']} new artists; {status}, {new} it is"


def neighbours_differ(landed: Landed, published: Published) -> Iterator[str]:
    """No two neighbours by one artist, beyond those that no order of the thirty avoids."""
    for user_id, tracks in published.lists.items():
        artists = [track["artist_id"] for track in tracks]
        repeats = sum(one == other for one, other in pairwise(artists))
        most = max(Counter(artists).values())
        # The other tracks are the gaps between those of the most frequent artist.
        unavoidable = max(0, most - 1 - (len(artists) - most))
        if repeats != unavoidable:
            yield f"{user_id}: {repeats} neighbours by one artist, {unavoidable} can't be avoided"


def scores_add_up(landed: Landed, published: Published) -> Iterator[str]:
    """The named components, in columns and in the view, add up to the final score."""
    in_view: dict[tuple[str, int], float] = defaultdict(float)
    for part in published.components:
        in_view[part["user_id"], part["position"]] += part["contribution"]
    for row in published.tracks:
        parts = sum(value for name, value in row.items() if name.startswith("contribution_"))
        viewed, score = in_view[row["user_id"], row["position"]], row["final_score"]
        if not isfinite(score) or max(abs(parts - score), abs(viewed - score)) > SCORE_TOLERANCE:
            yield f"{row['user_id']}: number {row['position']} scores {score}, its parts {parts}, in the view {viewed}"


def anchors_were_heard(landed: Landed, published: Published) -> Iterator[str]:
    """The track behind a recommendation was heard by that listener, in some edition."""
    for row in published.tracks:
        anchor = landed.tracks.get(row["anchor_track_id"]) if row["anchor_track_id"] else None
        if row["anchor_track_id"] and (anchor is None or not landed.editions(landed.heard[row["user_id"]], anchor)):
            yield f"{row['user_id']}: {row['anchor_track_id']} was never heard"


def reasons_are_true(landed: Landed, published: Published) -> Iterator[str]:
    """Each sentence holds in landing."""
    for row in published.tracks:
        if not row["reason"] or not _is_true(landed, row):
            yield f"{row['user_id']}: {row['track_id']}, {row['released_on']}: {row['reason']}"


def _is_true(landed: Landed, row: Row) -> bool:
    """Whether what a row's reason says is so."""
    user_id, track, sentence = row["user_id"], landed.tracks[row["track_id"]], row["reason"]
    because = BECAUSE.fullmatch(sentence)
    if because:
        anchor = landed.tracks.get(row["anchor_track_id"] or "")
        if anchor is None or (anchor.title, anchor.artist_name) != (because["title"], because["artist"]):
            return False
        act = ACTS.get(because["word"])
        return bool(landed.editions(landed.acts[user_id, act] if act else landed.played[user_id], anchor))
    if sentence == "A new release":
        return track.released_on is not None and (landed.monday - track.released_on).days <= FRESH_DAYS
    if sentence == "Others listen to it":
        return any(landed.editions(tracks, track) for tracks in landed.heard.values())
    market = landed.listeners[user_id].market
    if market and sentence == f"Listeners in {market} play it these weeks":
        lately = {
            user
            for edition in landed.editions(set(landed.tracks), track)
            for user in landed.played_lately[edition] & set(landed.listeners)
        }
        return market in {landed.listeners[user].market for user in lately}
    if row["reason_code"] == "your_genre":
        return _is_of_liked_genre(landed, user_id, track, sentence)
    if row["reason_code"] in ("near_your_segment", "near_what_you_named"):
        return _is_near(landed.listeners[user_id], track, sentence)
    if row["reason_code"] in ("sounds_like", "on_playlists"):
        return _is_beside(landed, user_id, track, row["anchor_track_id"], sentence)
    return bool(sentence == "Completes the list")


def _is_of_liked_genre(landed: Landed, user_id: str, track: Track, sentence: str) -> bool:
    """Whether the genre that is named is one of the track's, and of some that the listener heard."""
    of = {genre for edition in landed.editions(set(landed.tracks), track) for genre in landed.tracks[edition].genres}
    heard = {
        genre for other in landed.heard[user_id] if other in landed.tracks for genre in landed.tracks[other].genres
    }
    return any(sentence == f"Because a lot of what you like is {genre}" for genre in of & heard)


def _is_beside(landed: Landed, user_id: str, track: Track, anchor_id: str | None, sentence: str) -> bool:
    """Whether the anchor is one the listener heard and, where a playlist is named, it holds both."""
    anchor = landed.tracks.get(anchor_id or "")
    if anchor is None or not landed.editions(landed.heard[user_id], anchor):
        return False
    name = f"“{anchor.title}” by {anchor.artist_name}"
    if sentence == f"Sounds like {name}":
        return True
    return any(
        sentence == f"Playlists called “{title}” hold it beside {name}"
        and landed.editions(held, track)
        and landed.editions(held, anchor)
        for title, held in landed.playlists.values()
    )


def _is_near(listener: Listener, track: Track, sentence: str) -> bool:
    """Whether a listener without plays named what the sentence says, or lives where it says."""
    if sentence == f"Near what listeners in {listener.market} care for":
        return True
    if not listener.favourite_artists | listener.favourite_genres:
        return False
    named = {*(track.genres & listener.favourite_genres)}
    if track.artist_id in listener.favourite_artists:
        named = {track.artist_name}
    if not named:
        return sentence == "Near what you named as your favourites"
    return sentence in {f"Because you named {name} as a favourite" for name in named}


def everyone_has_an_answer(landed: Landed, published: Published) -> Iterator[str]:
    """Each listener has one playlist or one too_few_tracks row; nobody else, no deleted one, has either."""
    answers = Counter([row["user_id"] for row in published.playlists])
    answers.update(row["user_id"] for row in published.relaxations if row["rule_id"] == "too_few_tracks")
    for user_id in sorted(set(answers) | set(landed.listeners)):
        expected = int(user_id in landed.listeners)
        if answers[user_id] != expected:
            yield f"{user_id}: {answers[user_id]} answers, expected {expected}"


def too_few_means_too_few(landed: Landed, published: Published) -> Iterator[str]:
    """A too_few_tracks row states how many recordings pass the filters: fewer than thirty."""
    for row in published.relaxations:
        if row["rule_id"] not in SOFT_RULES:
            yield f"{row['user_id']}: unknown rule {row['rule_id']}"
        if row["rule_id"] == "too_few_tracks":
            passing = landed.recordings_that_pass(row["user_id"]) if row["user_id"] in landed.listeners else None
            if (row["limit_from"], row["limit_to"]) != (TRACKS, passing) or passing is None or passing >= TRACKS:
                yield f"{row['user_id']}: {row['limit_to']} of {row['limit_from']} stated, {passing} pass"


def keys_say_program_week_and_listener(landed: Landed, published: Published) -> Iterator[str]:
    """Playlist ids, weeks and cut-offs are those of the Monday."""
    midnight = dt.datetime.combine(landed.monday, dt.time())
    for row in [*published.playlists, *published.tracks]:
        if row["playlist_id"] != f"discover:{landed.monday}:{row['user_id']}" or row["program_id"] != "discover":
            yield f"{row['user_id']}: playlist_id {row['playlist_id']} of {row['program_id']}"
    for row in published.playlists:
        if row["input_cutoff_at"] != midnight or not re.fullmatch("[0-9a-f]{16}", row["config_hash"]):
            yield f"{row['user_id']}: cut off at {row['input_cutoff_at']}, config_hash {row['config_hash']}"


def lists_begin_on_their_own_monday(landed: Landed, published: Published) -> Iterator[str]:
    """available_at is the Monday's midnight where the listener lives, UTC where that isn't known."""
    zones = available_timezones()
    for row in published.playlists:
        listener = landed.listeners.get(row["user_id"])
        zone = listener.timezone if listener and listener.timezone in zones else "UTC"
        midnight = dt.datetime.combine(landed.monday, dt.time(), ZoneInfo(zone or "UTC"))
        expected = midnight.astimezone(dt.UTC).replace(tzinfo=None)
        if row["available_at"] != expected:
            yield f"{row['user_id']} in {zone}: available at {row['available_at']}, expected {expected}"


Guarantee = Callable[[Landed, Published], Iterator[str]]
GUARANTEES: dict[str, Guarantee] = {
    check.__name__: check
    for check in (
        thirty_distinct_recordings,
        nothing_filtered_is_given,
        tracks_are_described_as_they_landed,
        limits_hold_or_say_so,
        new_artists_are_new,
        neighbours_differ,
        scores_add_up,
        anchors_were_heard,
        reasons_are_true,
        everyone_has_an_answer,
        too_few_means_too_few,
        keys_say_program_week_and_listener,
        lists_begin_on_their_own_monday,
    )
}


def breaches(name: str, landed: Landed, published: Published) -> list[Any]:
    """What breaks one guarantee, the first twenty."""
    return [line for _, line in zip(range(20), GUARANTEES[name](landed, published), strict=False)]
