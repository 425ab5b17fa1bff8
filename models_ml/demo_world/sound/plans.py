"""What is heard of each track: key, mode, voice and colour, beside tempo and mood, which the catalogue has.

Belongs here: drawing it, and that it says of taste as much as sound_carries_taste lets it.
Does not: music (arrangement.py), the attributes that the catalogue draws itself (catalogue.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.draws import Bools, Floats, Ints, generator
from models_ml.demo_world.genres import GENRES
from models_ml.demo_world.latent import UNIT

# Columns of the colour of a track: how it differs from others of its genre, each about normally distributed.
BRIGHT, LOW, MIDDLE, HIGH, ROOM, DRIVE, FEEL, VOICE, KIT, CHOICE = range(10)
CHOICES = 4
COLOURS = CHOICE + CHOICES
# Minor keys are as rare as a fifth in the brightest music and the rule in the darkest.
_MINOR_LEAST, _MINOR_BY_DARKNESS = 0.12, 0.85


@dataclass(frozen=True)
class Heard:
    """What analysis could find out; arrays of (tracks,).

    key: 0 (C) to 11, the tonic.  minor: mode.  sung: a voice is heard.
    """

    key: Ints
    minor: Bools
    sung: Bools


@dataclass(frozen=True)
class TrackPlan:
    """Everything that the sound of one track depends on; colour: (COLOURS,)."""

    number: int
    genre: int
    tempo_bpm: int
    key: int
    minor: bool
    sung: bool
    energy: float
    darkness: float
    acoustic: float
    brighter: float
    colour: Floats

    def level(self) -> float:
        """How energetic it is among tracks of its genre; 0.5 is usual."""
        return 0.5 + 1.3 * (self.energy - GENRES[self.genre].energy)


def draw_heard(seed: int, catalogue: Catalogue, carries: float) -> Heard:
    """Key, mode and voice of each track; editions are in the key of their original.

    carries: 0 makes all of it independent of the artist's genre and of where the track lies.
    """
    random = generator(seed, "sound", "heard")
    tracks = catalogue.tracks
    count = len(tracks)
    key = random.integers(0, 12, count)
    minor = random.random(count) < _MINOR_LEAST + _MINOR_BY_DARKNESS * tracks.sound[:, 1]
    as_its_genre = random.random(count) < np.array([genre.sung for genre in GENRES])[tracks.heard_as]
    honest = (tracks.heard_as == catalogue.track_genre) & (random.random(count) < carries)
    sung = np.where(honest, tracks.sung, as_its_genre)
    return Heard(key[tracks.original], minor[tracks.original], sung[tracks.original])


def draw_colours(seed: int, catalogue: Catalogue, carries: float) -> Floats:
    """(tracks, COLOURS) of place inside the genre, artist, album and track; of the track alone where carries is 0.

    Artists of one scene sound alike because they lie near to each other.
    """
    random = generator(seed, "sound", "colours")
    tracks, artists = catalogue.tracks, catalogue.artists
    inside = (tracks.place - catalogue.space.genres[catalogue.track_genre]) / UNIT
    directions = generator(0, "sound", "colour directions").standard_normal((inside.shape[1], COLOURS))
    # einsum rather than BLAS: the same order of sums on every machine.
    of_place = np.einsum("td,dc->tc", inside, directions, optimize=False)
    of_artist = random.standard_normal((len(artists.genre), COLOURS))[tracks.artist]
    of_album = random.standard_normal((int(tracks.album.max()) + 1, COLOURS))[tracks.album]
    own = random.standard_normal((len(tracks), COLOURS))
    shared = of_place + 0.5 * of_artist + 0.3 * of_album
    colours: Floats = np.round(carries * shared + (1 - 0.6 * carries) * own, 4)
    return colours[tracks.original]


def track_plan(catalogue: Catalogue, heard: Heard, colours: Floats, position: int) -> TrackPlan:
    """The plan of one track; another edition is its original, a little brighter."""
    tracks = catalogue.tracks
    original = int(tracks.original[position])
    energy, darkness, acoustic = (float(value) for value in tracks.sound[original])
    return TrackPlan(
        number=int(catalogue.track_number[original]),
        genre=int(tracks.heard_as[original]),
        tempo_bpm=int(tracks.tempo_bpm[original]),
        key=int(heard.key[original]),
        minor=bool(heard.minor[original]),
        sung=bool(heard.sung[original]),
        energy=energy,
        darkness=darkness,
        acoustic=acoustic,
        brighter=0.0 if original == position else 1.5,
        colour=colours[original],
    )
