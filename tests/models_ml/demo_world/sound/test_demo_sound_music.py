"""The music of the demo world: pitches, rhythms, scores and waves whose answer is known by thought.

Belongs here: building blocks and single tracks. Does not: files and worlds (test_demo_sound_files.py).
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.demo_world.genres import GENRES
from models_ml.demo_world.sound.arrangement import arrange, step_starts
from models_ml.demo_world.sound.bank import Bank
from models_ml.demo_world.sound.drums import KITS, PIECES, TUNINGS, drum_hit
from models_ml.demo_world.sound.harmony import (
    DOMINANT,
    MAJOR,
    SEVENTH,
    TRIAD,
    at_or_above,
    chord,
    close_voicing,
    scale_of,
    scale_pitches,
)
from models_ml.demo_world.sound.instruments import INSTRUMENTS, VOWELS, Pluck, Tone
from models_ml.demo_world.sound.mixing import LOUD_PEAK_DB, Desk, make_desk, mix
from models_ml.demo_world.sound.plans import COLOURS, DRIVE, VOICE, TrackPlan
from models_ml.demo_world.sound.style_list import STYLE_BY_GENRE, STYLES
from models_ml.demo_world.sound.styles import STEPS_A_BAR, Style, pattern_steps, steps_of
from models_ml.demo_world.sound.waves import SAMPLE_RATE, midi_hertz, plucked, sine, times

SECONDS = 2.0
NAMES = [genre.name for genre in GENRES]


@pytest.fixture(scope="module")
def desk() -> Desk:
    return make_desk(SECONDS, Bank())


def plan_of(genre: str, **changes: object) -> TrackPlan:
    """A usual track of a genre."""
    facts = GENRES[NAMES.index(genre)]
    plan = TrackPlan(
        number=1,
        genre=NAMES.index(genre),
        tempo_bpm=facts.tempo_bpm,
        key=9,
        minor=False,
        sung=False,
        energy=facts.energy,
        darkness=facts.darkness,
        acoustic=facts.acoustic,
        brighter=0.0,
        colour=np.zeros(COLOURS),
    )
    return dataclasses.replace(plan, **changes)  # type: ignore[arg-type]


def sound_of(plan: TrackPlan, desk: Desk, seed: int = 0) -> np.ndarray:
    return mix(arrange(plan, seed, SECONDS), plan, STYLES[plan.genre], desk)


def loudness_db(sound: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((sound / 32_768) ** 2))))


def centre_hertz(sound: np.ndarray) -> float:
    """Mean frequency, by amplitude."""
    amplitude = np.abs(np.fft.rfft(sound))
    return float((amplitude * np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)).sum() / amplitude.sum())


def strongest_hertz(wave: np.ndarray) -> float:
    count = 16 * len(wave)
    return float(np.argmax(np.abs(np.fft.rfft(wave * np.hanning(len(wave)), count))) * SAMPLE_RATE / count)


def test_chords_of_c_major_are_those_of_the_textbook() -> None:
    assert chord(0, False, TRIAD) == (0, 4, 7)  # C E G
    assert chord(1, False, SEVENTH) == (2, 5, 9, 12)  # D F A C
    assert chord(4, False, DOMINANT) == (7, 11, 14, 17)  # G B D F
    assert chord(0, True, TRIAD) == (0, 3, 7)  # C Es G


def test_a_pitch_at_or_above_is_the_nearest_of_its_kind() -> None:
    assert at_or_above(33, 0) == 36
    assert at_or_above(36, 0) == 36
    assert at_or_above(37, 24) == 48
    assert close_voicing((0, 4, 7), 55) == (55, 60, 64)  # G C E
    assert scale_pitches(0, MAJOR, 60, 8) == (60, 62, 64, 65, 67, 69, 71, 72)


@given(st.integers(0, 6), st.booleans(), st.integers(0, 11), st.integers(30, 70))
def test_chords_of_a_scale_keep_to_it(degree: int, minor: bool, key: int, lowest: int) -> None:
    kinds = {(key + step) % 12 for step in scale_of(minor)}
    tones = tuple(key + step for step in chord(degree, minor, SEVENTH))
    assert {tone % 12 for tone in tones} <= kinds
    pitches = close_voicing(tones, lowest)
    assert lowest <= pitches[0] < pitches[-1] < lowest + 12


def test_a_rhythm_is_read_sixteenth_by_sixteenth() -> None:
    assert [(step.place, step.sign) for step in steps_of("9.. 5..r")] == [(0, "9"), (3, "5"), (6, "r")]
    assert [step.velocity for step in steps_of("93r")] == [1.0, 3 / 9, 0.9]
    assert pattern_steps("9.. 5..r") == 7


def test_straight_sixteenths_are_even_and_swung_ones_come_in_pairs() -> None:
    straight = dataclasses.replace(STYLE_BY_GENRE["techno"], swing=0.5)
    swung = dataclasses.replace(straight, swing=0.6, swing_sixteenths=True)
    assert step_starts(100, 600 / SAMPLE_RATE, straight, 0.0) == [0, 100, 200, 300, 400, 500]
    assert step_starts(100, 600 / SAMPLE_RATE, swung, 0.0) == [0, 120, 200, 320, 400, 520]


def test_swung_eighths_put_the_second_one_late() -> None:
    jazz = dataclasses.replace(STYLE_BY_GENRE["jazz"], swing=0.65)
    starts = step_starts(100, 800 / SAMPLE_RATE, jazz, 0.0)
    assert [starts[0], starts[2], starts[4], starts[6]] == [0, 260, 400, 660]


def test_every_genre_has_a_style_and_none_is_shared() -> None:
    assert set(STYLE_BY_GENRE) == set(NAMES)
    assert len({id(style) for style in STYLES}) == len(GENRES)


@pytest.mark.parametrize("name", NAMES)
def test_a_style_is_written_without_slips(name: str) -> None:
    style = STYLE_BY_GENRE[name]
    voices = {"voice", "speech"}
    for part in (*style.parts, style.song, *([style.lead] if style.lead else [])):
        assert set(part.natural) | set(part.electric) <= set(INSTRUMENTS) | voices
        assert all(pattern_steps(rhythm) % STEPS_A_BAR == 0 and steps_of(rhythm) for rhythm in part.rhythms)
    for beat in style.beats:
        assert set(beat) <= set(PIECES)
        assert all(pattern_steps(pattern) % STEPS_A_BAR == 0 for pattern in beat.values())
    assert set(style.kits) <= set(KITS)
    assert all(0 <= degree <= 6 for progression in (*style.major, *style.minor) for degree in progression)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_a_note_has_a_peak_of_one_and_no_step_at_its_beginning(name: str) -> None:
    note = INSTRUMENTS[name].note(57)
    assert np.abs(note).max() == pytest.approx(1.0, abs=1e-6)
    assert np.isfinite(note).all()
    tone = INSTRUMENTS[name]
    if isinstance(tone, Tone) and tone.is_held:
        assert abs(note[-1]) < 1e-3


@pytest.mark.parametrize("piece", sorted(PIECES))
def test_a_hit_has_a_peak_of_one_and_dies_away(piece: str) -> None:
    hit = drum_hit(piece, "wood", TUNINGS - 1)
    assert np.abs(hit).max() == pytest.approx(1.0)
    assert np.abs(hit[-50:]).max() < 0.12


@pytest.mark.parametrize("hertz", [82.4, 220.0, 440.0, 987.8])
def test_a_plucked_string_is_in_tune(hertz: float) -> None:
    wave = plucked("tuning", hertz, 1.0, 0.3, 1.0)
    # A tenth of a semitone, 0.6 %.
    assert strongest_hertz(wave) == pytest.approx(hertz, rel=0.006)


def test_instruments_sound_the_pitch_they_are_asked_for() -> None:
    flute, string = Tone(1.0, 2.5, 2.5), Pluck(1.0, 0.1, 1.0, 0.5)
    for pitch in (57, 69, 76):
        assert strongest_hertz(flute.note(pitch)) == pytest.approx(midi_hertz(pitch), rel=0.003)
        assert strongest_hertz(string.note(pitch)) == pytest.approx(midi_hertz(pitch), rel=0.006)
    assert midi_hertz(69) == 440.0


def test_a_sine_goes_through_its_periods() -> None:
    assert sine(np.array([0.0, 0.25, 0.5, 0.75])).round(9).tolist() == [0.0, 1.0, 0.0, -1.0]
    assert len(times(0.5)) == SAMPLE_RATE // 2


@pytest.mark.parametrize("name", NAMES)
def test_a_track_of_every_genre_is_heard_and_does_not_clip(name: str, desk: Desk) -> None:
    for sung in (False, True):
        sound = sound_of(plan_of(name, sung=sung), desk)
        assert sound.dtype == np.int16
        assert len(sound) / SAMPLE_RATE == pytest.approx(SECONDS, rel=0.03)
        assert np.abs(sound.astype(int)).max() <= 32_767 * 10 ** (LOUD_PEAK_DB / 20) + 16
        assert -30 < loudness_db(sound) < -5


def test_notes_fall_on_the_beat_that_the_tempo_says() -> None:
    plan = plan_of("house", tempo_bpm=120)
    assert arrange(plan, 0, SECONDS).kicks[:4] == [0, SAMPLE_RATE // 2, SAMPLE_RATE, SAMPLE_RATE * 3 // 2]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 11), st.booleans())
def test_all_notes_of_a_track_are_of_its_key(name: str, key: int, minor: bool) -> None:
    plan = plan_of(name, key=key, minor=minor)
    # Blue notes, flat thirds and sevenths, lie beside a major scale.
    blue = (3, 10) if name in ("blues", "funk") else ()
    kinds = {(key + step) % 12 for step in (*scale_of(minor), *blue)}
    notes = arrange(plan, 0, SECONDS).notes
    of_key = [note.pitch % 12 in kinds for note in notes]
    assert np.mean(of_key) > 0.95
    assert notes


def test_an_energetic_track_is_louder_and_brighter_than_a_calm_one(desk: Desk) -> None:
    calm, energetic = (sound_of(plan_of("pop", energy=energy), desk) for energy in (0.2, 0.9))
    assert loudness_db(energetic) > loudness_db(calm) + 2
    assert centre_hertz(energetic) > centre_hertz(calm)


def test_a_dark_track_is_duller_than_a_light_one(desk: Desk) -> None:
    light, dark = (sound_of(plan_of("electronic", darkness=darkness), desk) for darkness in (0.0, 1.0))
    assert centre_hertz(dark) < centre_hertz(light)


def test_whoever_sings_is_heard_in_vowels_and_nobody_sings_where_nobody_should() -> None:
    sung = {note.instrument for note in arrange(plan_of("pop", sung=True), 0, SECONDS).notes}
    played = {note.instrument for note in arrange(plan_of("pop"), 0, SECONDS).notes}
    voices = {f"{who} voice {vowel}" for who in ("low", "high") for vowel in VOWELS}
    assert sung & voices
    assert not played & voices


def test_an_artist_has_one_voice() -> None:
    colour = np.zeros(COLOURS)
    colour[VOICE] = -1
    low = arrange(plan_of("soul", sung=True, colour=colour), 0, SECONDS)
    assert not any(note.instrument.startswith("high") for note in low.notes)
    assert any(note.instrument.startswith("low voice") for note in low.notes)


def test_an_acoustic_track_is_played_on_wood_and_a_synthetic_one_by_circuits() -> None:
    wood, circuits = (
        {note.instrument for note in arrange(plan_of("pop", acoustic=acoustic), 0, SECONDS).notes}
        for acoustic in (1.0, 0.0)
    )
    assert {"piano", "strings"} <= wood
    assert {"saw pad"} <= circuits
    assert not wood & circuits


def test_the_same_plan_and_seed_give_the_same_samples_and_another_seed_other_ones(desk: Desk) -> None:
    plan = plan_of("funk")
    fresh = make_desk(SECONDS, Bank())
    assert (sound_of(plan, desk) == sound_of(plan, fresh)).all()
    assert (sound_of(plan, desk) != sound_of(plan, desk, seed=1)).any()
    assert (sound_of(plan, desk) != sound_of(dataclasses.replace(plan, number=2), desk)).any()


def test_colours_change_the_sound_and_not_the_notes(desk: Desk) -> None:
    colour = np.zeros(COLOURS)
    colour[DRIVE] = 2
    plain, coloured = plan_of("rock"), plan_of("rock", colour=colour)
    assert arrange(plain, 0, SECONDS) == arrange(coloured, 0, SECONDS)
    assert (sound_of(plain, desk) != sound_of(coloured, desk)).any()


def test_a_score_without_a_note_is_silence(desk: Desk) -> None:
    style: Style = dataclasses.replace(STYLE_BY_GENRE["classical"], beats=({},), parts=(), lead=None)
    plan = plan_of("classical")
    empty = dataclasses.replace(arrange(plan, 0, SECONDS), notes=[], hits=[])
    assert not mix(empty, plan, style, desk).any()
