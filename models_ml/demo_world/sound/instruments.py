"""Instruments with a pitch: how one note of each sounds.

Belongs here: the instruments as data, rendering a note.
Does not: drums (drums.py), when notes are played (arrangement.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Floats, Ints
from models_ml.demo_world.sound.waves import (
    HIGHEST_HZ,
    SAMPLE_RATE,
    Wave,
    band_noise,
    bent_places,
    decay,
    midi_hertz,
    normalised,
    period_table,
    plucked,
    rise,
    table_places,
    times,
)

Formants = tuple[tuple[float, float, float], ...]
# A held note begins to fade after this share of its samples; a longer one begins anew there.
HELD_SHARE = 0.75


@dataclass(frozen=True)
class Tone:
    """A sustained or struck tone whose spectrum moves from a bright beginning to a darker end, or back.

    steep, steep_later: harmonic n is as loud as n ** -steep.  even: share of the even harmonics.
    change_seconds: how fast the spectrum moves.  decay_seconds: 0 holds.  detune_cents: of two more voices.
    breath: noise beside the tone.  formants: (hertz, width in hertz, share) that the spectrum is drawn to.
    scoop_cents: how far below its pitch it begins.
    """

    seconds: float
    steep: float
    steep_later: float
    change_seconds: float = 0.3
    attack_seconds: float = 0.005
    decay_seconds: float = 0.0
    even: float = 1.0
    detune_cents: float = 0.0
    vibrato_cents: float = 0.0
    breath: float = 0.0
    scoop_cents: float = 0.0
    formants: Formants = ()

    @property
    def is_held(self) -> bool:
        """Whether it sounds as long as the player wants."""
        return not self.decay_seconds

    def note(self, pitch: int) -> Floats:
        """The note, peak 1."""
        hertz = midi_hertz(pitch)
        when = times(self.seconds)
        mix = decay(when, self.change_seconds).astype(np.float32)
        early, late = (self._table(hertz, steep) for steep in (self.steep, self.steep_later))
        wave = np.zeros(len(when), dtype=np.float32)
        for cents in (0.0, self.detune_cents, -self.detune_cents) if self.detune_cents else (0.0,):
            places = self._places(hertz, cents, when)
            later = late[places]
            wave += later + (early[places] - later) * mix
        return self._shaped(normalised(wave), hertz, when)

    def _shaped(self, wave: Floats, hertz: float, when: Floats) -> Floats:
        """The wave with its breath, its beginning and its end."""
        if self.breath:
            wave = wave + self.breath * band_noise("breath", len(when), hertz, min(4 * hertz + 2_000, 9_000))
        wave = wave * rise(when, self.attack_seconds)
        if self.is_held:
            wave = wave * rise(when, (1 - HELD_SHARE) * self.seconds)[::-1]
        return normalised(wave * decay(when, self.decay_seconds) if self.decay_seconds else wave)

    def _table(self, hertz: float, steep: float) -> Wave:
        number = np.arange(1, max(2, min(int(HIGHEST_HZ / hertz), 80)))
        amplitudes = number**-steep * np.where(number % 2 == 0, self.even, 1.0)
        if self.formants:
            amplitudes = amplitudes * (0.02 + _resonance(number * hertz, self.formants))
        return period_table(amplitudes)

    def _places(self, hertz: float, cents: float, when: Floats) -> Ints:
        if not self.vibrato_cents and not self.scoop_cents:
            return table_places(hertz * 2 ** (cents / 1_200), len(when), abs(cents) * 0.137)
        # Vibrato of 5.3 Hz that comes in after the note has settled.
        settled = rise(np.maximum(when - 0.15, 0), 0.3)
        bend = self.vibrato_cents * np.sin(2 * np.pi * 5.3 * when) * settled
        return bent_places(hertz, bend + cents - self.scoop_cents * decay(when, 0.035))


def _resonance(hertz: Floats, formants: Formants) -> Floats:
    total = np.zeros(len(hertz))
    for centre, width, share in formants:
        total += share / (1 + ((hertz - centre) / (width / 2)) ** 2)
    return total


@dataclass(frozen=True)
class Pluck:
    """A plucked string; brightness 0 to 1, body: how strong the wood below 300 Hz resounds."""

    seconds: float
    brightness: float
    ring_seconds: float
    body: float = 0.0

    def note(self, pitch: int) -> Floats:
        """The note, peak 1."""
        hertz = midi_hertz(pitch)
        wave = normalised(plucked(f"string {pitch}", hertz, self.seconds, self.brightness, self.ring_seconds))
        if self.body:
            when = times(self.seconds)
            wave = wave + self.body * np.sin(2 * np.pi * hertz * when) * decay(when, self.ring_seconds * 0.6)
        return normalised(wave)


@dataclass(frozen=True)
class Struck:
    """A tone struck from the outside whose frequency is bent by another: bells, electric pianos, basses.

    ratio: of the bending frequency to the heard one.  bend: how far, radians, at the beginning.
    """

    seconds: float
    ratio: float
    bend: float
    bend_seconds: float
    decay_seconds: float
    attack_seconds: float = 0.002

    def note(self, pitch: int) -> Floats:
        """The note, peak 1; Chowning (1973)."""
        when = times(self.seconds)
        angle = 2 * np.pi * midi_hertz(pitch) * when
        bent = np.sin(angle + self.bend * decay(when, self.bend_seconds) * np.sin(self.ratio * angle))
        return normalised(bent * decay(when, self.decay_seconds) * rise(when, self.attack_seconds))


@dataclass(frozen=True)
class Power:
    """Root, fifth and octave of one string each through one overdriven amplifier."""

    seconds: float
    gain: float
    ring_seconds: float
    fifth: bool = True

    def note(self, pitch: int) -> Floats:
        """The note or chord, peak 1."""
        strings = (pitch, pitch + 7, pitch + 12) if self.fifth else (pitch,)
        wave = np.zeros(len(times(self.seconds)))
        for string in strings:
            wave += plucked(f"amplified {string}", midi_hertz(string), self.seconds, 0.8, self.ring_seconds)
        return normalised(cabinet(np.tanh(self.gain * normalised(wave))))


def is_held(instrument: str) -> bool:
    """Whether an instrument's notes sound as long as the player wants."""
    tone = INSTRUMENTS[instrument]
    return isinstance(tone, Tone) and tone.is_held


def cabinet(wave: Floats) -> Floats:
    """What a guitar loudspeaker lets through: 90 to 4,500 Hz, a little more around 2,500."""
    spectrum = np.fft.rfft(wave)
    hertz = np.maximum(np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE), 1.0)
    shape = (1 + 0.8 / (1 + ((hertz - 2_500) / 800) ** 2)) / ((1 + (90 / hertz) ** 4) * (1 + (hertz / 4_500) ** 6))
    return np.fft.irfft(spectrum * shape, len(wave))


# Formants of sung vowels, after Peterson and Barney (1952), the higher ones for a smaller head.
_AH: Formants = ((730, 130, 1.0), (1_090, 150, 0.6), (2_440, 220, 0.25), (3_400, 300, 0.15))
_EH: Formants = ((530, 110, 1.0), (1_840, 180, 0.5), (2_480, 220, 0.3), (3_500, 300, 0.15))
_OH: Formants = ((500, 110, 1.0), (850, 120, 0.6), (2_410, 220, 0.12), (3_300, 300, 0.08))
_EE: Formants = ((300, 90, 1.0), (2_290, 200, 0.4), (3_010, 240, 0.35), (3_700, 300, 0.15))


def _smaller(formants: Formants) -> Formants:
    return tuple((centre * 1.18, width * 1.1, share) for centre, width, share in formants)


def _voice(formants: Formants, breath: float = 0.02) -> Tone:
    return Tone(1.6, 1.0, 1.15, 0.2, 0.04, 0.0, 1.0, 0.0, 28, breath, 90, formants)


def _spoken(formants: Formants) -> Tone:
    return Tone(0.35, 0.8, 1.1, 0.08, 0.012, 0.16, 1.0, 0.0, 0, 0.06, 250, formants)


_VOWELS = {"ah": _AH, "eh": _EH, "oh": _OH, "ee": _EE}

INSTRUMENTS: Mapping[str, Tone | Pluck | Struck | Power] = {
    # Strings that are plucked.
    "nylon guitar": Pluck(1.6, 0.35, 0.7, 0.25),
    "steel guitar": Pluck(1.8, 0.75, 0.9, 0.1),
    "banjo": Pluck(0.7, 0.95, 0.22),
    "clean guitar": Pluck(1.4, 0.6, 0.8),
    "muted guitar": Pluck(0.25, 0.7, 0.06),
    "twang guitar": Pluck(1.2, 0.92, 0.6),
    "upright bass": Pluck(1.0, 0.15, 0.45, 0.7),
    "electric bass": Pluck(1.2, 0.45, 0.6, 0.5),
    "slap bass": Pluck(0.6, 0.9, 0.3, 0.35),
    "harp": Pluck(1.8, 0.5, 1.0, 0.1),
    # Through an amplifier.
    "power chord": Power(1.8, 14.0, 1.6),
    "muted chord": Power(0.22, 18.0, 0.07),
    "crunch chord": Power(1.6, 5.0, 1.2),
    "lead guitar": Power(1.6, 9.0, 1.8, fifth=False),
    # Keys.
    "piano": Tone(2.0, 0.9, 2.0, 0.25, 0.003, 0.75, detune_cents=1.2),
    "felt piano": Tone(2.0, 1.6, 2.6, 0.3, 0.012, 0.8, detune_cents=1.0),
    "electric piano": Struck(1.8, 1.0, 1.6, 0.25, 0.8),
    "bell piano": Struck(1.6, 14.0, 0.5, 0.08, 0.7),
    "organ": Tone(1.6, 0.7, 0.7, 0.3, 0.01, 0.0, 0.6, 3.0, 12),
    "clavinet": Pluck(0.6, 0.85, 0.18),
    "accordion": Tone(1.4, 0.55, 0.7, 0.3, 0.03, 0.0, 0.9, 9.0),
    "marimba": Struck(0.7, 4.0, 0.6, 0.03, 0.2),
    "kalimba": Struck(0.9, 5.4, 0.9, 0.04, 0.3),
    "vibraphone": Struck(1.8, 4.0, 0.4, 0.1, 0.9),
    # Bowed and blown.
    "strings": Tone(2.4, 1.2, 1.3, 0.5, 0.12, 0.0, 1.0, 7.0, 14),
    "solo violin": Tone(1.8, 1.0, 1.1, 0.5, 0.07, 0.0, 1.0, 0.0, 25, 0.02, 20),
    "cello": Tone(2.0, 1.15, 1.3, 0.5, 0.09, 0.0, 0.9, 2.0, 18),
    "brass": Tone(1.0, 1.6, 0.75, 0.05, 0.02, 0.0, 1.0, 3.0, 6, 0.0, 40),
    "saxophone": Tone(1.4, 1.0, 0.8, 0.1, 0.03, 0.0, 0.7, 0.0, 22, 0.05, 60),
    "trumpet": Tone(1.2, 1.3, 0.7, 0.06, 0.025, 0.0, 1.0, 0.0, 18, 0.02, 40),
    "flute": Tone(1.4, 2.2, 2.4, 0.3, 0.05, 0.0, 0.5, 0.0, 20, 0.08),
    "harmonica": Tone(1.2, 0.6, 0.9, 0.2, 0.03, 0.0, 0.5, 5.0, 24, 0.02, 70),
    # Made by circuits.
    "saw pad": Tone(3.0, 1.3, 1.0, 1.0, 0.35, 0.0, 1.0, 9.0),
    "glass pad": Tone(3.4, 2.0, 1.5, 1.5, 0.7, 0.0, 0.3, 5.0, 8),
    "air pad": Tone(3.4, 2.4, 2.0, 1.5, 0.8, 0.0, 1.0, 6.0, 0, 0.10),
    "saw lead": Tone(1.2, 0.75, 1.1, 0.15, 0.005, 0.0, 1.0, 6.0, 12),
    "square lead": Tone(1.2, 0.9, 1.3, 0.2, 0.005, 0.0, 0.02, 0.0, 16),
    "super saw": Tone(1.6, 0.7, 1.0, 0.3, 0.006, 0.9, 1.0, 14.0),
    "synth pluck": Tone(0.8, 0.6, 2.2, 0.07, 0.002, 0.22, 1.0, 5.0),
    "acid": Tone(0.5, 0.35, 2.4, 0.06, 0.002, 0.18),
    "stab": Tone(0.6, 0.6, 1.4, 0.1, 0.003, 0.15, 1.0, 10.0),
    "sub bass": Tone(1.4, 3.0, 3.5, 0.2, 0.008, 0.9),
    "synth bass": Tone(0.9, 0.8, 1.9, 0.12, 0.003, 0.5),
    "wobble bass": Tone(1.4, 0.9, 1.2, 0.3, 0.01, 0.0, 1.0, 18.0),
    "long bass": Struck(1.8, 0.5, 0.35, 0.3, 0.9),
    # Voices.
    **{f"low voice {vowel}": _voice(formants) for vowel, formants in _VOWELS.items()},
    **{f"high voice {vowel}": _voice(_smaller(formants), 0.04) for vowel, formants in _VOWELS.items()},
    **{f"low speech {vowel}": _spoken(formants) for vowel, formants in _VOWELS.items()},
    **{f"high speech {vowel}": _spoken(_smaller(formants)) for vowel, formants in _VOWELS.items()},
    "choir": Tone(2.6, 1.0, 1.1, 0.4, 0.25, 0.0, 1.0, 10.0, 20, 0.05, 0, _AH),
}
VOWELS = tuple(_VOWELS)
