"""Importing what other services let a listener download.

Belongs here: the one public function, and what all formats share around their reading.
Does not: the formats (a module each), the command line (dagster_project/cli_import.py).
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from models_ml.arrays import Progress, silent
from models_ml.errors import InputError
from models_ml.importers.landing_writer import landing_files
from models_ml.importers.lastfm import import_lastfm
from models_ml.importers.listenbrainz import import_listenbrainz
from models_ml.importers.options import FORMATS, ImportOptions
from models_ml.importers.play_counts import import_play_counts
from models_ml.importers.playlists_mpd import import_playlists_mpd
from models_ml.importers.plays import Work
from models_ml.importers.report import ImportReport, Tally
from models_ml.importers.sources import source_key
from models_ml.importers.spotify_history import import_spotify_history
from models_ml.importers.track_book import TrackBook


class _Format(NamedTuple):
    """read: reads paths.  knows: how much it says of a track; of two rows for one track the one that says more holds.

    Spotify's history and Last.fm know names, the playlists lengths too, ListenBrainz recordings as well.
    """

    read: Callable[[Sequence[Path], Work], None]
    knows: int


_FORMATS: Mapping[str, _Format] = {
    "spotify-history": _Format(import_spotify_history, 1),
    "lastfm": _Format(import_lastfm, 1),
    "play-counts": _Format(import_play_counts, 1),
    "playlists-mpd": _Format(import_playlists_mpd, 2),
    "listenbrainz": _Format(import_listenbrainz, 3),
}


def import_history(
    format_name: str,
    paths: Sequence[Path],
    landing: Path,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Read exports of another service, in constant memory, and land them.

    format_name: one of FORMATS.  paths: files, folders or archives of it.  landing: the landing folder.
    The same import again replaces its own files by the same ones. Nothing lands where it fails or is interrupted.
    Raises InputError naming a file that can't be read or is of another format, and what was expected.
    """
    options = options or ImportOptions()
    chosen = _FORMATS.get(format_name)
    if chosen is None:
        raise InputError(f"format {format_name!r}: not known; use one of {', '.join(FORMATS)}")
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
    stem = f"import-{format_name}-{source_key(paths, f'{format_name} {options}')}"
    # A name that sorts before those people choose: what somebody lands on purpose holds against an import.
    with landing_files(landing, stem, f"0-imported/{chosen.knows}", progress) as writer:
        tally = Tally()
        work = Work(options, writer, TrackBook(writer), tally, progress)
        with _without_cycle_search():
            chosen.read(paths, work)
        if not tally.files:
            raise InputError(f"{', '.join(map(str, paths))}: nothing in there is a file of {format_name}")
        work.tracks.flush()
        landed = writer.commit()
    return tally.report(writer.rows, landed)


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """Parsed rows hold no cycles; looking for some among millions of new objects nearly doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
