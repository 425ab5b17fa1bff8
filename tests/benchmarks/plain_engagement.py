"""The plain job's weighting: from events to engagement, confidence, and what each listener may not be given.

Belongs here: the sums over events, as pandas groups, and the sparse matrices made of them.
Does not: reading files (plain_input.py), lists (plain_lists.py).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints
from tests.benchmarks.plain_input import SEEDS, Input

HEARD_MS = SKIP_MS = 30_000
SAMPLED_DAYS = 26 * 7
RECENT_DAYS = 28
NEGATIVE_THRESHOLD = 0.5
CONFIDENCE_ALPHA = 3.0
ACTS = ["save", "like", "dislike", "playlist_add"]
STATEMENTS = {
    **{"save": "saved", "unsave": "saved", "playlist_add": "added", "playlist_remove": "added"},
    **{"like": "liked", "dislike": "liked"},
}


@dataclass(frozen=True)
class Weighted:
    """What the factors and the lists are made from; n listeners, m recordings, a artists.

    signed: (n, m) confidence, negative where disliked.  excluded: (n, m) true where heard, sampled or blocked.
    credits: (tracks, most) positions of the credited artists, a where there is none.
    known_artists, blocked_artists: (n, a + 1), nothing in the last column.
    heard_by: (tracks,) listeners who heard each track.  liked_by: (m,) listeners with engagement above 0.
    recent: market, recording, listeners: who heard what in the last weeks.
    """

    signed: scipy.sparse.csr_matrix
    excluded: scipy.sparse.csr_matrix
    credits: Ints
    known_artists: scipy.sparse.csr_matrix
    blocked_artists: scipy.sparse.csr_matrix
    heard_by: Ints
    liked_by: Ints
    recent: pd.DataFrame


def weigh(given: Input, week: pd.Timestamp) -> Weighted:
    """Everything that is added up over the events."""
    shape = (len(given.users), int(given.tracks["recording"].max()) + 1)
    events = _classified(given, week)
    counts = given.counts.assign(recording=given.tracks["recording"].to_numpy()[given.counts["track"]])
    engagement = _engagement(events, counts)
    heard = pd.concat([events.loc[events["is_hearing"], ["user", "track"]], counts[["user", "track"]]])
    heard = heard.drop_duplicates()
    credits, artists = _credits(given.tracks)
    listener = np.repeat(heard["user"].to_numpy(), credits.shape[1])
    artist = credits[heard["track"].to_numpy()].ravel()
    blocked_artist = artists.get_indexer(pd.Index(given.blocked_artists["artist_id"]))
    is_artist, is_known = artist < len(artists), blocked_artist >= 0
    by_artist = (shape[0], len(artists) + 1)
    blocker = given.blocked_artists["user"].to_numpy()
    return Weighted(
        signed=_signed(engagement, events, shape),
        excluded=_excluded(events, counts, shape),
        credits=credits,
        known_artists=_flags(listener[is_artist], artist[is_artist], by_artist),
        blocked_artists=_flags(blocker[is_known], blocked_artist[is_known], by_artist),
        heard_by=np.bincount(heard["track"], minlength=len(given.tracks)),
        liked_by=np.bincount(engagement.loc[engagement["engagement"] > 0, "recording"], minlength=shape[1]),
        recent=_recent(given, events),
    )


def _classified(given: Input, week: pd.Timestamp) -> pd.DataFrame:
    """The events with their recording, age, and whether each is a skip or a hearing."""
    events = given.events
    duration = given.tracks["duration_ms"].to_numpy(dtype=float)[events["track"]]
    played = events["ms_played"].to_numpy(dtype=float)
    # The Monday's age counts days between dates, so that all of a day is equally old.
    age_days = (week - events["occurred_at"].dt.floor("D")).dt.days.to_numpy(dtype=np.int16)
    return events.assign(
        recording=given.tracks["recording"].to_numpy(dtype=np.int32)[events["track"]],
        age_days=age_days,
        is_listening=events["event_type"].isin(["play", "skip"]),
        is_skip=_is_skip(events, played, duration),
        is_hearing=_is_hearing(events, played, duration),
        completion=_completion(played, duration),
    )


def _is_skip(events: pd.DataFrame, played: Floats, duration: Floats) -> Bools:
    """An early end by the listener's act; comparisons with NaN are false."""
    half = duration / 2
    by_act = (events["end"] == "listener").to_numpy()
    no_reason = events["end"].isna().to_numpy()
    early = np.where(by_act, played < np.where(np.isnan(half), SKIP_MS, half), played < np.fmin(SKIP_MS, half))
    untold = by_act & np.isnan(played)
    play = (events["event_type"] == "play").to_numpy()
    return np.asarray((events["event_type"] == "skip").to_numpy() | (play & (by_act | no_reason) & (early | untold)))


def _is_hearing(events: pd.DataFrame, played: Floats, duration: Floats) -> Bools:
    """Thirty seconds or half the track, or an act that nobody does unheard."""
    long_enough = (played >= HEARD_MS) | ((played >= duration / 2) & (played > 0))
    scrobble = np.isnan(played) & (events["event_type"] == "play").to_numpy()
    listening = events["event_type"].isin(["play", "skip"]).to_numpy()
    return np.asarray((listening & (long_enough | scrobble)) | events["event_type"].isin(ACTS).to_numpy())


def _completion(played: Floats, duration: Floats) -> Floats:
    """Share of the track that was played, all of it where nobody says."""
    whole = np.where(duration > 0, duration, HEARD_MS)
    return np.where(np.isnan(played), 1.0, np.minimum(1.0, played / whole)).astype(np.float32)


def _engagement(events: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """user, recording, engagement: the decayed sum of all that a listener did with a recording."""
    weights = pd.read_csv(SEEDS / "event_weights.csv")
    of_counts = float(weights.loc[weights["event_type"] == "play_count", "weight"].iloc[0])
    counted = counts[["user", "recording"]].assign(engagement=of_counts * counts["play_count"])
    parts = [_listened(events[events["is_listening"]], weights), _stated(events, weights), counted]
    return pd.concat(parts).groupby(["user", "recording"], as_index=False)["engagement"].sum()


def _listened(listening: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Plays and skips, capped by day."""
    days = listening.groupby(
        ["user", "recording", "age_days", "context", "is_skip"], observed=True, sort=False, as_index=False
    ).agg(listens=("completion", "size"), completion=("completion", "sum"))
    # A play inside our own playlists counts in full once the listener came back outside them.
    own = (days["context"] == "own_playlist") & ~days["is_skip"]
    if own.any():
        outside = days.loc[~days["is_skip"] & ~own, ["user", "recording"]].drop_duplicates()
        came_back = days[["user", "recording"]].merge(outside, how="left", indicator="found")["found"] == "both"
        days["context"] = days["context"].mask(own & came_back.to_numpy(), "chosen")
    days["event_type"] = np.where(days["is_skip"], "skip", "play")
    amount = days["completion"].where(~days["is_skip"], days["listens"])
    return _decayed(days, weights, amount)


def _stated(events: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Saves, additions and likes: the last word of each kind holds."""
    said = events[events["event_type"].isin(list(STATEMENTS))].sort_values("occurred_at", kind="stable")
    statement = said["event_type"].astype("str").map(STATEMENTS)
    said = said.assign(statement=statement).drop_duplicates(["user", "recording", "statement"], keep="last")
    return _decayed(said, weights, pd.Series(1.0, index=said.index))


def _decayed(rows: pd.DataFrame, weights: pd.DataFrame, amount: pd.Series) -> pd.DataFrame:
    """user, recording, engagement of each row by the seed's weight, cap and half-life."""
    keys = ["event_type", "context_class"]
    asked = pd.MultiIndex.from_arrays([rows["event_type"].astype("str"), rows["context"].astype("str")])
    found = weights.set_index(keys).index.get_indexer(asked)
    seed = {name: weights[name].to_numpy(dtype=float)[found] for name in ("sign", "weight", "daily_cap")}
    half_life = weights["half_life_days"].fillna(np.inf).to_numpy(dtype=float)[found]
    capped = np.fmin(amount.to_numpy(dtype=float), seed["daily_cap"])
    engagement = seed["sign"] * seed["weight"] * capped * 0.5 ** (rows["age_days"].to_numpy() / half_life)
    return pd.DataFrame({"user": rows["user"], "recording": rows["recording"], "engagement": engagement})


def _signed(engagement: pd.DataFrame, events: pd.DataFrame, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    """Confidence 1 + alpha ln(1 + |engagement|), below zero where disliked: as implicit takes it."""
    value = engagement["engagement"]
    clear = engagement[(value > 0) | (value <= -NEGATIVE_THRESHOLD)]
    confidence = np.sign(clear["engagement"]) * (1 + CONFIDENCE_ALPHA * np.log1p(clear["engagement"].abs()))
    rows, columns = clear["user"].to_numpy(), clear["recording"].to_numpy()
    signed = scipy.sparse.csr_matrix((confidence.to_numpy(dtype=np.float32), (rows, columns)), shape=shape)
    blocked = events[events["event_type"] == "block_track"]
    signed -= signed.multiply(_flags(blocked["user"].to_numpy(), blocked["recording"].to_numpy(), shape))
    signed.eliminate_zeros()
    return signed.tocsr()


def _excluded(events: pd.DataFrame, counts: pd.DataFrame, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    sampled = events["is_listening"] & (events["age_days"] <= SAMPLED_DAYS)
    blocked = events["event_type"] == "block_track"
    pairs = pd.concat(
        [events.loc[events["is_hearing"] | sampled | blocked, ["user", "recording"]], counts[["user", "recording"]]]
    )
    return _flags(pairs["user"].to_numpy(), pairs["recording"].to_numpy(), shape)


def _flags(rows: Ints, columns: Ints, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    """Ones at these places, each once."""
    flags = scipy.sparse.csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=shape)
    flags.sum_duplicates()
    flags.data[:] = 1
    return flags


def _credits(tracks: pd.DataFrame) -> tuple[Ints, pd.Index]:
    """((tracks, most) positions of all credited artists, the artists)."""
    others = tracks["artist_ids"].explode().dropna()
    pairs = pd.concat([tracks["artist_id"], others]).astype("str").rename("artist_id").rename_axis("track")
    pairs = pairs.reset_index().drop_duplicates()
    codes, artists = pd.factorize(pairs["artist_id"], sort=True)
    place = pairs.groupby("track").cumcount().to_numpy()
    credits = np.full((len(tracks), int(place.max()) + 1), len(artists), dtype=np.int32)
    credits[pairs["track"].to_numpy(), place] = codes
    return credits, pd.Index(artists)


def _recent(given: Input, events: pd.DataFrame) -> pd.DataFrame:
    recent = events.loc[events["is_hearing"] & (events["age_days"] <= RECENT_DAYS), ["user", "recording"]]
    recent = recent.drop_duplicates()
    market = given.users["market"].fillna("").to_numpy()[recent["user"]]
    return recent.assign(market=market).groupby(["market", "recording"]).size().rename("listeners").reset_index()
