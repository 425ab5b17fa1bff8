"""The plain job's weighting: from events to engagement, confidence, and what each listener may not be given.

Belongs here: the sums over events, as pandas groups, and the sparse matrices made of them.
Does not: reading files (plain_input.py), lists (plain_lists.py).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints
from models_ml.rules import FILTER_CODES
from tests.benchmarks.plain_input import CONTEXTS, EVENT_TYPES, SEEDS, Input

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

    signed: (n, m) confidence, negative where disliked.  excluded: (n, m) uint8 the filter that takes a pair out.
    said: (n, m) uint8 what was done with it: 1 liked, 2 added, 3 saved.
    credits: (tracks, most) positions of the credited artists, a where there is none.
    known_artists, blocked_artists: (n, a + 1), nothing in the last column.
    heard_by: (tracks,) listeners who heard each track.  liked_by: (m,) listeners with engagement above 0.
    recent: market, recording, listeners: who heard what in the last weeks.
    first_heard_days: (m,) days since anyone heard each first, 0 where nobody did.
    """

    signed: scipy.sparse.csr_matrix
    excluded: scipy.sparse.csr_matrix
    said: scipy.sparse.csr_matrix
    credits: Ints
    known_artists: scipy.sparse.csr_matrix
    blocked_artists: scipy.sparse.csr_matrix
    heard_by: Ints
    liked_by: Ints
    recent: pd.DataFrame
    first_heard_days: Floats


def weigh(given: Input, week: pd.Timestamp) -> Weighted:
    """Everything that is added up over the events."""
    shape = (len(given.users), int(given.tracks["recording"].max()) + 1)
    events = _classified(given, week)
    counts = given.counts.assign(recording=given.tracks["recording"].to_numpy()[given.counts["track"]])
    engagement = _engagement(events, counts)
    heard = pd.concat([events.loc[events["is_hearing"], ["user", "track"]], counts[["user", "track"]]])
    pair = np.sort(heard["user"].to_numpy(dtype=np.int64) * len(given.tracks) + heard["track"].to_numpy())
    pair = pair[np.diff(pair, prepend=-1) != 0]
    hearer, track = pair // len(given.tracks), pair % len(given.tracks)
    credits, artists = _credits(given.tracks)
    listener = np.repeat(hearer, credits.shape[1])
    artist = credits[track].ravel()
    blocked_artist = artists.get_indexer(pd.Index(given.blocked_artists["artist_id"]))
    is_artist, is_known = artist < len(artists), blocked_artist >= 0
    by_artist = (shape[0], len(artists) + 1)
    blocker = given.blocked_artists["user"].to_numpy()
    return Weighted(
        signed=_signed(engagement, events, shape),
        excluded=_excluded(events, counts, shape),
        said=_said(events, shape),
        credits=credits,
        known_artists=_flags(listener[is_artist], artist[is_artist], by_artist),
        blocked_artists=_flags(blocker[is_known], blocked_artist[is_known], by_artist),
        heard_by=np.bincount(track, minlength=len(given.tracks)),
        liked_by=np.bincount(engagement.loc[engagement["engagement"] > 0, "recording"], minlength=shape[1]),
        recent=_recent(given, events),
        first_heard_days=_first_heard_days(events, shape[1]),
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
    needed = ["user", "recording", "age_days", "context", "is_skip", "completion"]
    listening = events.loc[events["is_listening"], needed]
    parts = [_listened(listening, weights), _stated(events, weights), counted]
    each = pd.concat(parts)
    width = int(each["recording"].max()) + 1 if len(each) else 1
    key = _pairs(each, (0, width))
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    engagement = np.add.reduceat(each["engagement"].to_numpy()[order], starts) if len(starts) else np.zeros(0)
    pair = key[order][starts]
    return pd.DataFrame({"user": pair // width, "recording": pair % width, "engagement": engagement})


def _listened(listening: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Plays and skips, capped by day.

    Listener, recording, day and kind as one number: sorting it and adding up runs takes a fifth of a group by columns.
    """
    width, contexts = int(listening["recording"].max()) + 1 if len(listening) else 1, len(CONTEXTS.categories)
    days = int(listening["age_days"].max()) + 1 if len(listening) else 1
    key = _pairs(listening, (0, width)) * days + listening["age_days"].to_numpy()
    key = (key * contexts + listening["context"].cat.codes.to_numpy()) * 2 + listening["is_skip"].to_numpy()
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    listens = np.diff(starts, append=len(key))
    completion = np.add.reduceat(listening["completion"].to_numpy()[order], starts) if len(starts) else np.zeros(0)
    key, is_skip = key[starts] // 2, key[starts] % 2 == 1
    key, context = key // contexts, key % contexts
    pair, age_days = key // days, key % days
    kinds = EVENT_TYPES.categories
    event_type = np.where(is_skip, kinds.get_loc("skip"), kinds.get_loc("play"))
    amount = np.where(is_skip, listens, completion)
    engagement = _decayed(weights, event_type, _back_outside(pair, context, is_skip), age_days, amount)
    return pd.DataFrame({"user": pair // width, "recording": pair % width, "engagement": engagement})


def _back_outside(pair: Ints, context: Ints, is_skip: Bools) -> Ints:
    """A play inside our own playlists counts in full once the listener came back outside them.  pair: sorted."""
    own = (context == CONTEXTS.categories.get_loc("own_playlist")) & ~is_skip
    outside = pair[~is_skip & ~own]
    at = np.minimum(np.searchsorted(outside, pair[own]), max(len(outside) - 1, 0))
    back = outside[at] == pair[own] if len(outside) else np.zeros(int(own.sum()), dtype=bool)
    context = context.copy()
    context[np.flatnonzero(own)[back]] = CONTEXTS.categories.get_loc("chosen")
    return context


def _stated(events: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Saves, additions and likes: the last word of each kind holds."""
    said = events[events["event_type"].isin(list(STATEMENTS))].sort_values("occurred_at", kind="stable")
    statement = said["event_type"].astype("str").map(STATEMENTS)
    said = said.assign(statement=statement).drop_duplicates(["user", "recording", "statement"], keep="last")
    event_type, context = (said[name].cat.codes.to_numpy(dtype=np.int64) for name in ("event_type", "context"))
    engagement = _decayed(weights, event_type, context, said["age_days"].to_numpy(), np.ones(len(said)))
    return said[["user", "recording"]].assign(engagement=engagement)


def _decayed(weights: pd.DataFrame, event_type: Ints, context: Ints, age_days: Ints, amount: Floats) -> Floats:
    """Engagement of each row by the seed's weight, cap and half-life.  event_type, context: codes of the categories."""
    shape = (len(EVENT_TYPES.categories), len(CONTEXTS.categories))
    known = weights[weights["event_type"].isin(EVENT_TYPES.categories)]
    at = (known["event_type"].astype(EVENT_TYPES).cat.codes, known["context_class"].astype(CONTEXTS).cat.codes)
    kind = event_type * shape[1] + context

    def of_each(values: pd.Series, missing: float) -> Floats:
        table = np.full(shape, np.nan)
        table[at] = values.fillna(missing)
        return np.asarray(table.ravel()[kind])

    weight = of_each(known["sign"] * known["weight"], 0.0)
    capped = np.minimum(amount, of_each(known["daily_cap"], np.inf))
    return np.asarray(weight * capped * np.exp2(-age_days / of_each(known["half_life_days"], np.inf)))


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
    """Of several filters the first."""
    pair = _pairs(events, shape)
    listening, skips = events["is_listening"].to_numpy(), pair[events["is_skip"].to_numpy()]
    skips.sort()
    sampled = listening & (events["age_days"].to_numpy() <= SAMPLED_DAYS)
    by_rule = {
        "blocked_track": pair[(events["event_type"] == "block_track").to_numpy()],
        "heard": np.concatenate([pair[events["is_hearing"].to_numpy()], _pairs(counts, shape)]),
        "skipped_twice": skips[1:][np.diff(skips) == 0],
        "sampled": pair[sampled & ~events["is_hearing"].to_numpy()],
    }
    # Sorted by pair, then by code: the first of each pair is the filter named.
    keys = np.sort(np.concatenate([found * 16 + FILTER_CODES[rule] for rule, found in by_rule.items()]))
    first = np.diff(keys // 16, prepend=-1) > 0
    return _matrix(keys[first] // 16, (keys[first] % 16).astype(np.uint8), shape)


def _said(events: pd.DataFrame, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    """The strongest of what each listener ever did with a recording beside listening."""
    pair = _pairs(events, shape)
    each = [
        pair[(events["event_type"] == act).to_numpy()] * 4 + number
        for act, number in (("like", 1), ("playlist_add", 2), ("save", 3))
    ]
    keys = np.sort(np.concatenate(each))
    last = np.diff(keys // 4, append=-1) != 0
    return _matrix(keys[last] // 4, (keys[last] % 4).astype(np.uint8), shape)


def _pairs(rows: pd.DataFrame, shape: tuple[int, int]) -> Ints:
    """One number for listener and recording."""
    return np.asarray(rows["user"].to_numpy(dtype=np.int64) * shape[1] + rows["recording"].to_numpy())


def _matrix(pairs: Ints, values: Ints, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    return scipy.sparse.csr_matrix((values, (pairs // shape[1], pairs % shape[1])), shape=shape)


def _first_heard_days(events: pd.DataFrame, count: int) -> Floats:
    heard = events[events["is_hearing"]].groupby("recording")["age_days"].max()
    return np.asarray(heard.reindex(range(count)).fillna(0), dtype=float)


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
