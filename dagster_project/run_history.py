"""Where the command line keeps Dagster's run history: Dagster's own SQLite files, opened once a run.

Belongs here: how these files are opened. Does not: what is asked of them (cli_run.py), or their tables, which are
Dagster's: `dagster dev` reads the same files its own way.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine


class _OpenFiles:
    """An engine a file: its connection stays open, and a statement is translated once."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}

    def engine(self, url: str) -> Engine:
        """The engine of a file, opened at its first use."""
        if url not in self._engines:
            self._engines[url] = create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
            event.listen(self._engines[url], "connect", _write_without_waiting_for_the_disk)
        return self._engines[url]

    def close(self) -> None:
        """Close all; the last to close a file moves what is beside it, in the write-ahead log, into it."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _write_without_waiting_for_the_disk(connection: Any, _: object) -> None:
    # A process that is killed loses nothing; a machine that loses power, the history's last moments, never its order.
    connection.execute("pragma synchronous = normal")


class RunHistoryEvents(SqliteEventLogStorage):
    """Events of runs. Dagster's own opens and closes a file for each of some 2000 statements of a week's run."""

    def __init__(self, base_dir: str) -> None:
        self._files = _OpenFiles()
        self._known_tables: set[str] = set()
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._files.engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine, for_index_shard=shard == INDEX_SHARD_NAME)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that it had stays. Asked 500 times a run, and each opens the file anew."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        self._files.close()


class RunHistoryRuns(SqliteRunStorage):
    """Runs and their tags."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._files = _OpenFiles()
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A transaction."""
        with self._files.engine(self._conn_string).begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        self._files.close()


class RunHistory(DagsterSqliteStorage):
    """All of it, in the folders that Dagster keeps it in."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._run_storage = RunHistoryRuns(self._run_storage._conn_string)
        self._event_log_storage = RunHistoryEvents(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "RunHistory":
        """As Dagster makes it."""
        return cls.from_local(inst_data=inst_data, **config_value)
