"""The plain job's lists: candidates from implicit, filters, scores, thirty by rules, reasons; by batches of listeners.

Belongs here: everything between factors and the rows of a playlist, in arrays and pandas groups.
Does not: training (plain_job.py), weights (plain_engagement.py).
"""

from dataclasses import dataclass

import implicit.cpu.als
import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from models_ml.arrays import Floats, Ints
from tests.benchmarks.plain_engagement import Weighted
from tests.benchmarks.plain_input import Input
from tests.benchmarks.stopwatch import Stopwatch

LENGTH = 30
CANDIDATES = 400
DEEP_CANDIDATES = 4000
DEEP_LISTENERS = 512
FRESH_CANDIDATES = 20
FRESH_DAYS = 28
FRESH_MINIMUM_LISTENERS = 2
POPULAR_TRACKS = 1000
TRACKS_PER_ARTIST = TRACKS_PER_ALBUM = 2
KNOWN_ARTIST_TRACKS = LENGTH // 2
POPULARITY_PENALTY = 0.05
FRESHNESS_WEIGHT = 0.05
FRESHNESS_HALF_LIFE_DAYS = 21.0
# More than any two scores lie apart.
_APART = 50.0
# Listeners with histories about as long are compared at once.
ANCHOR_LISTENERS = 256


@dataclass(frozen=True)
class Catalogue:
    """What stands for each recording, and what each audience is given of it.

    edition: (audiences, m) track, -1 where none may be given.  audience: (n,) row of it.
    main_edition: (m,) the track most listeners know.  percentile, age_days: (m,).  fresh: recordings.
    popular: (markets, k) recordings, -1 past the end.  market: (n,) row of it.
    artist, album: (tracks,).
    """

    edition: Ints
    audience: Ints
    main_edition: Ints
    percentile: Floats
    age_days: Floats
    fresh: Ints
    popular: Ints
    market: Ints
    artist: Ints
    album: Ints


def make_catalogue(given: Input, weighted: Weighted, week: pd.Timestamp) -> Catalogue:
    """The catalogue as arrays."""
    tracks, users = given.tracks, given.users
    preferred = tracks.assign(heard_by=weighted.heard_by).sort_values(
        ["recording", "heard_by", "released_on", "track_id"], ascending=[True, False, True, True]
    )
    markets, market_names = pd.factorize(users["market"].fillna(""))
    audience, audiences = pd.factorize(pd.Series(markets * 2 + users["minds_explicit"].to_numpy()))
    released = tracks.groupby("recording")["released_on"].min()
    age_days = (week - released).dt.days.clip(lower=0).to_numpy(dtype=float)
    recent = weighted.recent.groupby("recording")["listeners"].sum().reindex(released.index, fill_value=0).to_numpy()
    liked_by = pd.Series(weighted.liked_by)
    album = pd.factorize(tracks["album_id"])[0]
    return Catalogue(
        edition=_editions(given, preferred, [str(name) for name in market_names], audiences),
        audience=audience,
        main_edition=preferred.index[~preferred["recording"].duplicated()].to_numpy(),
        percentile=((liked_by.rank(method="min") - 1) / max(1, len(liked_by) - 1)).to_numpy(),
        age_days=age_days,
        fresh=np.flatnonzero((age_days <= FRESH_DAYS) & (recent >= FRESH_MINIMUM_LISTENERS)),
        popular=_popular(weighted, recent, [str(name) for name in market_names]),
        market=markets,
        artist=pd.factorize(tracks["artist_id"])[0],
        album=np.where(album < 0, -1 - np.arange(len(album)), album),  # tracks without one don't share one
    )


def _editions(given: Input, preferred: pd.DataFrame, markets: list[str], audiences: Ints) -> Ints:
    """(audiences, m): of each recording the first track that this audience may be given."""
    tracks, overrides = given.tracks, given.overrides
    credited = tracks["artist_ids"].explode().isin(overrides["artist_id"].dropna()).groupby(level=0).any()
    gone = credited | tracks["artist_id"].isin(overrides["artist_id"].dropna())
    gone |= tracks["track_id"].isin(overrides["track_id"].dropna())
    somewhere = tracks["markets"].explode().dropna().astype("str").str.upper()
    everywhere = ~tracks.index.isin(somewhere.index)
    edition = np.full((len(audiences), int(tracks["recording"].max()) + 1), -1, dtype=np.int32)
    for row, audience in enumerate(audiences):
        here = everywhere | tracks.index.isin(somewhere.index[somewhere == markets[audience // 2]])
        allowed = here & ~gone.to_numpy() & ~((audience % 2 == 1) & tracks["explicit"].to_numpy())
        first = preferred[allowed[preferred.index]].drop_duplicates("recording")
        edition[row, first["recording"]] = first.index
    return edition


def _popular(weighted: Weighted, recent: Ints, markets: list[str]) -> Ints:
    """(markets, k): what a market's listeners hear lately, then what everybody does."""
    overall = np.lexsort((-weighted.liked_by, -recent))[: 2 * POPULAR_TRACKS]
    popular = np.full((len(markets), POPULAR_TRACKS + len(overall)), -1, dtype=np.int64)
    for row, market in enumerate(markets):
        own = weighted.recent[weighted.recent["market"] == market].nlargest(POPULAR_TRACKS, "listeners")
        names = pd.unique(np.concatenate([own["recording"].to_numpy(), overall]))
        popular[row, : len(names)] = names
    return popular


class ListMaker:
    """Makes the lists of a batch of listeners."""

    def __init__(
        self,
        given: Input,
        weighted: Weighted,
        catalogue: Catalogue,
        model: implicit.cpu.als.AlternatingLeastSquares,
    ) -> None:
        """The week's data and its factors."""
        self._given, self._weighted, self._catalogue, self._model = given, weighted, catalogue, model
        self._liked = weighted.signed.maximum(0).tocsr()
        self._liked.eliminate_zeros()
        self._has_vector = np.diff(self._liked.indptr) > 0
        length = np.linalg.norm(model.item_factors, axis=1, keepdims=True)
        self._directions = model.item_factors / np.maximum(length, 1e-9)

    def lists(self, users: Ints, clock: Stopwatch) -> pd.DataFrame:
        """Thirty rows a listener, in the order heard; none for listeners with too few candidates."""
        with clock("candidates"):
            found = self._scored(users, self._candidates(users, CANDIDATES))
        with clock("rules"):
            parts = [_by_rules(found)]
        short = np.flatnonzero(np.bincount(parts[0]["row"], minlength=len(users)) < LENGTH)
        parts[0] = parts[0][~parts[0]["row"].isin(short)]
        for start in range(0, len(short), DEEP_LISTENERS):
            some = short[start : start + DEEP_LISTENERS]
            with clock("candidates"):
                deeper = self._scored(users[some], self._candidates(users[some], DEEP_CANDIDATES))
            with clock("rules"):
                filled = _filled(deeper)
                parts.append(filled.assign(row=some[filled["row"]]))
        fitting = pd.concat(parts, ignore_index=True)
        with clock("rules"):
            chosen = _in_order_heard(fitting)
        with clock("reasons"):
            return self._with_words(users, chosen)

    def _candidates(self, users: Ints, count: int) -> pd.DataFrame:
        """row, recording, collaborative, popularity, personal: by vector, fresh ones too, else what is popular."""
        rows = np.flatnonzero(self._has_vector[users])
        parts = [self._recommended(users, rows, count, None)]
        if len(self._catalogue.fresh):
            parts.append(self._recommended(users, rows, FRESH_CANDIDATES, self._catalogue.fresh))
        # Whoever has no vector, or is short of candidates, is given what is popular.
        others = np.flatnonzero(~self._has_vector[users]) if count == CANDIDATES else np.arange(len(users))
        parts.append(self._popular(users, others))
        return pd.concat(parts, ignore_index=True).drop_duplicates(["row", "recording"])

    def _recommended(self, users: Ints, rows: Ints, count: int, items: Ints | None) -> pd.DataFrame:
        """The best by implicit, without what is heard, sampled or blocked."""
        ids, scores = self._model.recommend(
            users[rows], self._weighted.excluded[users[rows]], N=min(count, self._liked.shape[1]), items=items
        )
        frame = pd.DataFrame({"row": np.repeat(rows, ids.shape[1]), "recording": ids.ravel()})
        frame["collaborative"] = scores.ravel().astype(np.float64)
        frame["personal"] = True
        frame["popularity"] = -POPULARITY_PENALTY * self._catalogue.percentile[frame["recording"]]
        # implicit pads what it filtered out with the lowest number there is.
        return frame[(frame["recording"] >= 0) & (frame["collaborative"] > -1e30)]

    def _popular(self, users: Ints, rows: Ints) -> pd.DataFrame:
        """What is popular in each market and not excluded; its place in the list is its popularity."""
        popular = self._catalogue.popular[self._catalogue.market[users[rows]]]
        owner = np.repeat(rows, popular.shape[1])
        frame = pd.DataFrame({"row": owner, "recording": popular.ravel(), "collaborative": 0.0, "personal": False})
        frame["popularity"] = np.tile(1.0 - np.arange(popular.shape[1]) / popular.shape[1], len(rows))
        frame = frame[frame["recording"] >= 0]
        excluded = self._weighted.excluded[users[frame["row"]], frame["recording"]]
        return frame[np.asarray(excluded).ravel() == 0]

    def _scored(self, users: Ints, found: pd.DataFrame) -> pd.DataFrame:
        """Candidates that pass the filters, with track and score, best first."""
        catalogue, weighted = self._catalogue, self._weighted
        track = catalogue.edition[catalogue.audience[users[found["row"]]], found["recording"]]
        found = found[track >= 0].assign(track=track[track >= 0])
        row, recording = found["row"].to_numpy(), found["recording"].to_numpy()
        credited = weighted.credits[found["track"]]
        blocked = weighted.blocked_artists[users].toarray()[row[:, None], credited].any(axis=1)
        known = weighted.known_artists[users].toarray()[row[:, None], credited].any(axis=1)
        fresh = FRESHNESS_WEIGHT * 0.5 ** (catalogue.age_days[recording] / FRESHNESS_HALF_LIFE_DAYS)
        found = found.assign(
            artist=catalogue.artist[found["track"]],
            album=catalogue.album[found["track"]],
            is_new=~known,
            freshness=np.nan_to_num(fresh),
        )
        found["score"] = found["collaborative"] + found["popularity"] + found["freshness"]
        # One number to sort by, several times faster than three keys: listener, then personal ones, then score.
        before = np.where(found["personal"], found["score"], found["score"] - _APART)
        order = np.argsort(row * 2 * _APART - before, kind="stable")
        return found.iloc[order[~blocked[order]]]

    def _with_words(self, users: Ints, chosen: pd.DataFrame) -> pd.DataFrame:
        """The rows as they are published."""
        tracks, people = self._given.tracks, self._given.users
        texts = tracks[["track_id", "title", "artist_id", "artist_name"]].take(chosen["track"]).reset_index(drop=True)
        anchor = self._anchors(users, chosen)
        anchor_track = self._catalogue.main_edition[anchor]
        because = pd.Series(anchor >= 0)
        title = tracks["title"].take(anchor_track).reset_index(drop=True)
        artist = tracks["artist_name"].take(anchor_track).reset_index(drop=True)
        because_you = "Because you played “" + title + "” by " + artist
        owner = users[chosen["row"]]
        market = people["market"].take(owner).reset_index(drop=True)
        heard = ("Listeners in " + market + " play it these weeks").fillna("Others listen to it")
        is_fresh = self._catalogue.age_days[chosen["recording"]] <= FRESH_DAYS
        is_fresh &= (chosen["freshness"] >= chosen[["collaborative", "popularity"]].max(axis=1)).to_numpy()
        position = chosen.groupby("row").cumcount() + 1
        return pd.DataFrame(
            {
                "user_id": people["user_id"].take(owner).reset_index(drop=True),
                "position": position.astype(np.int8),
                **texts,
                "is_new_artist": chosen["is_new"],
                "final_score": chosen["score"],
                "contribution_collaborative": chosen["collaborative"],
                "contribution_popularity": chosen["popularity"],
                "contribution_freshness": chosen["freshness"],
                "reason_code": np.select([is_fresh, because], ["new_release", "because_you_played"], "popular"),
                "reason": because_you.where(because, heard).mask(is_fresh, "A new release"),
                "anchor_track_id": tracks["track_id"].take(anchor_track).reset_index(drop=True).where(because),
            }
        )

    def _anchors(self, users: Ints, chosen: pd.DataFrame) -> Ints:
        """The liked recording whose factors point most nearly where each track's do, -1 without one."""
        lists = chosen["recording"].to_numpy().reshape(-1, LENGTH)
        personal = chosen["personal"].to_numpy().reshape(-1, LENGTH)
        owners = users[chosen["row"].to_numpy()[::LENGTH]]
        anchors = np.full(lists.shape, -1, dtype=np.int64)
        lengths = np.diff(self._liked.indptr)[owners]
        by_length = np.argsort(lengths, kind="stable")
        by_length = by_length[lengths[by_length] > 0]
        for start in range(0, len(by_length), ANCHOR_LISTENERS):
            some = by_length[start : start + ANCHOR_LISTENERS]
            history = self._history(owners[some])
            near = self._directions[lists[some]] @ self._directions[history].transpose(0, 2, 1)
            near[np.broadcast_to((history < 0)[:, None, :], near.shape)] = -np.inf
            anchors[some] = np.take_along_axis(history, near.argmax(axis=2), axis=1)
        return np.where(personal, anchors, -1).ravel()

    def _history(self, owners: Ints) -> Ints:
        """(b, h) liked recordings of these listeners, -1 past the end."""
        liked = self._liked[owners]
        lengths = np.diff(liked.indptr)
        history = np.full((len(owners), int(lengths.max())), -1, dtype=np.int64)
        history[np.arange(history.shape[1]) < lengths[:, None]] = liked.indices
        return history


def _by_rules(found: pd.DataFrame) -> pd.DataFrame:
    """The best of each listener that keep the rules: two an artist and album, half by new artists."""
    found = found[found.groupby(["row", "artist"]).cumcount() < TRACKS_PER_ARTIST]
    found = found[found.groupby(["row", "album"]).cumcount() < TRACKS_PER_ALBUM]
    place_of_its_kind = found.groupby(["row", "is_new"]).cumcount()
    found = found[found["is_new"] | (place_of_its_kind < KNOWN_ARTIST_TRACKS)]
    return found[found.groupby("row").cumcount() < LENGTH]


def _filled(found: pd.DataFrame) -> pd.DataFrame:
    """As _by_rules, and where that gives fewer than thirty, the best of the rest; nothing where even they are few."""
    fitting = _by_rules(found)
    rest = found.drop(fitting.index)
    both = pd.concat([fitting, rest])
    both = both.iloc[np.argsort(both["row"], kind="stable")]
    both = both[both.groupby("row").cumcount() < LENGTH]
    return both[both.groupby("row")["row"].transform("size") == LENGTH]


def _in_order_heard(chosen: pd.DataFrame) -> pd.DataFrame:
    """Best first, an artist's second track after everybody's first, so that neighbours hardly ever share one."""
    chosen = chosen.iloc[np.lexsort((-chosen["score"], chosen["row"]))]
    turn = chosen.groupby(["row", "artist"]).cumcount()
    return chosen.iloc[np.lexsort((turn, chosen["row"]))].reset_index(drop=True)
