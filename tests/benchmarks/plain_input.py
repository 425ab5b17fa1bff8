"""The plain job's input: landing files as pandas frames, rows that can't be used left out.

Belongs here: reading files, cleaning, the as-of cut, which tracks are one recording.
Does not: weights (plain_engagement.py), lists (plain_lists.py).
"""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.types import union_categoricals  # type: ignore[import-untyped]

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
    *("available_from", "explicit", "markets", "isrc", "recording_id", "genres"),
]
USER_COLUMNS = [
    *("user_id", "registered_at", "market", "allow_explicit", "allow_exploration", "adventurousness"),
    *("favourite_artist_ids", "favourite_genres"),
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
    tracks: one row a track, position as index; recording is a position too; known_from: its first day, if it has one.
    users: one row a listener: user_id, market, registered_at, minds_explicit, lets_explore, adventurousness, and what
    they named, favourite_artist_ids and favourite_genres, as lists.
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
    counts, events = _read_counts(landing, week), _read_events(landing, week, track_ids)
    counts = counts.assign(track=positions(counts["track_id"], track_ids))
    blocks_artist = events["event_type"] == "block_artist"
    events = events[(events["track"] >= 0) | (blocks_artist & (events["track"] == -2))]
    counts = counts[counts["track"] >= 0]
    users = _everyone(_read_users(landing, week), events, counts)
    user_ids = pd.Index(users["user_id"])
    counts, events = (frame.assign(user=positions(frame["user_id"], user_ids)) for frame in (counts, events))
    blocked = events.loc[events["event_type"] == "block_artist", ["user", "artist_id", "track"]]
    of_track = tracks["artist_id"].reindex(blocked["track"]).to_numpy()
    blocked = blocked.assign(artist_id=blocked["artist_id"].where(blocked["artist_id"].notna(), of_track))
    events = events[events["track"] >= 0].drop(columns=["user_id", "artist_id"])
    counts = counts[["user", "track", "play_count"]]
    return Input(events, counts, blocked, tracks, users, _read_overrides(landing, week))


def _everyone(users: pd.DataFrame, events: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """The known users and whoever has an event or a count, by id."""
    seen = [users["user_id"], *(pd.Series(frame["user_id"].unique()) for frame in (events, counts))]
    ids = pd.Index(pd.concat(seen).unique(), name="user_id").sort_values()
    everyone = users.set_index("user_id").reindex(ids).reset_index()
    return everyone.assign(
        minds_explicit=everyone["minds_explicit"].eq(True), lets_explore=~everyone["lets_explore"].eq(False)
    )


def positions(values: pd.Series, index: pd.Index) -> Ints:
    """Where each value stands in the index, -1 where it doesn't: each text is looked up once."""
    codes, texts = pd.factorize(values)
    found = np.append(index.get_indexer(pd.Index(np.asarray(texts, dtype=object), dtype="str")), -1)
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


def whole(landing: Path, dataset: str, columns: list[str]) -> pd.DataFrame:
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


def moments(values: pd.Series) -> pd.Series:
    """UTC moments, NaT where there is none that can be read."""
    return pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601").dt.as_unit("ms")


def _read_events(landing: Path, week: pd.Timestamp, track_ids: pd.Index) -> pd.DataFrame:
    """Usable events before the week: each file is cut down before the next one is read."""
    parts = [_clean_events(part, week, track_ids) for part in _frames(landing, "events", EVENT_COLUMNS)]
    if not parts:
        parts = [_clean_events(pd.DataFrame(columns=EVENT_COLUMNS), week, track_ids)]
    user_id = union_categoricals([part.pop("user_id") for part in parts])
    events = pd.concat(parts, ignore_index=True).assign(user_id=user_id)
    named = events["event_id"].notna().to_numpy()
    again = pd.Series(events["event_id"].duplicated().to_numpy() & named)
    nameless = events[~named].drop(columns="event_id")
    again.loc[nameless.index[nameless.duplicated()]] = True
    kept = events[~again & ~events["is_private"]]
    return kept.drop(columns=["event_id", "is_private"]).reset_index(drop=True)


def _clean_events(events: pd.DataFrame, week: pd.Timestamp, track_ids: pd.Index) -> pd.DataFrame:
    """Rows that can be used, contexts and ends as their classes, tracks as positions: -1 unknown, -2 not named."""
    contexts = pd.read_csv(SEEDS / "context_classes.csv").set_index("context_type")["context_class"]
    ends = pd.read_csv(SEEDS / "end_reasons.csv").set_index("reason_end")["end_class"]
    context = _classes(events["context_type"], CONTEXTS, contexts).fillna("chosen")
    own = _of_texts(events["context_id"], lambda texts: texts.str.match(OWN_PLAYLIST), False)
    context[own] = "own_playlist"
    event_type = _classes(events["event_type"], EVENT_TYPES)
    track = positions(events["track_id"], track_ids)
    track[events["track_id"].isna()] = -2
    blocks_artist = np.asarray(event_type == "block_artist")
    clean = pd.DataFrame(
        {
            "user_id": _categories(events["user_id"]),
            "event_type": event_type,
            "occurred_at": moments(events["occurred_at"]),
            "track": track,
            "artist_id": events["artist_id"].where(blocks_artist).astype("str"),
            "event_id": events["event_id"].astype("str"),
            "ms_played": pd.to_numeric(events["ms_played"], errors="coerce").astype(np.float32),
            "context": context,
            "end": _classes(events["reason_end"], ENDS, ends),
            "is_private": events["is_private"].astype("boolean").fillna(False).astype(bool),
        }
    )
    needed = (track > -2) | (blocks_artist & clean["artist_id"].notna())
    usable = clean["user_id"].notna() & clean["event_type"].notna() & needed & ~(clean["ms_played"] < 0)
    return clean[usable & (clean["occurred_at"] < week)]


def _categories(values: pd.Series) -> pd.Categorical:
    """The texts as categories, whatever they were read as."""
    codes, texts = pd.factorize(values)
    return pd.Categorical.from_codes(codes, pd.Index(np.asarray(texts, dtype=object), dtype="str"))


def _of_texts(values: pd.Series, change: Callable[[pd.Series], pd.Series], missing: Any) -> Any:
    """(rows,) what a function of the different texts gives, each looked at once; `missing` for null."""
    codes, texts = pd.factorize(values)
    found = change(pd.Series(np.asarray(texts, dtype=object), dtype="str"))
    return np.append(found.to_numpy(dtype=object), missing)[codes].astype(type(missing))


def _classes(values: pd.Series, classes: pd.CategoricalDtype, table: pd.Series | None = None) -> pd.Categorical:
    """Texts in lower case, or what a table has for them, as categories; null where none fits."""
    codes, texts = pd.factorize(values)
    lowered = pd.Series(np.asarray(texts, dtype=object), dtype="str").str.lower()
    found = classes.categories.get_indexer(lowered if table is None else lowered.map(table))
    return pd.Categorical.from_codes(np.append(found, -1)[codes], dtype=classes)


def _read_counts(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    """The latest total of each listener and track; what was heard once stays heard."""
    columns = ["user_id", "track_id", "play_count", "observed_at"]
    counts = whole(landing, "play_counts", columns)
    observed = moments(counts["observed_at"])
    counts = counts.assign(play_count=pd.to_numeric(counts["play_count"], errors="coerce"), observed_at=observed)
    counts = counts.dropna(subset=["user_id", "track_id", "play_count"])
    counts = counts[~(counts["observed_at"] >= week)].sort_values("observed_at", na_position="first", kind="stable")
    ever = counts.groupby(["user_id", "track_id"])["play_count"].transform("max") > 0
    return counts[ever].drop_duplicates(["user_id", "track_id"], keep="last")


def _read_users(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    users = whole(landing, "users", USER_COLUMNS).dropna(subset=["user_id"])
    users = users.assign(registered_at=moments(users["registered_at"]))
    users = users[~(users["registered_at"] >= week)].drop_duplicates("user_id", keep="last")
    return pd.DataFrame(
        {
            "user_id": users["user_id"],
            "market": users["market"].astype("str").str.strip().str.upper(),
            "registered_at": users["registered_at"],
            "minds_explicit": users["allow_explicit"].astype("str").str.lower() == "false",
            "lets_explore": users["allow_exploration"].astype("str").str.lower() != "false",
            "adventurousness": pd.to_numeric(users["adventurousness"], errors="coerce"),
            "favourite_artist_ids": lists_of(users["favourite_artist_ids"]),
            "favourite_genres": lists_of(users["favourite_genres"]),
        }
    )


def lists_of(values: pd.Series) -> pd.Series:
    """Lists, and what CSV has in their place."""
    texts = values.map(lambda value: isinstance(value, str))
    return values.where(
        ~texts, values.where(texts).str.strip("[]").str.replace('"', "").str.split(r"[|;,]", regex=True)
    )


def _read_overrides(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    frame = whole(landing, "overrides", ["track_id", "artist_id", "action", "valid_from", "valid_to"])
    in_force = ~(moments(frame["valid_from"]) > week) & ~(moments(frame["valid_to"]) <= week)
    return frame[in_force & frame["action"].isin(["takedown", "embargo", "boost"])]


def _read_tracks(landing: Path, week: pd.Timestamp) -> pd.DataFrame:
    tracks = whole(landing, "tracks", TRACK_COLUMNS).dropna(subset=["track_id", "title", "artist_id", "artist_name"])
    tracks = tracks.assign(
        track_id=tracks["track_id"].astype("str"),
        artist_id=tracks["artist_id"].astype("str"),
        explicit=tracks["explicit"].astype("str").str.lower() == "true",
        released_on=moments(tracks["released_on"].astype("str")),
    )
    tracks = tracks.assign(known_from=moments(tracks["available_from"]).fillna(tracks["released_on"]))
    tracks = tracks[~(tracks["known_from"] >= week)].drop_duplicates("track_id", keep="last").reset_index(drop=True)
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
