"""Which style each genre is played in.

Belongs here: the one table from genres to styles.
Does not: the styles (styles_*.py).
"""

from collections.abc import Mapping

from models_ml.demo_world.genres import GENRES
from models_ml.demo_world.sound import styles_band, styles_circuits, styles_groove, styles_wood
from models_ml.demo_world.sound.styles import Style

STYLE_BY_GENRE: Mapping[str, Style] = {
    "pop": styles_band.POP,
    "indie pop": styles_band.INDIE_POP,
    "rock": styles_band.ROCK,
    "indie rock": styles_band.INDIE_ROCK,
    "punk": styles_band.PUNK,
    "metal": styles_band.METAL,
    "folk": styles_wood.FOLK,
    "singer-songwriter": styles_wood.SINGER_SONGWRITER,
    "country": styles_wood.COUNTRY,
    "blues": styles_wood.BLUES,
    "jazz": styles_wood.JAZZ,
    "classical": styles_wood.CLASSICAL,
    "soul": styles_groove.SOUL,
    "r&b": styles_groove.R_AND_B,
    "funk": styles_groove.FUNK,
    "hip hop": styles_groove.HIP_HOP,
    "reggae": styles_groove.REGGAE,
    "latin": styles_groove.LATIN,
    "afrobeat": styles_groove.AFROBEAT,
    "ambient": styles_circuits.AMBIENT,
    "electronic": styles_circuits.ELECTRONIC,
    "house": styles_circuits.HOUSE,
    "techno": styles_circuits.TECHNO,
    "drum and bass": styles_circuits.DRUM_AND_BASS,
}
# By position in GENRES.
STYLES: tuple[Style, ...] = tuple(STYLE_BY_GENRE[genre.name] for genre in GENRES)
