"""Drums: how one hit of each piece of a kit sounds.

Belongs here: kits as numbers, rendering a hit.
Does not: rhythms (rhythms.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Floats
from models_ml.demo_world.sound.waves import band_noise, decay, normalised, phases, rise, sine, times

# Each kit is there in three tunings, a semitone and a half apart.
TUNINGS = 3


@dataclass(frozen=True)
class Kit:
    """kick_hertz: where the kick ends.  kick_seconds, snare_seconds: decay.  snare_noise: share of rattle.
    click: of the kick's beginning.  metal_hertz: where cymbals begin.
    """

    kick_hertz: float
    kick_seconds: float
    click: float
    snare_hertz: float
    snare_seconds: float
    snare_noise: float
    metal_hertz: float


KITS: Mapping[str, Kit] = {
    "wood": Kit(62, 0.12, 0.25, 190, 0.09, 0.75, 5_500),
    "loud": Kit(66, 0.14, 0.55, 200, 0.14, 0.9, 4_800),
    "brushes": Kit(70, 0.09, 0.08, 210, 0.10, 0.95, 6_000),
    "machine": Kit(52, 0.16, 0.45, 180, 0.10, 0.85, 7_000),
    "deep": Kit(43, 0.42, 0.2, 185, 0.09, 0.8, 7_500),
    "hard": Kit(55, 0.13, 0.8, 230, 0.08, 0.9, 6_500),
}


def _kick(kit: Kit, tune: float) -> Floats:
    when = times(0.15 + 2.5 * kit.kick_seconds)
    hertz = kit.kick_hertz * tune * (1 + 3.2 * decay(when, 0.022))
    body = sine(phases(hertz)) * decay(when, kit.kick_seconds)
    return body + kit.click * 0.5 * band_noise("click", len(when), 1_500, 6_000) * decay(when, 0.004)


def _snare(kit: Kit, tune: float) -> Floats:
    when = times(0.1 + 2.5 * kit.snare_seconds)
    shell = sine(phases(kit.snare_hertz * tune * (1 + 0.4 * decay(when, 0.012))))
    rattle = band_noise("rattle", len(when), 1_200, 8_500) * decay(when, kit.snare_seconds)
    return (1 - 0.5 * kit.snare_noise) * shell * decay(when, 0.07) + 0.45 * kit.snare_noise * rattle


def _brush(kit: Kit, tune: float) -> Floats:
    when = times(0.3)
    return band_noise("brush", len(when), 1_500 * tune, 7_500) * rise(when, 0.05) * decay(when, 0.07)


def _clap(kit: Kit, tune: float) -> Floats:
    when = times(0.25)
    claps = sum(np.where(when >= start, decay(np.maximum(when - start, 0), 0.006), 0) for start in (0, 0.011, 0.023))
    return band_noise("clap", len(when), 900 * tune, 4_500) * (claps + 0.6 * decay(when, 0.06))


def _metal(seconds: float, name: str) -> Callable[[Kit, float], Floats]:
    def hit(kit: Kit, tune: float) -> Floats:
        when = times(min(0.05 + 3 * seconds, 1.4))
        return band_noise(name, len(when), kit.metal_hertz * tune, 10_500) * decay(when, seconds)

    return hit


def _ride(kit: Kit, tune: float) -> Floats:
    when = times(0.9)
    ping: Floats = sine(np.outer((2_330, 3_570, 5_110, 6_730), tune * when)).sum(axis=0)
    wash = band_noise("ride", len(when), 4_500, 10_000)
    return ping * 0.25 * decay(when, 0.12) + 0.35 * wash * decay(when, 0.25)


def _skin(hertz: float, seconds: float, slap: float) -> Callable[[Kit, float], Floats]:
    def hit(kit: Kit, tune: float) -> Floats:
        when = times(0.06 + 3 * seconds)
        bent = hertz * tune * (1 + 0.25 * decay(when, 0.03))
        body = sine(phases(bent)) * decay(when, seconds)
        return body + slap * band_noise("slap", len(when), 1_500, 6_000) * decay(when, 0.012)

    return hit


def _block(low: float, high: float, seconds: float) -> Callable[[Kit, float], Floats]:
    def hit(kit: Kit, tune: float) -> Floats:
        when = times(0.03 + 4 * seconds)
        tones = sine(low * tune * when) + 0.7 * sine(high * tune * when)
        return tones * decay(when, seconds)

    return hit


def _shaker(kit: Kit, tune: float) -> Floats:
    when = times(0.12)
    return band_noise("shaker", len(when), 5_000 * tune, 10_000) * rise(when, 0.02) * decay(when, 0.03)


PIECES: Mapping[str, Callable[[Kit, float], Floats]] = {
    "kick": _kick,
    "snare": _snare,
    "brush": _brush,
    "clap": _clap,
    "hat": _metal(0.028, "hat"),
    "open hat": _metal(0.16, "open hat"),
    "crash": _metal(0.5, "crash"),
    "ride": _ride,
    "high tom": _skin(165, 0.14, 0.2),
    "low tom": _skin(98, 0.18, 0.2),
    "high conga": _skin(330, 0.09, 0.35),
    "low conga": _skin(215, 0.12, 0.2),
    "bongo": _skin(470, 0.05, 0.3),
    "rim": _block(1_150, 1_720, 0.012),
    "clave": _block(2_450, 2_480, 0.02),
    "cowbell": _block(560, 845, 0.08),
    "agogo": _block(880, 1_330, 0.07),
    "shaker": _shaker,
    "tambourine": _metal(0.06, "tambourine"),
}


def drum_hit(piece: str, kit: str, tuning: int) -> Floats:
    """One hit, peak 1; tuning from 0 to TUNINGS - 1."""
    return normalised(PIECES[piece](KITS[kit], 2 ** ((tuning - 1) / 8)))
