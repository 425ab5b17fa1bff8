"""The truth that reactions to playlists are drawn from: people, tracks, and what earlier weeks left behind.

Belongs here: reading truth files as arrays, and the moods that are kept between weeks as files.
Does not: drawing reactions (reactions.py), writing landing files (reaction_files.py).
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.demo_world.draws import Bools, Floats, Ints
from models_ml.demo_world.latent import to_units
from models_ml.demo_world.reaction_rows import Liked
from models_ml.demo_world.reactions import Moods
from models_ml.demo_world.world_files import FILE_NAMES
from models_ml.errors import InputError

# Weeks that what was heard in lists tires for, and that what was liked there is come back to.
WEEKS_REMEMBERED = 4
SLOTS_FILE, MOODS_FILE = "slots.parquet", "listeners.parquet"
_LISTENING_KINDS = ("usual", "events_only")
# Of the few tracks whose length nobody knows.
_USUAL_DURATION_MS = 210_000


@dataclass(frozen=True)
class People:
    """Everyone of the world; arrays of (listeners,).

    user_id: texts.  listens: False for those who play nothing or of whom only totals are known.  novelty: -1 to 1.
    tastes: (listeners, modes, dimensions) thousandths.  has_taste: (listeners, modes).
    """

    user_id: pa.Array
    listens: Bools
    novelty: Floats
    tastes: Ints
    has_taste: Bools


@dataclass(frozen=True)
class Music:
    """All tracks; arrays of (tracks,).

    track_id: texts.  place: (tracks, dimensions) thousandths.  artist, genre: codes.  duration_ms: of the track.
    """

    track_id: pa.Array
    place: Ints
    artist: Ints
    genre: Ints
    duration_ms: Ints


@dataclass(frozen=True)
class Past:
    """What lists of the last weeks brought.

    artists, genres: how often, by listener and code.  liked: what was saved or liked; weeks_ago: (liked,).
    """

    artists: "Counts"
    genres: "Counts"
    liked: Liked
    weeks_ago: Ints


@dataclass(frozen=True)
class Counts:
    """How often each pair of a listener and a code occurred; keys are sorted."""

    width: int
    keys: Ints
    counts: Ints

    @classmethod
    def of(cls, listener: Ints, code: Ints, width: int) -> "Counts":
        """Counts of pairs; width: one more than the highest code."""
        return cls(width, *np.unique(listener * np.int64(width) + code, return_counts=True))

    def at(self, listener: Ints, codes: Ints) -> Ints:
        """(lists, places) counts of the listeners (lists,) and codes (lists, places)."""
        if not len(self.keys):
            return np.zeros(codes.shape, dtype=np.int64)
        wanted = listener[:, None] * np.int64(self.width) + codes
        found = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[found] == wanted, self.counts[found], 0)


def read_people(truth: Path) -> People:
    """Everyone, in the order of the truth."""
    table = pq.read_table(truth / "listeners.parquet").combine_chunks()
    if "mode_vectors" not in table.column_names:
        raise InputError(f"{truth}: written by an older version; empty landing and truth, and write the world again")
    vectors = table["mode_vectors"].combine_chunks()
    counts = vectors.value_lengths().to_numpy()
    flat = vectors.flatten()
    has_taste = np.arange(counts.max(initial=1)) < counts[:, None]
    tastes = np.zeros((*has_taste.shape, flat.type.list_size), dtype=np.int32)
    tastes[has_taste] = _places(flat)
    listens = pc.is_in(table["kind"], pa.array(_LISTENING_KINDS)).to_numpy()
    return People(table["user_id"].combine_chunks(), listens, table["novelty"].to_numpy(), tastes, has_taste)


def _places(vectors: pa.Array) -> Ints:
    return to_units(vectors.flatten().to_numpy().reshape(-1, vectors.type.list_size).astype(np.float64))


def read_music(landing: Path, truth: Path) -> Music:
    """All tracks, by track_id: what they are from the truth, who made them and how long they are from landing."""
    told = pq.read_table(landing / "tracks" / FILE_NAMES["tracks"], columns=["track_id", "artist_id", "duration_ms"])
    true = pq.read_table(truth / "tracks.parquet", columns=["track_id", "vector", "genre"])
    rows = positions(told["track_id"], true["track_id"])
    duration = pc.fill_null(told["duration_ms"], _USUAL_DURATION_MS).to_numpy()[rows]
    return Music(
        track_id=true["track_id"].combine_chunks(),
        place=_places(true["vector"].combine_chunks()),
        artist=_codes(told["artist_id"])[rows],
        genre=_codes(true["genre"]),
        duration_ms=duration,
    )


def _codes(texts: pa.ChunkedArray) -> Ints:
    """(n,) codes of texts, by their order."""
    codes: Ints = np.unique(texts.to_numpy(), return_inverse=True)[1]
    return codes


def positions(texts: pa.Array | pa.ChunkedArray, wanted: pa.Array | pa.ChunkedArray) -> Ints:
    """(wanted,) where each stands among the texts. Raises InputError naming the first that doesn't."""
    values = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    found = pc.index_in(wanted, value_set=values)
    if found.null_count:
        missing = wanted.filter(pc.is_null(found))[0].as_py()
        raise InputError(f"demo world: {missing} was given and is not of this world; run the demo in a home of its own")
    places: Ints = found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy()
    return places.astype(np.int64)


def week_folder(truth: Path, week: dt.date) -> Path:
    """Where the truth about the reactions to a week's lists is kept; there once they have landed."""
    return truth / "reactions" / f"week={week.isoformat()}"


def read_moods(truth: Path, week: dt.date, people: People) -> Moods:
    """The moods that the newest earlier week left everyone in."""
    folder = truth / "reactions"
    weeks = sorted(path.name.removeprefix("week=") for path in folder.glob("week=*"))
    earlier = [name for name in weeks if name < week.isoformat()]
    if not earlier:
        return Moods.none(len(people.user_id))
    table = pq.read_table(folder / f"week={earlier[-1]}" / MOODS_FILE, partitioning=None)
    names = ("boredom", "delight", "bored_weeks", "gone")
    return Moods(*(table[name].to_numpy() for name in names))


def mood_table(people: People, opened: Bools, moods: Moods) -> pa.Table:
    """One row per listener: whether they opened the week's list, and the mood they were left in."""
    return pa.table(
        {
            "user_id": people.user_id,
            "opened": pa.array(opened),
            "boredom": pa.array(moods.boredom),
            "delight": pa.array(moods.delight),
            "bored_weeks": pa.array(moods.bored_weeks),
            "gone": pa.array(moods.gone),
        }
    )


def read_past(truth: Path, week: dt.date, people: People, music: Music) -> Past:
    """What the lists of the last weeks brought and what of it was liked."""
    listener, track, said, weeks_ago = [], [], [], []
    for back in range(1, WEEKS_REMEMBERED + 1):
        path = week_folder(truth, week - dt.timedelta(weeks=back)) / SLOTS_FILE
        if path.is_file():
            slots = pq.read_table(path, partitioning=None)
            listener.append(positions(people.user_id, slots["user_id"]))
            track.append(positions(music.track_id, slots["track_id"]))
            kept = pc.or_(slots["saved"], slots["liked"]).to_numpy()
            said.append(np.where(kept, slots["said_at"].cast(pa.int64()).to_numpy(), 0))
            weeks_ago.append(np.full(len(slots), back))
    none: list[Ints] = [np.zeros(0, dtype=np.int64)]
    listeners, tracks, moments, ages = (np.concatenate(rows or none) for rows in (listener, track, said, weeks_ago))
    kept = moments > 0
    return Past(
        artists=Counts.of(listeners, music.artist[tracks], int(music.artist.max()) + 1),
        genres=Counts.of(listeners, music.genre[tracks], int(music.genre.max()) + 1),
        liked=Liked(listeners[kept], tracks[kept], music.duration_ms[tracks[kept]], moments[kept]),
        weeks_ago=ages[kept],
    )
