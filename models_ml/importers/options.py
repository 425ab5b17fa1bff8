"""What can be imported, and how a person says what their file looks like.

Belongs here: names of the formats, options and their defaults. Does not: reading anything; this loads at once, so that
the command line can name the formats.
"""

from dataclasses import dataclass

FORMATS = ("spotify-history", "listenbrainz", "lastfm", "playlists-mpd", "play-counts")

DEFAULT_USER = "me"


@dataclass(frozen=True)
class ImportOptions:
    """How to read the source.

    user: whose listening it is where the source names nobody; of a Spotify history it holds in any case.
    *_column: columns of a table of play counts, by name, or by place from 1 where `has_header` is False.
    """

    user: str | None = None
    user_column: str | None = None
    item_column: str | None = None
    count_column: str | None = None
    artist_column: str | None = None
    title_column: str | None = None
    date_column: str | None = None
    has_header: bool = True

    @property
    def user_or_default(self) -> str:
        """The listener of rows that name none."""
        return self.user or DEFAULT_USER
