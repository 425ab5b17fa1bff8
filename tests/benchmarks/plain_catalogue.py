"""The plain job's catalogue: which edition each audience is given, what is popular where, what each recording is.

Belongs here: everything of a recording that lists are made by, as arrays. Does not: vectors (plain_fusion.py), genres
(plain_genres.py), lists (plain_lists.py).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from models_ml.arrays import Bools, Floats, Ints
from models_ml.candidates import CandidateParams
from models_ml.exploration.params import ExplorationParams
from models_ml.rules import FILTER_CODES
from tests.benchmarks.plain_engagement import Weighted
from tests.benchmarks.plain_input import Input

PARAMS, EXPLORATION = CandidateParams(), ExplorationParams()
POPULAR_TRACKS = 1000


@dataclass(frozen=True)
class Catalogue:
    """What stands for each of m recordings, and what each audience is given of it.

    edition: (audiences, m) track, -1 where none may be given; rule: (audiences, m) the filter's code that says why.
    audience: (n,) row of these.  main_edition: (m,) the track most listeners know.  percentile, age_days: (m,).
    fresh, new_artist, boosted: (m,) true where so.
    popular: (markets, k) recordings, -1 past the end; own: (markets,) how many of them the market itself plays.
    market: (n,) row of these.  artist, album: (tracks,).  recent: (m,) listeners lately.
    """

    edition: Ints
    rule: Ints
    audience: Ints
    main_edition: Ints
    percentile: Floats
    age_days: Floats
    fresh: Bools
    new_artist: Bools
    boosted: Bools
    popular: Ints
    own: Ints
    market: Ints
    artist: Ints
    album: Ints
    recent: Ints


def make_catalogue(given: Input, weighted: Weighted, week: pd.Timestamp) -> Catalogue:
    """The catalogue as arrays."""
    tracks, users = given.tracks, given.users
    preferred = tracks.assign(heard_by=weighted.heard_by).sort_values(
        ["recording", "heard_by", "released_on", "track_id"], ascending=[True, False, True, True]
    )
    main = preferred.index[~preferred["recording"].duplicated()].to_numpy()
    markets, names = pd.factorize(users["market"].fillna(""))
    audience, audiences = pd.factorize(pd.Series(markets * 2 + users["minds_explicit"].to_numpy()))
    released = tracks.groupby("recording")["released_on"].min()
    age_days = (week - released).dt.days.clip(lower=0).to_numpy(dtype=float)
    recent = weighted.recent.groupby("recording")["listeners"].sum().reindex(released.index, fill_value=0).to_numpy()
    liked_by = pd.Series(weighted.liked_by)
    edition, rule = _editions(given, preferred, [str(name) for name in names], audiences)
    popular, own = _popular(weighted, recent, [str(name) for name in names])
    album = pd.factorize(tracks["album_id"])[0]
    artist = pd.factorize(tracks["artist_id"])[0]
    boosted = _touched(given, ["boost"]).groupby(tracks["recording"]).any()
    return Catalogue(
        edition=edition,
        rule=rule,
        audience=audience,
        main_edition=main,
        percentile=((liked_by.rank(method="min") - 1) / max(1, len(liked_by) - 1)).to_numpy(),
        age_days=age_days,
        fresh=(age_days <= PARAMS.fresh_days) & (recent >= PARAMS.fresh_minimum_listeners),
        new_artist=_by_new_artists(tracks, artist[main], weighted, week),
        boosted=boosted.to_numpy(),
        popular=popular,
        own=own,
        market=markets,
        artist=artist,
        album=np.where(album < 0, -1 - np.arange(len(album)), album),  # tracks without one don't share one
        recent=recent,
    )


def _touched(given: Input, actions: list[str]) -> pd.Series:
    """(tracks,) true where an override of these kinds names the track, or an artist credited on it."""
    tracks, overrides = given.tracks, given.overrides[given.overrides["action"].isin(actions)]
    artists = overrides.loc[overrides["track_id"].isna(), "artist_id"].dropna()
    credited = tracks["artist_ids"].explode().isin(artists).groupby(level=0).any()
    return credited | tracks["artist_id"].isin(artists) | tracks["track_id"].isin(overrides["track_id"].dropna())


def _editions(given: Input, preferred: pd.DataFrame, markets: list[str], audiences: Ints) -> tuple[Ints, Ints]:
    """((audiences, m) the first track of each recording that may be given, (audiences, m) the rule where none may)."""
    tracks = given.tracks
    down, embargoed = _touched(given, ["takedown"]).to_numpy(), _touched(given, ["embargo"]).to_numpy()
    gone, explicit = down | embargoed, tracks["explicit"].to_numpy()
    somewhere = tracks["markets"].explode().dropna().astype("str").str.upper()
    everywhere = ~tracks.index.isin(somewhere.index)
    count = int(tracks["recording"].max()) + 1
    main = preferred.index[~preferred["recording"].duplicated()].to_numpy()
    lost = np.where(down[main], FILTER_CODES["taken_down"], FILTER_CODES["embargoed"])
    edition = np.full((len(audiences), count), -1, dtype=np.int32)
    rule = np.zeros(edition.shape, dtype=np.uint8)
    for row, audience in enumerate(audiences):
        here = ~gone & (everywhere | tracks.index.isin(somewhere.index[somewhere == markets[audience // 2]]))
        allowed = here & ~((audience % 2 == 1) & explicit)
        first = preferred[allowed[preferred.index]].drop_duplicates("recording")
        edition[row, first["recording"]] = first.index
        why = np.where(_any(here, tracks), FILTER_CODES["explicit"], FILTER_CODES["market"])
        rule[row] = np.where(edition[row] >= 0, 0, np.where(_any(~gone, tracks), why, lost))
    return edition, rule


def _any(chosen: Bools, tracks: pd.DataFrame) -> Bools:
    """(m,) true where any edition is chosen."""
    return np.bincount(tracks["recording"], chosen) > 0


def _popular(weighted: Weighted, recent: Ints, markets: list[str]) -> tuple[Ints, Ints]:
    """((markets, k) what a market's listeners hear lately, then everybody, (markets,) how many are its own)."""
    order = np.lexsort((-weighted.liked_by, -recent))
    heard = (recent + weighted.liked_by)[order] > 0
    overall = np.concatenate([order[heard][:POPULAR_TRACKS], order[~heard][:POPULAR_TRACKS]])
    popular = np.full((len(markets), POPULAR_TRACKS + len(overall)), -1, dtype=np.int64)
    length = np.zeros(len(markets), dtype=np.int64)
    for row, market in enumerate(markets):
        own = weighted.recent[(weighted.recent["market"] == market) & (market != "")]
        own = own.nlargest(POPULAR_TRACKS, "listeners")
        names = pd.unique(np.concatenate([own["recording"].to_numpy(), overall]))
        popular[row, : len(names)], length[row] = names, len(own)
    return popular, length


def _by_new_artists(tracks: pd.DataFrame, artist: Ints, weighted: Weighted, week: pd.Timestamp) -> Bools:
    """(m,) true where the first artist came lately, or hardly anyone listens to them.  artist: (m,)."""
    since = tracks.groupby("recording")["known_from"].min()
    out = (week - since.dt.floor("D")).dt.days.clip(lower=0).astype(float).to_numpy()
    days = pd.Series(np.where(np.isnan(out), weighted.first_heard_days, out))
    oldest = days.groupby(artist).transform("max")
    listeners = pd.Series(weighted.liked_by).groupby(artist).transform("sum")
    new = (oldest <= EXPLORATION.new_artist_days) | (listeners < EXPLORATION.new_artist_listeners)
    return np.asarray(new, dtype=bool)
