"""The proof: every file of a home searched for the ids of those who were forgotten.

Belongs here: which files, DuckDB's by query as well as by their bytes. Does not: other kinds of files
(models_ml/forgetting/search.py).
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.home import Home
from models_ml.forgetting.people import LISTENER_COLUMNS, OWN_LIST, PLAYLIST_COLUMN, People
from models_ml.forgetting.search import UNKNOWN, Search


@dataclass(frozen=True)
class Proof:
    """What a search came to.  found: (file below the home, where in it)."""

    files: int
    bytes_searched: int
    found: tuple[tuple[str, str], ...]


def search_home(home: Home, user_ids: frozenset[str], say: Callable[[str], None]) -> Proof:
    """Look for the ids in every file under the home."""
    search, found, files = Search(People(user_ids)), [], 0
    for path in _files(home.root):
        name = path.relative_to(home.root).as_posix()
        files += 1
        say(f"searching: {files} files, {search.bytes_searched / 1e6:,.0f} MB")
        place = search.found_in(path, name)
        if place is None and path.suffix == ".duckdb":
            place = _in_database(path, search.people)
        if place is not None:
            found.append((name, place))
    return Proof(files, search.bytes_searched, tuple(found))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names) if (Path(place) / name).is_file())


def _in_database(path: Path, people: People) -> str | None:
    """The table and column of a DuckDB file that hold an id, by value."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error:
        return UNKNOWN
    with connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where data_type like '%VARCHAR%' "
            "and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
        for table, column in columns:
            condition, values = _condition(column, people)
            query = f'select 1 from "{table}" where {condition} limit 1'
            if condition and connection.execute(query, values).fetchone():
                return f"column {column} of table {table}"
    return None


def _condition(column: str, people: People) -> tuple[str, dict[str, object]]:
    """What holds where a column has an id; empty where no id can be told from other texts of it."""
    text = f'cast("{column}" as varchar)'
    if column in LISTENER_COLUMNS or column == PLAYLIST_COLUMN:
        listener = f"trim(regexp_replace({text}, '^\\s*{OWN_LIST}', ''))"
        return f"{listener} in (select unnest($ids))", {"ids": sorted(people.user_ids)}
    either = "|".join(re.escape(one) for one in people.telling)
    pattern = f"(^|[^A-Za-z0-9_])({either})($|[^A-Za-z0-9_])"
    return (f"regexp_matches({text}, $pattern)", {"pattern": pattern}) if either else ("", {})
