"""The plain job's listeners: implicit's vectors, and where those start of whom little or nothing was heard.

Belongs here: what a listener named as if it were liked, the mean of those who joined alike, the rung of each.
Does not: training (plain_job.py), recordings (plain_fusion.py).
"""

from dataclasses import dataclass

import implicit.cpu.als
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Floats, Ints
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, FOLD_IN_RUNG, POPULAR_RUNG, SEGMENT_RUNG
from models_ml.starting import StartingParams
from tests.benchmarks.plain_genres import Genres, genre_lists
from tests.benchmarks.plain_input import Input, positions

PARAMS = StartingParams()


@dataclass(frozen=True)
class Listeners:
    """n listeners.

    vectors: (n, f) float32, zero for who gets what is popular.  rung: (n,) codes of rules.RUNGS.
    named_artists: (n, a) and named_genres: (n, g), true for favourites.
    """

    vectors: Floats
    rung: Ints
    named_artists: scipy.sparse.csr_matrix
    named_genres: scipy.sparse.csr_matrix


def start(
    model: implicit.cpu.als.AlternatingLeastSquares,
    signed: scipy.sparse.csr_matrix,
    given: Input,
    genres: Genres,
    liked_by: Ints,
) -> Listeners:
    """Vectors and rungs of all listeners.  signed: (n, m).  liked_by: (m,)."""
    count = signed.shape[0]
    liked = np.bincount(np.repeat(np.arange(count), np.diff(signed.indptr))[signed.data > 0], minlength=count)
    vectors = np.where((liked > 0)[:, None], model.user_factors, 0.0).astype(np.float32)
    artists, artist_recordings = _of_artists(given, liked_by)
    named_genres, genre_recordings = _of_genres(given, genres, liked_by)
    few = np.flatnonzero((liked < PARAMS.fold_in_below) & (np.diff(artists.indptr) + np.diff(named_genres.indptr) > 0))
    if len(few):
        named = artists[few] @ artist_recordings + named_genres[few] @ genre_recordings
        named.data[:] = PARAMS.named_confidence
        own = signed[few]
        together = named + own - named.multiply(own != 0)
        solved = model.recalculate_user(few, together.tocsr().astype(np.float32))
        says = np.abs(solved).sum(axis=1) > 0
        vectors[few[says]] = solved[says]
    known = vectors.any(axis=1)
    rung = np.select(
        [known & (liked >= PARAMS.fold_in_below), known & (liked > 0), known],
        [COLLABORATIVE_RUNG, FOLD_IN_RUNG, CONTENT_RUNG],
        POPULAR_RUNG,
    )
    _start_with_their_like(vectors, rung, given.users)
    return Listeners(vectors, rung, artists, named_genres)


def _of_artists(given: Input, liked_by: Ints) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """((n, a) named artists, (a, m) the most heard recordings of each)."""
    ids = pd.Index(given.tracks["artist_id"].unique())
    named = given.users["favourite_artist_ids"].explode().dropna().astype("str").str.strip()
    artist = positions(given.tracks["artist_id"], ids)
    most = _most_heard(artist, given.tracks["recording"].to_numpy(), liked_by, PARAMS.named_artist_recordings)
    return _flags(named.index.to_numpy(), positions(named, ids), (len(given.users), len(ids))), _flags(
        *most, (len(ids), len(liked_by))
    )


def _of_genres(given: Input, genres: Genres, liked_by: Ints) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """((n, g) named genres, (g, m) the most heard recordings of each, by all that any edition is said to be)."""
    names = pd.Index(genres.names)
    named = genre_lists(given.users["favourite_genres"])
    said = genre_lists(given.tracks["genres"])
    recording = given.tracks["recording"].to_numpy()[said.index.to_numpy()]
    most = _most_heard(positions(said, names), recording, liked_by, PARAMS.named_genre_recordings)
    return _flags(named.index.to_numpy(), positions(named, names), (len(given.users), len(names))), _flags(
        *most, (len(names), len(liked_by))
    )


def _most_heard(owner: Ints, recording: Ints, liked_by: Ints, most: int) -> tuple[Ints, Ints]:
    """(owner, recording) of the few that most like, of each owner."""
    pairs = pd.DataFrame({"owner": owner, "recording": recording, "liked_by": liked_by[recording]}).drop_duplicates()
    pairs = pairs[(pairs["owner"] >= 0) & (pairs["liked_by"] > 0)]
    pairs = pairs.sort_values(["liked_by", "recording"], ascending=[False, True])
    pairs = pairs[pairs.groupby("owner").cumcount() < most]
    return pairs["owner"].to_numpy(), pairs["recording"].to_numpy()


def _flags(rows: Ints, columns: Ints, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    """Ones at these places, those below zero left out."""
    known = columns >= 0
    flags = scipy.sparse.csr_matrix((np.ones(int(known.sum())), (rows[known], columns[known])), shape=shape)
    flags.sum_duplicates()
    flags.data[:] = 1
    return flags


def _start_with_their_like(vectors: Floats, rung: Ints, users: pd.DataFrame) -> None:
    """Give who has no vector the mean of their market and sign-up week, else of their market, if enough are known."""
    week = users["registered_at"].astype("int64").where(users["registered_at"].notna()) // (7 * 86_400_000)
    known, teaches = vectors.any(axis=1), rung == COLLABORATIVE_RUNG
    for keys in ([users["market"]], [users["market"], week]):  # the narrower one last
        there = pd.concat(keys, axis=1).notna().all(axis=1).to_numpy()
        code = pd.factorize(pd.MultiIndex.from_arrays(keys))[0]
        belongs = scipy.sparse.csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))))
        members = belongs @ (teaches & there).astype(float)
        sums = belongs @ np.where((teaches & there)[:, None], vectors, 0)
        led = np.flatnonzero(~known & there & (members[code] >= PARAMS.segment_minimum))
        vectors[led] = (sums / np.maximum(members, 1)[:, None])[code[led]]
        rung[led] = SEGMENT_RUNG
