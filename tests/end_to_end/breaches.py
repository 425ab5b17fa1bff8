"""Ways to break each guarantee by one row, so that every check is seen to fail.

Belongs here: changes to what was published, or to what is known of a listener, in memory. Does not: the checks.
"""

import datetime as dt
from collections.abc import Callable

from tests.end_to_end.guarantees import Published
from tests.end_to_end.landed import Landed, Row
from tests.worlds import MONDAY

MIDNIGHT = dt.datetime.combine(MONDAY, dt.time())
DAY = dt.timedelta(days=1)
Change = Callable[[Landed, Published], None]


def _first_list(published: Published) -> list[Row]:
    return published.lists[min(published.lists)]


def _set(**values: object) -> Change:
    return lambda landed, published: _first_list(published)[4].update(values)


def _set_playlist(**values: object) -> Change:
    return lambda landed, published: published.playlists[0].update(values)


def _give(choose: Callable[[Landed, str], str]) -> Change:
    """Put the track that `choose` finds in the place of the fifth of someone who listens."""

    def change(landed: Landed, published: Published) -> None:
        row = published.lists[min(user for user in published.lists if landed.heard[user])][4]
        row["track_id"] = choose(landed, row["user_id"])

    return change


def _give_another_edition(landed: Landed, published: Published) -> None:
    for tracks in published.lists.values():
        for row in tracks:
            editions = landed.editions(set(landed.tracks), landed.tracks[row["track_id"]]) - {row["track_id"]}
            if editions:
                (tracks[0] if row is not tracks[0] else tracks[1])["track_id"] = editions.pop()
                return


def _give_what_is_blocked(landed: Landed, published: Published) -> None:
    user_id = next(user for user, blocked in landed.blocked_artists.items() if blocked and user in published.lists)
    published.lists[user_id][0]["track_id"] = next(
        track.track_id for track in landed.tracks.values() if track.credits & landed.blocked_artists[user_id]
    )


def _give_explicit(landed: Landed, published: Published) -> None:
    user_id = next(user for user in published.lists if not landed.listeners[user].allow_explicit)
    heard = landed.heard[user_id] | landed.sampled[user_id]
    published.lists[user_id][0]["track_id"] = next(
        track.track_id for track in landed.tracks.values() if track.explicit and not landed.editions(heard, track)
    )


def _crowd(column: str) -> Change:
    """Three rows of the first list with one artist, or one album."""

    def change(landed: Landed, published: Published) -> None:
        tracks = _first_list(published)
        for row in tracks[::2][:3]:
            row[column] = "crowd"

    return change


def _unshare(landed: Landed, published: Published) -> None:
    """Give a list with hardly a new artist to someone."""
    user_id = max(published.lists, key=lambda user: len(landed.heard[user]))
    known = [track_id for track_id in landed.heard[user_id]]
    for row in published.lists[user_id]:
        row["track_id"] = known[0]


def _neighbours(landed: Landed, published: Published) -> None:
    tracks = _first_list(published)
    tracks[0]["artist_id"] = tracks[1]["artist_id"]


def _too_few(landed: Landed, published: Published) -> None:
    row = published.playlists[0]
    published.relaxations.append(
        {"user_id": row["user_id"], "rule_id": "too_few_tracks", "step": 1, "limit_from": 30.0, "limit_to": 29.0}
    )


def _reason(sentence: str) -> Change:
    def change(landed: Landed, published: Published) -> None:
        row = next(
            row
            for row in published.tracks
            if row["anchor_track_id"] and (row["released_on"] or MONDAY) < dt.date(2026, 9, 1)
        )
        anchor = landed.tracks[row["anchor_track_id"]]
        acts = {other for kind in ("save", "playlist_add", "like") for other in landed.acts[row["user_id"], kind]}
        for other in landed.editions(acts, anchor):  # so that no such act is there
            for kind in ("save", "playlist_add", "like"):
                landed.acts[row["user_id"], kind].discard(other)
        row["reason"] = sentence.format(title=anchor.title, artist=anchor.artist_name)

    return change


def _drop(table: str, number: int = 0) -> Change:
    return lambda landed, published: getattr(published, table).pop(number)


def _forget(landed: Landed, published: Published) -> None:
    """The listener of the first playlist asked to be forgotten."""
    del landed.listeners[published.playlists[0]["user_id"]]


CHANGES: dict[str, dict[str, Change]] = {
    "thirty_distinct_recordings": {
        "a track less": _drop("tracks"),
        "a playlist less": _drop("playlists"),
        "a position twice": _set(position=4),
        "another count": _set_playlist(track_count=29),
        "another edition": _give_another_edition,
    },
    "nothing_filtered_is_given": {
        "heard": _give(lambda landed, user: sorted(landed.heard[user])[0]),
        "taken down": _give(lambda landed, user: sorted(landed.unavailable_tracks)[0]),
        "unknown": _give(lambda landed, user: "not-landed"),
        "blocked artist": _give_what_is_blocked,
        "explicit": _give_explicit,
    },
    "tracks_are_described_as_they_landed": {
        "title": _set(title="?"),
        "artists": _set(artist_ids=["a"]),
        "album": _set(album_id="?"),
    },
    "limits_hold_or_say_so": {"artists": _crowd("artist_id"), "albums": _crowd("album_id"), "known artists": _unshare},
    "new_artists_are_new": {
        "not known": lambda landed, published: _first_list(published)[0].update(
            is_new_artist=not _first_list(published)[0]["is_new_artist"]
        ),
        "count": _set_playlist(new_artist_count=31),
        "status": _set_playlist(status="fallback"),
    },
    "neighbours_differ": {"neighbours": _neighbours},
    "scores_add_up": {
        "score": _set(final_score=1.5),
        "no number": _set(final_score=float("nan")),
        "part": _set(contribution_freshness=0.5),
        "view": lambda landed, published: published.components[0].update(contribution=0.5),
    },
    "anchors_were_heard": {
        "unknown": _set(anchor_track_id="not-landed"),
        "given, not heard": lambda landed, published: _first_list(published)[0].update(
            anchor_track_id=_first_list(published)[1]["track_id"]
        ),
    },
    "reasons_are_true": {
        **{word: _reason(f"Because you {word} “{{title}}” by {{artist}}") for word in ("saved", "added", "liked")},
        "another title": _reason("Because you play “{artist}” by {artist}"),
        "a genre nobody likes": _reason("Because a lot of what you like is of no genre"),
        "old": _reason("A new release"),
        "elsewhere": _reason("Listeners in FR play it these weeks"),
        "none": _reason(""),
        "unknown": _reason("Because."),
    },
    "everyone_has_an_answer": {"none": _drop("playlists"), "two": _too_few, "a deleted listener": _forget},
    "too_few_means_too_few": {
        "enough": _too_few,
        "unknown rule": lambda landed, published: published.relaxations.append({"user_id": "u", "rule_id": "mood"}),
    },
    "keys_say_program_week_and_listener": {
        "id": _set(playlist_id="discover:2026-11-23:somebody"),
        "program": _set_playlist(program_id="other"),
        "cut-off": _set_playlist(input_cutoff_at=MIDNIGHT + DAY),
        "hash": _set_playlist(config_hash=""),
    },
    "lists_begin_on_their_own_monday": {
        "a minute later": _set_playlist(available_at=MIDNIGHT + dt.timedelta(minutes=1))
    },
}
