"""The plain job's input: landing files as pandas frames, rows that can't be used left out.

Belongs here: reading files, cleaning, the as-of cut, which tracks are one recording.
Does not: weights (plain_engagement.py), lists (plain_lists.py).
"""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.arrays import Ints

SEEDS = Path(__file__).resolve().parents[2] / "warehouse" / "seeds"
EVENT_TYPES = pd.CategoricalDtype(
    [
        *("play", "skip", "save", "unsave", "playlist_add", "playlist_remove"),
        *("like", "dislike", "block_track", "block_artist", "impression"),
    ]
)
CONTEXTS = pd.CategoricalDtype(["chosen", "library", "lean_back", "own_playlist"])
ENDS = pd.CategoricalDtype(["listener", "finished", "interrupted"])
EVENT_COLUMNS = [
    *("user_id", "event_type", "occurred_at", "track_id", "artist_id", "event_id", "ms_played", "reason_end"),
    *("is_private", "context_type", "context_id"),
]
TRACK_COLUMNS = [
    *("track_id", "title", "artist_id", "artist_name", "artist_ids", "album_id", "duration_ms", "released_on"),
    *("available_from", "explicit", "markets", "isrc", "recording_id"),
]
# Read as dictionaries: a value's text is looked at once, not once a row.
FEW_VALUES = ["user_id", "event_type", "track_id", "artist_id", "reason_end", "context_type", "context_id"]
OWN_PLAYLIST = r"[a-z0-9_-]+:\d{4}-\d{2}-\d{2}:"
EDITION = r"remaster|deluxe|edition|version|anniversary|mono|stereo|bonus|explicit|clean|radio edit|single|feat|ft\b"
PERFORMANCE = r"live|remix|acoustic|instrumental|demo|karaoke|extended|session|cover|orchestra"


@dataclass(frozen=True)
class Input:
    """What is known before the Monday.

    events: user, track (positions), event_type, occurred_at, context, end, ms_played.
    counts: user, track, play_count.  blocked_artists: user, artist_id.
    tracks: one row a track, position as index; recording is a position too.  users: one row a listener.
    """

    events: pd.DataFrame
    counts: pd.DataFrame
    blocked_artists: pd.DataFrame
    tracks: pd.DataFrame
    users: pd.DataFrame
    overrides: pd.DataFrame


def read_input(landing: Path, week: pd.Timestamp) -> Input:
    """All the datasets the job needs."""
    tracks = _read_tracks(landing, week)
    track_ids = pd.Index(tracks["track_id"])
    counts, events = _read_counts(landing, week), _read_events(landing, week)
    counts, events = (frame.assign(track=positions(frame["track_id"], track_ids)) for frame in (counts, events))
    blocks_artist = events["event_type"] == "block_artist"
    events = events[(events["track"] >= 0) | (blocks_artist & events["track_id"].isna())]
    counts = counts[counts["track"] >= 0]
    users = _everyone(_read_users(landing, week), events, counts)
    user_ids = pd.Index(users["user_id"])
    counts, events = (frame.assign(user=positions(frame["user_id"], user_ids)) for frame in (counts, events))
    blocked = events.loc[events["event_type"] == "block_artist", ["user", "artist_id", "track"]]
    of_track = tracks["artist_id"].reindex(blocked["track"]).to_numpy()
    blocked = blocked.assign(artist_id=blocked["artist_id"].where(blocked["artist_id"].notna(), of_track))
    events = events[events["track"] >= 0].drop(columns=["user_id", "track_id", "artist_id"])
    counts = counts[["user", "track", "play_count"]]
    return Input(events, counts, blocked, tracks, users, _read_overrides(landing, week))


def _everyone(users: pd.DataFrame, events: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """The known users and whoever has an event or a count, by id."""
    seen = [users["user_id"], *(pd.Series(frame["user_id"].unique()) for frame in (events, counts))]
    ids = pd.Index(pd.concat(seen).unique(), name="user_id").sort_values()
    everyone = users.set_index("user_id").reindex(ids).reset_index()
    return everyone.assign(minds_explicit=everyone["minds_explicit"].eq(True))


def positions(values: pd.Series, index: pd.Index) -> Ints:
    """Where each value stands in the index, -1 where it doesn't: each text is looked up once."""
    codes, texts = pd.factorize(values)
    found = np.append(index.get_indexer(pd.Index(texts)), -1)
    return np.asarray(found[codes], dtype=np.int32)


def _frames(landing: Path, dataset: str, columns: list[str]) -> Iterator[pd.DataFrame]:
    """One frame a file, with these columns; a file that can't be read is named and left out."""
    for path in sorted((landing / dataset).rglob("*")):
        if path.is_dir() or path.name.startswith((".", "_")) or path.suffix in (".tmp", ".part"):
            continue
        try:
            frame = _frame(path, columns)
        except (pa.ArrowException, ValueError, OSError) as error:
            print(f"left out: {path}: {error}", file=sys.stderr)
            continue
        yield frame.reindex(columns=columns)


def _whole(landing: Path, dataset: str, columns: list[str]) -> pd.DataFrame:
    """All files of a small dataset; no rows where there are none."""
    frames = list(_frames(landing, dataset, columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _frame(path: Path, columns: list[str]) -> pd.DataFrame:
    if path.suffix == ".parquet":
        # read_schema first: columns that a file lacks are null, not an error.
        known = [column for column in columns if column in pq.read_schema(path).names]
        few = [column for column in FEW_VALUES if column in known and pa.types.is_string(_type_of(path, column))]
        return pq.read_table(path, columns=known, read_dictionary=few).to_pandas()
    with pa.input_stream(str(path)) as stream:  # gz and zst by their endings
        content = io.BytesIO(stream.read())
    if ".csv" in path.suffixes:
        return pd.read_csv(content, dtype="str")
    return pd.read_json(content, lines=True, dtype=False)


def _type_of(path: Path, column: str) -> pa.DataType:
    return pq.read_schema(path).field(column).type


def _moments(values: pd.Series) -> pd.Series:
    """UTC moments, NaT where there is none that can be read."""
    return pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601").dt.as_unit("ms")


def _read_events(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    """Usable events before the week: each file is cut down before the next one is read."""
    parts = [_clean_events(part, week) for part in _frames(landing, "events", EVENT_COLUMNS)]
    if not parts:
        parts = [_clean_events(pd.DataFrame(columns=EVENT_COLUMNS), week)]
    events = pd.concat(parts, ignore_index=True)
    named = events["event_id"].notna()
    again = events.duplicated("event_id") & named
    nameless = events[~named].drop(columns="event_id")
    again.loc[nameless.index[nameless.duplicated()]] = True
    kept = events[~again & ~events["is_private"]]
    return kept.drop(columns=["event_id", "is_private"]).reset_index(drop=True)


def _clean_events(events: pd.DataFrame, week: pd.Timestamp) -> pd.DataFrame:
    """Rows that can be used, contexts and ends as their classes."""
    contexts = pd.read_csv(SEEDS / "context_classes.csv").set_index("context_type")["context_class"]
    ends = pd.read_csv(SEEDS / "end_reasons.csv").set_index("reason_end")["end_class"]
    context = _lowered(events["context_type"]).map(contexts).astype(CONTEXTS).fillna("chosen")
    event_type = _lowered(events["event_type"])
    own = events["context_id"].astype("category").cat.categories.astype("str")
    own = own[own.str.match(OWN_PLAYLIST)]
    clean = pd.DataFrame(
        {
            "user_id": events["user_id"].astype("str"),
            "event_type": event_type.where(event_type.isin(EVENT_TYPES.categories)).astype(EVENT_TYPES),
            "occurred_at": _moments(events["occurred_at"]),
            "track_id": events["track_id"].astype("str"),
            "artist_id": events["artist_id"].astype("str"),
            "event_id": events["event_id"].astype("str"),
            "ms_played": pd.to_numeric(events["ms_played"], errors="coerce"),
            "context": context.mask(events["context_id"].isin(own), "own_playlist"),
            "end": _lowered(events["reason_end"]).map(ends).astype(ENDS),
            "is_private": events["is_private"].astype("boolean").fillna(False).astype(bool),
        }
    )
    needed = clean["track_id"].notna() | ((clean["event_type"] == "block_artist") & clean["artist_id"].notna())
    usable = clean["user_id"].notna() & clean["event_type"].notna() & needed & ~(clean["ms_played"] < 0)
    return clean[usable & (clean["occurred_at"] < week)]


def _lowered(values: pd.Series) -> pd.Series:
    """Lower case, each text changed once."""
    category = values.astype("category")
    return category.map({text: str(text).lower() for text in category.cat.categories}).astype("str")


def _read_counts(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    """The latest total of each listener and track; what was heard once stays heard."""
    columns = ["user_id", "track_id", "play_count", "observed_at"]
    counts = _whole(landing, "play_counts", columns)
    observed = _moments(counts["observed_at"])
    counts = counts.assign(play_count=pd.to_numeric(counts["play_count"], errors="coerce"), observed_at=observed)
    counts = counts.dropna(subset=["user_id", "track_id", "play_count"])
    counts = counts[~(counts["observed_at"] >= week)].sort_values("observed_at", na_position="first", kind="stable")
    ever = counts.groupby(["user_id", "track_id"])["play_count"].transform("max") > 0
    return counts[ever].drop_duplicates(["user_id", "track_id"], keep="last")


def _read_users(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    columns = ["user_id", "registered_at", "market", "allow_explicit"]
    users = _whole(landing, "users", columns).dropna(subset=["user_id"])
    users = users[~(_moments(users["registered_at"]) >= week)].drop_duplicates("user_id", keep="last")
    market = users["market"].astype("str").str.strip().str.upper()
    minds_explicit = users["allow_explicit"].astype("str").str.lower() == "false"
    return pd.DataFrame({"user_id": users["user_id"], "market": market, "minds_explicit": minds_explicit})


def _read_overrides(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    frame = _whole(landing, "overrides", ["track_id", "artist_id", "action", "valid_from", "valid_to"])
    in_force = ~(_moments(frame["valid_from"]) > week) & ~(_moments(frame["valid_to"]) <= week)
    return frame[in_force & frame["action"].isin(["takedown", "embargo"])]


def _read_tracks(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    tracks = _whole(landing, "tracks", TRACK_COLUMNS).dropna(subset=["track_id", "title", "artist_id", "artist_name"])
    tracks = tracks.assign(
        track_id=tracks["track_id"].astype("str"),
        artist_id=tracks["artist_id"].astype("str"),
        explicit=tracks["explicit"].astype("str").str.lower() == "true",
        released_on=_moments(tracks["released_on"].astype("str")),
    )
    known_from = _moments(tracks["available_from"]).fillna(tracks["released_on"])
    tracks = tracks[~(known_from >= week)].drop_duplicates("track_id", keep="last").reset_index(drop=True)
    return tracks.assign(recording=pd.factorize(_recording_ids(tracks), sort=True)[0])


def _recording_ids(tracks: pd.DataFrame) -> pd.Series:
    """By recording_id, else isrc, else bare title, artist and a length within three seconds of the next."""
    isrc = tracks["isrc"].str.upper().str.replace("-", "")
    stated = tracks["recording_id"].where(
        tracks["recording_id"].notna(), tracks.groupby(isrc)["recording_id"].transform("min")
    )
    stated = stated.where(stated.notna(), "isrc:" + isrc)
    ordered = tracks.assign(bare=_bare_titles(tracks["title"]), stated=stated).sort_values(
        ["artist_id", "bare", "duration_ms", "track_id"]
    )
    same = (ordered[["artist_id", "bare"]] == ordered[["artist_id", "bare"]].shift()).all(axis=1)
    cluster = (~(same & (ordered["duration_ms"].diff() <= 3000))).cumsum()
    recording = ordered["stated"].where(ordered["stated"].notna(), ordered.groupby(cluster)["stated"].transform("min"))
    own = "track:" + ordered.groupby(cluster)["track_id"].transform("min")
    return recording.where(recording.notna(), own).reindex(tracks.index)


def _bare_titles(titles: pd.Series) -> pd.Series:
    """Lower case without accents, and without what names an edition."""
    lowered = titles.str.normalize("NFKD").str.replace(r"[\u0300-\u036f]", "", regex=True).str.lower()
    other = lowered.str.contains(rf"[(\[][^)\]]*(?:{PERFORMANCE})|\s[-–]\s.*(?:{PERFORMANCE})", regex=True)
    bare = lowered.str.replace(rf"\s*[(\[][^)\]]*(?:{EDITION})[^)\]]*[)\]]", "", regex=True)
    bare = bare.str.replace(rf"\s[-–]\s[^-–]*(?:{EDITION}).*$", "", regex=True)
    words = bare.where(~other, lowered).str.replace(r"[^\w]+", " ", regex=True).str.strip()
    return words.where(words != "", lowered)
