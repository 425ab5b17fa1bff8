"""Tables of play counts: any CSV, TSV, Parquet or NDJSON with a listener, an item and a count a row.

Belongs here: the columns a person names, what an item becomes, what is left out and under which name.
Does not: sums. The warehouse takes the latest total of a listener and a track.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.errors import InputError
from models_ml.importers.json_stream import line_blocks
from models_ml.importers.options import ImportOptions
from models_ml.importers.plays import Work
from models_ml.importers.sources import ByteStream, Kind, Member, members
from models_ml.importers.tables import Layout, TableBlock, delimited_blocks, first_row, opened_table
from models_ml.importers.times import NO_MOMENT, moments_of
from models_ml.importers.track_book import Track, TrackFacts
from models_ml.landing.values import as_text, texts_of

EXPECTED: Final = "a table of play counts as CSV, TSV, Parquet or NDJSON"
_MEANINGS: Final = ("user", "item", "count", "artist", "title", "date")
_REQUIRED: Final = ("user", "item", "count")
_LINES: Final = (".ndjson", ".jsonl", ".json")
_TABS: Final = (".tsv", ".tab", ".dat")
_FILES = Kind(["*.csv", "*.tsv", "*.tab", "*.dat", "*.txt", "*.parquet", *(f"*{ending}" for ending in _LINES)])
_PARQUET_ROWS = 131_072
_MOMENT = pa.timestamp("ms", "UTC")


def import_play_counts(paths: Sequence[Path], work: Work) -> None:
    """Totals as they stand in the table, a row each."""
    columns = _columns(work.options)
    for member in members(paths, _FILES, work.tally.ignored_files):
        work.tally.files.append(member.shown_as)
        for block in _blocks(member, list(columns.values()), work.options.has_header):
            work.tally.rows_read += block.rows + block.unreadable
            if block.unreadable:
                work.tally.skipped["unreadable_row"] += block.unreadable
            _add(dict(zip(columns, block.columns, strict=True)), work)
            work.tell(member.shown_as)


def _columns(options: ImportOptions) -> dict[str, str]:
    """Names of the columns by what they mean."""
    given = {meaning: getattr(options, f"{meaning}_column") for meaning in _MEANINGS}
    missing = [meaning for meaning in _REQUIRED if not given[meaning]]
    if missing:
        flags = ", ".join(f"--{meaning}-column" for meaning in missing)
        raise InputError(f"play-counts: name the columns of your table; {flags} not given")
    return {meaning: name for meaning, name in given.items() if name}


def _blocks(member: Member, names: Sequence[str], has_header: bool) -> Iterator[TableBlock]:
    plain = member.name.with_suffix("") if member.name.suffix.lower() in (".gz", ".zst") else member.name
    ending = plain.suffix.lower()
    if ending == ".parquet":
        yield from _parquet_blocks(member, names)
    elif ending in _LINES:
        yield from _line_blocks(member, names)
    else:
        with opened_table(member) as stream:
            yield from _delimited_blocks(stream, names, "\t" if ending in _TABS else "", has_header)


def _delimited_blocks(
    stream: ByteStream, names: Sequence[str], delimiter: str, has_header: bool
) -> Iterator[TableBlock]:
    delimiter = delimiter or max(",;\t", key=lambda mark: len(first_row(stream, mark)))
    header = [name.strip() for name in first_row(stream, delimiter)]
    if not has_header:
        header = [str(place) for place in range(1, len(header) + 1)]
    layout = Layout(len(header), delimiter, is_quoted=delimiter != "\t", header_rows=int(has_header))
    wanted = [_place(name, header, stream.shown_as) for name in names]
    yield from delimited_blocks(stream, layout, wanted, EXPECTED)


def _place(name: str, header: Sequence[str], shown_as: str) -> int:
    if name not in header:
        raise InputError(f"{shown_as}: no column {name!r}; the file has {', '.join(header) or 'none'}")
    return header.index(name)


def _parquet_blocks(member: Member, names: Sequence[str]) -> Iterator[TableBlock]:
    if member.path is None:
        raise InputError(f"{member.shown_as}: Parquet can't be read inside an archive; unpack it first")
    try:
        with pq.ParquetFile(member.path) as file:
            header = file.schema_arrow.names
            for name in names:
                _place(name, header, member.shown_as)
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(dict.fromkeys(names))):
                yield TableBlock([as_text(batch.column(name)).fill_null("") for name in names], 0)
    except pa.ArrowException as error:
        raise InputError(f"{member.shown_as}: can't be read ({error}); expected {EXPECTED}") from error


def _line_blocks(member: Member, names: Sequence[str]) -> Iterator[TableBlock]:
    with member.open() as stream:
        for number, block in enumerate(line_blocks(stream)):
            rows = [value for value in block.values if type(value) is dict]
            met = set().union(*(row.keys() for row in rows))
            if number == 0:
                for name in names:
                    _place(name, sorted(met), member.shown_as)
            unreadable = block.unreadable + len(block.values) - len(rows)
            columns = [texts_of([row.get(name) for row in rows]).fill_null("") for name in names]
            yield TableBlock(columns, unreadable)


def _add(columns: dict[str, pa.Array], work: Work) -> None:
    users, items = columns["user"].to_pylist(), columns["item"].to_pylist()
    titles = columns["title"].to_pylist() if "title" in columns else items
    artists = columns["artist"].to_pylist() if "artist" in columns else titles
    counts = _counts(columns["count"])
    dates = moments_of(columns["date"]) if "date" in columns else None
    is_counted = (counts >= 0).tolist()
    is_dated = [True] * len(users) if dates is None else (dates != NO_MOMENT).tolist()
    kept: list[int] = []
    tracks: list[Track] = []
    skipped, known = work.tally.skipped, work.tracks.known
    rows = zip(users, items, titles, artists, is_counted, is_dated, strict=True)
    for row, (user, item, title, artist, has_count, has_date) in enumerate(rows):
        reason = _reason_to_skip(user, item, title, artist, has_count, has_date)
        if reason is not None:
            skipped[reason] += 1
            continue
        key = (item, title, artist)
        track = known.get(key) or work.tracks.add(key, TrackFacts(title, artist, spotify=item, recording_mbid=item))
        kept.append(row)
        tracks.append(track)
    _write([users[row].strip() for row in kept], tracks, counts[kept], None if dates is None else dates[kept], work)


def _reason_to_skip(user: str, item: str, title: str, artist: str, has_count: bool, has_date: bool) -> str | None:
    """The name under which the row is left out, None for one that counts."""
    if not user.strip():
        return "no_user"
    if not item.strip():
        return "no_item"
    if not title.strip() or not artist.strip():
        return "no_title_or_artist"
    if not has_count:
        return "unreadable_count"
    return None if has_date else "unreadable_date"


def _counts(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Whole numbers from 0, -1 where there is none."""
    try:
        counts: npt.NDArray[np.int64] = texts.cast(pa.int64()).to_numpy()
        return np.maximum(counts, -1)
    except pa.ArrowInvalid:
        return np.array([_count(text) for text in texts.to_pylist()], dtype=np.int64)


def _count(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        return -1
    return int(number) if number.is_integer() and 0 <= number < 2**53 else -1


def _write(users: Sequence[str], tracks: Sequence[Track], counts: Any, dates: Any, work: Work) -> None:
    if not users:
        return
    work.tally.name_listeners(users)
    work.tracks.flush()
    columns = {
        "user_id": users,
        "track_id": [track.track_id for track in tracks],
        "play_count": pa.array(counts),
        "observed_at": None if dates is None else pa.array(dates).cast(_MOMENT),
    }
    work.writer.add("play_counts", columns)
