"""Flow: how far two tracks lie apart when one is played after the other.

Belongs here: distances of neighbours by energy, tempo and key, by vector where there is no sound.
Does not: the order that is made of them (arrangement.py), measuring sound (sound/attributes.py).
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, floats_with_nan, strings
from models_ml.sound.attributes import MINOR

_TABLE = "recording_sounds"
# Two tracks of the demo world lie .09 of energy apart, in the mean, and hardly ever more than this.
_FAR_IN_ENERGY = 0.2
# A cadence stands out by more, noise by less than half of it: tests/models_ml/sound/test_attributes.py.
_SURE_OF_KEY = 0.1
# What an attribute adds that isn't known of both: about the mean of two tracks.
_UNKNOWN = 0.5
# Of two tracks of a list, in the demo world, 1 - cosine is .60 and the distance in sound .39: so that a track without
# sound is not passed over for it.
_VECTOR_SCALE = 0.65


@dataclass(frozen=True)
class ArrangementParams:
    """What the order heard is made by."""

    flow_weight: float = field(
        # Demo world, neighbours' distance of that best first, and rank correlation with it, at 0.5, 0.75, 1, 2:
        # .85 and .99, .82 and .97, .79 and .96, .73 and .89.
        default=0.75,
        metadata={
            "unit": "lists",
            "min": 0.0,
            "max": 10.0,
            "doc": "So much of a list earlier a track may come for following well the one before; 0: best first.",
        },
    )
    energy_weight: float = field(
        default=0.4,
        metadata={"unit": "ratio", "min": 0.0, "max": 1.0, "doc": "Of energy, in how far neighbours lie apart."},
    )
    tempo_weight: float = field(
        default=0.4,
        metadata={"unit": "ratio", "min": 0.0, "max": 1.0, "doc": "Of tempo; half and double are the same."},
    )
    key_weight: float = field(
        default=0.2, metadata={"unit": "ratio", "min": 0.0, "max": 1.0, "doc": "Of key, by the circle of fifths."}
    )


@dataclass(frozen=True)
class Sounds:
    """(m,) float32 each.

    energy: 0 to 1, NaN where nothing was heard.  octave: log2 of beats a minute.  fifths: place on the circle of
    fifths, 0 to 11, a minor key where its relative major is.  tempo_confidence, key_confidence: 0 to 1, how sure these
    are, 0 where there is no tempo, no key.
    """

    energy: Floats
    octave: Floats
    tempo_confidence: Floats
    fifths: Floats
    key_confidence: Floats

    @classmethod
    def of(cls, table: pa.Table, recording_count: int) -> "Sounds":
        """Those of the week's table of recordings with a file; null where that can't be used."""
        row = table["recording_index"].to_numpy()

        def spread_out(values: Floats, known: Floats, unknown: float = 0.0) -> Floats:
            column = np.full(recording_count, unknown, dtype=np.float32)
            column[row] = np.where(np.isfinite(known), values, unknown)
            return column

        columns = ("energy", "tempo_bpm", "tempo_confidence", "key", "key_confidence")
        energy, tempo, tempo_confidence, key, key_confidence = (
            floats_with_nan(table, _TABLE, name) for name in columns
        )
        is_minor = np.asarray(strings(table, _TABLE, "mode").to_numpy(zero_copy_only=False) == MINOR)
        # Seven semitones are a fifth; the relative major is three above.
        key = np.where(key >= 0, key, np.nan)
        return cls(
            energy=spread_out(energy, energy, np.nan),
            octave=spread_out(np.log2(tempo), tempo),
            tempo_confidence=spread_out(tempo_confidence, tempo),
            fifths=spread_out((key + 3 * is_minor) * 7 % 12, key),
            key_confidence=spread_out(np.minimum(key_confidence / _SURE_OF_KEY, 1.0), key),
        )


class Flow:
    """Distances of neighbours under one week's vectors and sounds."""

    def __init__(self, vectors: Floats, sounds: Sounds | None, params: ArrangementParams) -> None:
        """vectors: (m, f) of any length, zero where nothing is known.  sounds: None where nothing was heard."""
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._directions = np.ascontiguousarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
        weights = np.array([params.energy_weight, params.tempo_weight, params.key_weight], dtype=np.float32)
        self._weights = weights / max(float(weights.sum()), 1e-9)
        self._sounds = sounds if weights.any() else None

    def gaps(self, recordings: Ints) -> Floats:
        """(b, s, s) float32, 0 to 1: how far each two of a list lie apart.  recordings: (b, s)."""
        if self._sounds is None:
            return self._by_vector(recordings)
        gaps = self._by_sound(self._sounds, recordings)
        unheard: Bools = np.isnan(self._sounds.energy[recordings])
        some = np.flatnonzero(unheard.any(axis=1))
        if len(some):
            either = unheard[some, :, None] | unheard[some, None, :]
            gaps[some] = np.where(either, self._by_vector(recordings[some]), gaps[some])
        return gaps

    def _by_vector(self, recordings: Ints) -> Floats:
        vectors = self._directions[recordings]
        cosine = vectors @ vectors.transpose(0, 2, 1)
        return np.asarray(_VECTOR_SCALE * np.clip(1 - cosine, 0, 1), dtype=np.float32)

    def _by_sound(self, sounds: Sounds, recordings: Ints) -> Floats:
        energy = np.minimum(_apart(sounds.energy[recordings]) / _FAR_IN_ENERGY, 1)
        octaves = _apart(sounds.octave[recordings])
        tempo = 2 * np.abs(octaves - np.round(octaves))  # three quarters of a tempo is as far as it gets
        fifths = _apart(sounds.fifths[recordings])
        key = np.minimum(fifths, 12 - fifths) / 6
        return np.asarray(
            self._weights[0] * energy
            + self._weights[1] * _as_sure(tempo, sounds.tempo_confidence[recordings])
            + self._weights[2] * _as_sure(key, sounds.key_confidence[recordings])
        )


def _apart(values: Floats) -> Floats:
    """(b, s, s) difference of each two."""
    return np.asarray(np.abs(values[:, :, None] - values[:, None, :]))


def _as_sure(gap: Floats, confidence: Floats) -> Floats:
    """The gaps, nearer to what an unknown one counts the less sure both are."""
    root = np.sqrt(confidence)
    sure = root[:, :, None] * root[:, None, :]
    return np.asarray(_UNKNOWN + sure * (gap - _UNKNOWN))
