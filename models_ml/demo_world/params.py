"""How a demo world behaves: every mechanism as a number with its unit and range.

Belongs here: the parameters, their checks, reading them from TOML.
Does not: the size of the world (size.py), what the numbers do (the modules that draw).
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.errors import InputError


def _setting(default: float, unit: str, least: float, most: float, doc: str) -> Any:
    return dataclasses.field(default=default, metadata={"unit": unit, "min": least, "max": most, "doc": doc})


def _share(default: float, doc: str, most: float = 1.0) -> Any:
    return _setting(default, "share", 0.0, most, doc)


@dataclass(frozen=True)
class WorldParams:
    """Mechanisms of the world. 0 switches one off; what a signal carries at 0 is worth nothing.

    Raises InputError naming field, value and range where a value is impossible.
    """

    # How much is listened.
    plays_per_listener_mean: float = _setting(
        100.0, "plays", 1, 5_000, "mean plays of a listener who was there all along"
    )
    plays_spread: float = _setting(1.0, "sigma of log", 0, 2.5, "how unequal listeners are in how much they play")
    plays_per_session_mean: float = _setting(9.0, "plays", 1, 60, "mean plays in one sitting")
    # Taste, and what gives it away.
    taste_modes_max: int = _setting(4, "modes", 1, 6, "the most kinds of music one listener cares for")
    taste_strength: float = _setting(1.0, "factor", 0, 4, "how far taste decides what is chosen, skipped and saved")
    genre_carries_taste: float = _share(0.92, "artists whose genre label is the one that they play")
    words_carry_taste: float = _share(0.85, "titles, tags and reviews whose words fit the music")
    sound_carries_taste: float = _share(0.8, "how far tempo, energy and length follow from the music")
    sound_tells_artist: float = _share(1.0, "tracks that share the genre in which their artist is misheard")
    conformity: float = _share(0.5, "how far popularity drives choice")
    popularity_exponent: float = _setting(0.9, "Zipf exponent", 0, 2, "how unequal artists are in popularity")
    home_preference: float = _setting(1.0, "log weight", 0, 4, "pull of artists from the listener's own market")
    # The new and the known.
    novelty_mean: float = _setting(0.0, "-1 to 1", -1, 1, "mean love (1) or hate (-1) of the new")
    novelty_spread: float = _setting(0.4, "-1 to 1", 0, 1, "standard deviation of love of the new")
    replay_share: float = _share(0.5, "plays of an indifferent listener that go to tracks played before", 0.95)
    fresh_share: float = _share(0.08, "first plays that go to releases of the last four weeks")
    exploration_share: float = _share(0.08, "sessions in a neighbouring genre")
    drift_per_week: float = _setting(0.01, "log weight a week", 0, 0.5, "how fast tastes move")
    noise_share: float = _share(0.04, "first plays that have nothing to do with taste")
    # What becomes of the playlists they get.
    reaction_share: float = _share(0.8, "listeners who ever open a playlist they get")
    opening_share: float = _share(0.6, "weeks in which one of them opens it, bored and delighted by nothing yet")
    stopping_share: float = _share(0.05, "places after which the listener stops, skips apart")
    delight_strength: float = _setting(1.0, "factor", 0, 4, "how far new artists that fit delight")
    satiation_strength: float = _setting(1.0, "factor", 0, 4, "how far the same artists and genres again tire")
    churn_share: float = _share(0.1, "listeners bored for weeks who leave, a week")
    comeback_share: float = _share(0.35, "weeks in which a track liked there is played again of one's own accord")
    # The catalogue.
    edition_share: float = _share(0.05, "tracks that are another edition of a recording", 0.5)
    released_in_history_share: float = _share(0.12, "albums released since the history began, or announced")
    available_from_share: float = _share(0.1, "albums with a moment of availability of their own")
    tracks_without_genre_share: float = _share(0.04, "tracks without genres")
    restricted_share: float = _share(0.03, "albums available in some markets only", 0.5)
    # People.
    new_listeners_share: float = _share(0.15, "listeners who registered since the history began")
    registered_only_share: float = _share(0.02, "listeners who never played anything")
    events_only_share: float = _share(0.01, "listeners without a row in users", 0.5)
    play_counts_share: float = _share(0.02, "listeners of whom only totals are known", 0.5)
    favourites_share: float = _share(0.3, "listeners who named favourite artists and genres")
    private_share: float = _share(0.02, "private sessions")
    # Words.
    playlists_per_listener: float = _setting(0.3, "playlists", 0, 4, "titled playlists a listener keeps")
    editorial_playlists_per_genre: int = _setting(3, "playlists", 0, 12, "playlists of the house, a genre")
    tags_per_track: float = _setting(1.5, "tags", 0, 20, "tags given to a track")
    documents_per_hundred_tracks: float = _setting(8.0, "documents", 0, 100, "reviews")
    # Sound.
    sound_share: float = _share(1.0, "tracks that have a sound file; recent ones all have, unless it is 0")
    sound_seconds: float = _setting(5.0, "seconds", 2, 30, "length of a track's sound")
    # Dirt of real life.
    duplicate_share: float = _share(0.004, "events delivered twice", 0.2)
    event_id_missing_share: float = _share(0.03, "events without an event_id")
    unknown_track_share: float = _share(0.002, "events of tracks that nobody described", 0.2)
    missing_user_share: float = _share(0.001, "events without a user_id", 0.2)
    unknown_type_share: float = _share(0.001, "events of an unknown event_type", 0.2)
    unparsable_time_share: float = _share(0.0005, "events whose time can't be read", 0.2)
    negative_duration_share: float = _share(0.0005, "events with a negative ms_played", 0.2)
    unreadable_files: int = _setting(1, "files", 0, 5, "event files that break off in the middle")
    silent_sound_files: int = _setting(1, "files", 0, 20, "sound files in which nothing is heard")
    short_sound_files: int = _setting(1, "files", 0, 20, "sound files of a twentieth of a second")
    corrupt_sound_files: int = _setting(1, "files", 0, 20, "sound files that have lost their beginning")

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            problem = _problem(setting, getattr(self, setting.name))
            if problem:
                raise InputError(f"demo world: {problem}")
        together = self.registered_only_share + self.events_only_share + self.play_counts_share
        if together > 1:
            raise InputError(
                f"demo world: registered_only_share, events_only_share and play_counts_share add up to "
                f"{together:g}; nobody is two of these, take 1 at most"
            )


def _problem(setting: "dataclasses.Field[Any]", value: object) -> str:
    """What is wrong with the value, in words; empty where nothing is."""
    least, most = setting.metadata["min"], setting.metadata["max"]
    whole = isinstance(setting.default, int)
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    # NaN compares false with everything.
    if fits and least <= value <= most:
        return ""
    kind = "a whole number" if whole else "a number"
    return f"{setting.name} is {value!r}; take {kind} from {least} to {most} ({setting.metadata['unit']})"


def read_world_params(path: Path) -> WorldParams:
    """Parameters from a TOML file of `name = value` lines; what it doesn't name keeps its default.

    Raises InputError naming file, key, value and range for an unreadable file, an unknown key or an
    impossible value.
    """
    values = _read_toml(path)
    settings = {setting.name: setting for setting in dataclasses.fields(WorldParams)}
    for key, value in values.items():
        if key not in settings:
            near = difflib.get_close_matches(key, settings, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(settings)}"
            raise InputError(f"{path}: unknown key {key!r}; {hint}")
        problem = _problem(settings[key], value)
        if problem:
            raise InputError(f"{path}: {problem}")
    return WorldParams(**values)


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no valid TOML ({error}); write lines of name = value") from error
