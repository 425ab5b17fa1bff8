"""What a demo world's listeners would choose, by the tastes the world was made from.

Belongs here: the world's own score of every recording for every listener. Does not: lists, metrics, running a world.

The score is what the world draws first plays from: popularity, the listener's share of the genre, and the distance of
the track from the listener's taste, whichever edition of a recording suits best.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.arrays import Floats, Ints
from models_ml.demo_world.genres import GENRE_NAMES

_DISTANCE_WEIGHT = 3.0
_ANY_GENRE = 1e-4


@dataclass(frozen=True)
class LatentTastes:
    """Listeners and recordings of a week in the space that the world was drawn in.

    listeners: (k,) positions among the week's listeners of those the world tells the taste of.
    taste: (k, d).  shares: (k, genres).  place, fame, genre, recording: of each edition that is known.
    """

    listeners: Ints
    taste: Floats
    shares: Floats
    place: Floats
    fame: Floats
    genre: Ints
    recording: Ints
    recording_count: int

    @classmethod
    def of(cls, home: Home, week: dt.date, user_id: pa.Array) -> "LatentTastes":
        """From the truth beside the home's landing folder."""
        tastes, tracks = (pq.read_table(home.root / "truth" / f"{name}.parquet") for name in ("listeners", "tracks"))
        editions = Lake(home.lake).read_week("features/editions", week, ["recording_index", "track_id"])
        place = pc.index_in(tracks["track_id"].combine_chunks(), editions["track_id"].combine_chunks())
        there = tracks.filter(pc.is_valid(place))
        recording = editions["recording_index"].to_numpy()[place.drop_null().to_numpy()]
        users = pc.index_in(user_id, tastes["user_id"].combine_chunks())
        user = users.drop_null().to_numpy()
        return cls(
            np.flatnonzero(pc.is_valid(users).to_numpy(zero_copy_only=False)),
            _matrix(tastes["vector"])[user],
            _matrix(tastes["genre_shares"])[user],
            _matrix(there["vector"]),
            np.log(there["popularity"].to_numpy()),
            pc.index_in(there["genre"].combine_chunks(), pa.array(GENRE_NAMES.tolist())).to_numpy(),
            recording,
            int(editions["recording_index"].to_numpy().max(initial=-1)) + 1,
        )

    def scores(self, start: int, stop: int) -> Floats:
        """(b, recordings) of listeners[start:stop], -inf where no edition is known."""
        taste, shares = self.taste[start:stop], self.shares[start:stop]
        apart = (taste**2).sum(1)[:, None] - 2 * taste @ self.place.T + (self.place**2).sum(1)
        score = self.fame - _DISTANCE_WEIGHT * apart + np.log(shares[:, self.genre] + _ANY_GENRE)
        best = np.full((len(taste), self.recording_count), -np.inf)
        for column, recording in enumerate(self.recording):  # editions of one recording share its place
            best[:, recording] = np.maximum(best[:, recording], score[:, column])
        return best


def _matrix(column: pa.ChunkedArray) -> Floats:
    values = column.combine_chunks()
    return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), -1).astype(np.float64)
