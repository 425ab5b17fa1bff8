"""The landing contract as data: which datasets may land, with which columns, and what each must have.

Belongs here: names, kinds and requirements of datasets and columns, and the check that enough has landed.
Does not: reading files, cleaning values, deciding what a row means (the warehouse does).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models_ml.errors import InputError

Kind = Literal["text", "integer", "number", "boolean", "timestamp", "date", "list", "vector"]


@dataclass(frozen=True)
class Column:
    """A column of the contract.

    kind: what its text stands for; `list` is a list of texts, `vector` a list of numbers.
    required: a table without the column can't be used; single rows without a value are quarantined later.
    """

    name: str
    kind: Kind = "text"
    required: bool = False


@dataclass(frozen=True)
class Dataset:
    """A folder under landing and the columns of its files, in the order of the contract.

    required: nothing can be recommended without it; `events` and `play_counts` stand in for each other
    (REQUIRED_ONE_OF) and are not marked.
    """

    name: str
    columns: tuple[Column, ...]
    required: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the contract."""
        return tuple(column.name for column in self.columns)


# Datasets of which the last row about something holds, by file and row: content that lands again says it again, where
# elsewhere it is a copy of what is known.
LAST_ROW_HOLDS = frozenset(("tracks", "users", "playlists", "documents", "audio", "track_vectors", "play_counts"))


def _needed(name: str, kind: Kind = "text") -> Column:
    return Column(name, kind, required=True)


_EVENTS = Dataset(
    "events",
    (
        _needed("user_id"),
        _needed("event_type"),
        _needed("occurred_at", "timestamp"),
        Column("track_id"),
        Column("artist_id"),
        Column("event_id"),
        Column("ms_played", "integer"),
        Column("reason_start"),
        Column("reason_end"),
        Column("shuffle", "boolean"),
        Column("is_private", "boolean"),
        Column("context_type"),
        Column("context_id"),
        Column("position", "integer"),
        Column("session_id"),
        Column("device_type"),
        Column("variant_id"),
        Column("source"),
    ),
)

_TRACKS = Dataset(
    "tracks",
    (
        _needed("track_id"),
        _needed("title"),
        _needed("artist_id"),
        _needed("artist_name"),
        Column("artist_ids", "list"),
        Column("album_id"),
        Column("album_title"),
        Column("duration_ms", "integer"),
        Column("released_on", "date"),
        Column("available_from", "timestamp"),
        Column("genres", "list"),
        Column("language"),
        Column("explicit", "boolean"),
        Column("markets", "list"),
        Column("isrc"),
        Column("recording_id"),
    ),
    required=True,
)

_USERS = Dataset(
    "users",
    (
        _needed("user_id"),
        Column("registered_at", "timestamp"),
        Column("market"),
        Column("timezone"),
        Column("allow_explicit", "boolean"),
        Column("favourite_artist_ids", "list"),
        Column("favourite_genres", "list"),
        Column("allow_exploration", "boolean"),
        Column("adventurousness", "number"),
    ),
)

_PLAYLISTS = Dataset(
    "playlists",
    (
        _needed("playlist_id"),
        _needed("title"),
        Column("description"),
        Column("owner_id"),
        Column("updated_at", "timestamp"),
    ),
)

_PLAYLIST_TRACKS = Dataset(
    "playlist_tracks",
    (
        _needed("playlist_id"),
        _needed("track_id"),
        Column("position", "integer"),
        Column("added_at", "timestamp"),
    ),
)

_DOCUMENTS = Dataset(
    "documents",
    (
        _needed("document_id"),
        _needed("body"),
        Column("title"),
        Column("url"),
        Column("published_at", "timestamp"),
        Column("track_ids", "list"),
    ),
)

# Lists of another system, to be scored beside ours: `week` is the Monday they were given for.
_EXTERNAL_PLAYLISTS = Dataset(
    "external_playlists",
    (
        _needed("program_id"),
        _needed("week", "date"),
        _needed("user_id"),
        _needed("position", "integer"),
        _needed("track_id"),
    ),
)

# Neither id is required of a table: each row needs one of them, which the warehouse checks row by row.
_OVERRIDES = Dataset(
    "overrides",
    (
        Column("track_id"),
        Column("artist_id"),
        _needed("action"),
        Column("valid_from", "timestamp"),
        Column("valid_to", "timestamp"),
    ),
)

_ALL = (
    _EVENTS,
    Dataset(
        "play_counts",
        (
            _needed("user_id"),
            _needed("track_id"),
            _needed("play_count", "integer"),
            Column("observed_at", "timestamp"),
        ),
    ),
    _TRACKS,
    Dataset(
        "track_tags",
        (_needed("track_id"), _needed("tag"), Column("user_id"), Column("tagged_at", "timestamp")),
    ),
    _USERS,
    _PLAYLISTS,
    _PLAYLIST_TRACKS,
    _EXTERNAL_PLAYLISTS,
    _DOCUMENTS,
    Dataset("audio", (_needed("track_id"), _needed("path"))),
    Dataset("track_vectors", (_needed("track_id"), _needed("vector", "vector"), Column("kind"))),
    _OVERRIDES,
    Dataset(
        "subscriptions",
        (_needed("user_id"), _needed("event"), _needed("occurred_at", "timestamp")),
    ),
    Dataset("deletions", (_needed("user_id"), _needed("requested_at", "timestamp"))),
)

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _ALL}

# One of these has to land: what was listened to, as dated events or as bare totals.
REQUIRED_ONE_OF = ("events", "play_counts")


def require_datasets(landed: Collection[str], landing: Path) -> None:
    """Check that enough has landed to recommend anything.

    landed: names of the datasets with at least one usable file that has rows.
    landing: the landing folder, for the message.
    Raises InputError naming the dataset that is missing, what to land and where.
    """
    for dataset in DATASETS.values():
        if dataset.required and dataset.name not in landed:
            raise InputError(
                f"{landing / dataset.name}: no {dataset.name} have landed; put Parquet, CSV or NDJSON there "
                f"with the columns {_required_columns(dataset)}"
            )
    if not any(name in landed for name in REQUIRED_ONE_OF):
        events, totals = (DATASETS[name] for name in REQUIRED_ONE_OF)
        raise InputError(
            f"{landing / events.name}: no listening has landed; put events there "
            f"({_required_columns(events)}) or totals in {landing / totals.name} "
            f"({_required_columns(totals)})"
        )


def _required_columns(dataset: Dataset) -> str:
    return ", ".join(column.name for column in dataset.columns if column.required)
