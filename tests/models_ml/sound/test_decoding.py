"""Tests of decoding: every format, where excerpts lie, and files that can't be used."""

import itertools
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_sound import RATE, note, piece, write

from models_ml.errors import InputError
from models_ml.sound.decoding import UnusableSoundError, excerpt_starts, has_ffmpeg, read_excerpts, read_sound


def read(path: Path, count: int = 4, seconds: float = 5.0):
    return read_excerpts(path, count, seconds, RATE)


def sine(seconds: float, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def reason(path: Path) -> str:
    with pytest.raises(UnusableSoundError) as raised:
        read(path)
    assert str(path) in str(raised.value)
    assert str(raised.value) == f"{path}: {raised.value.what}"
    return raised.value.reason


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("seconds", [20, 60])
def test_every_format_gives_the_same_excerpts_up_to_its_losses(tmp_path, ending, seconds):
    samples = piece(seconds)
    found = read(write(tmp_path / f"piece.{ending}", samples))
    wanted = read(write(tmp_path / "exact.wav", samples, subtype="FLOAT"))
    assert found.samples.shape == (4, 5 * RATE)
    assert found.samples.dtype == np.float32
    assert found.duration_seconds == pytest.approx(seconds, abs=0.1)
    error = np.sqrt(np.square(found.samples - wanted.samples).mean(axis=1) / np.square(wanted.samples).mean(axis=1))
    assert error.max() < (0.2 if ending in ("ogg", "mp3") else 1e-3)


def test_excerpts_of_a_long_piece_are_read_where_they_lie(tmp_path):
    ramp = np.linspace(0, 0.9, 100 * RATE)
    found = read(write(tmp_path / "ramp.wav", ramp, subtype="FLOAT"), count=2, seconds=10)
    middles = [np.float32(0.9) * 0.25, np.float32(0.9) * 0.75]
    np.testing.assert_allclose(found.samples.mean(axis=1), middles, atol=1e-4)


def test_stereo_is_averaged_and_opposite_channels_cancel(tmp_path):
    left = sine(20)
    assert np.allclose(read(write(tmp_path / "a.flac", np.stack([left, left], 1))).samples.ravel(), left, atol=1e-4)
    assert not read(write(tmp_path / "b.flac", np.stack([left, -left], 1))).samples.any()


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
def test_any_rate_becomes_the_wanted_one(tmp_path, rate):
    found = read(write(tmp_path / "tone.wav", sine(30, rate), rate, subtype="FLOAT"))
    assert found.sample_rate == RATE
    assert found.samples.shape == (4, 5 * RATE)
    spectrum = np.abs(np.fft.rfft(found.samples[1] * np.hanning(5 * RATE)))
    assert np.argmax(spectrum) / 5 == pytest.approx(440, abs=0.2)


def test_what_lies_above_the_wanted_rate_does_not_fold_back(tmp_path):
    found = read(write(tmp_path / "high.wav", sine(20, 44_100, 15_000.0), 44_100, subtype="FLOAT"))
    assert np.abs(found.samples[1]).max() < 1e-4


def test_a_piece_shorter_than_an_excerpt_is_continued_by_its_mirror_image(tmp_path):
    samples = np.linspace(0.1, 0.8, 4 * RATE)
    found = read(write(tmp_path / "short.wav", samples, subtype="FLOAT"))
    np.testing.assert_allclose(found.samples[0, : 4 * RATE], samples, atol=1e-6)
    np.testing.assert_allclose(found.samples[0, 4 * RATE :], samples[: -RATE - 1 : -1], atol=1e-6)
    assert (found.samples == found.samples[0]).all()


def test_excerpts_of_a_six_second_piece_overlap_from_its_first_sample_to_its_last(tmp_path):
    samples = sine(6)
    found = read(write(tmp_path / "six.wav", samples, subtype="FLOAT"))
    np.testing.assert_allclose(found.samples[0], samples[: 5 * RATE], atol=1e-6)
    np.testing.assert_allclose(found.samples[3], samples[RATE:], atol=1e-6)


def test_the_whole_piece_is_all_of_it(tmp_path):
    assert len(read_sound(write(tmp_path / "a.ogg", sine(7)), RATE).samples) == 7 * RATE
    assert len(read_sound(write(tmp_path / "b.wav", sine(7, 44_100), 44_100), RATE).samples) == 7 * RATE


@given(st.integers(1, 10_000), st.integers(1, 12), st.integers(1, 500))
def test_excerpts_lie_within_the_piece_in_order_and_overlap_only_where_they_must(length, count, excerpt):
    starts = excerpt_starts(length, count, excerpt)
    assert len(starts) == count
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] + excerpt <= max(length, excerpt)
    if length >= count * excerpt:
        assert all(after - before >= excerpt for before, after in itertools.pairwise(starts))


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_an_empty_file_and_one_of_other_bytes_are_unreadable(tmp_path, ending):
    (tmp_path / f"empty.{ending}").touch()
    (tmp_path / f"text.{ending}").write_bytes(b"this is not sound at all, " * 200)
    assert reason(tmp_path / f"empty.{ending}") == "unreadable"
    if not has_ffmpeg():
        assert reason(tmp_path / f"text.{ending}") == "unreadable"


def test_a_flac_whose_middle_is_overwritten_is_unreadable(tmp_path):
    path = write(tmp_path / "broken.flac", np.random.default_rng(0).normal(size=20 * RATE) * 0.1)
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : -100] = bytes(len(content) - 100 - len(content) // 3)
    path.write_bytes(content)
    assert reason(path) == "unreadable"


def test_a_flac_that_ends_before_its_header_says_is_unreadable(tmp_path):
    path = write(tmp_path / "cut.flac", piece(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "unreadable"


def test_an_mp3_that_ends_before_its_header_says_is_unreadable(tmp_path):
    path = write(tmp_path / "cut.mp3", piece(40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "unreadable"


@pytest.mark.parametrize("ending", ["wav", "ogg"])
def test_where_a_cut_file_still_decodes_it_counts_as_what_is_left(tmp_path, ending):
    path = write(tmp_path / f"cut.{ending}", piece(40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = read(path)
    assert found.samples.shape == (4, 5 * RATE)
    assert found.duration_seconds == pytest.approx(20, abs=4)


def test_half_a_second_is_too_short_and_three_seconds_are_enough(tmp_path):
    assert reason(write(tmp_path / "half.wav", sine(0.5))) == "too_short"
    assert reason(write(tmp_path / "none.wav", sine(0))) == "too_short"
    assert read(write(tmp_path / "three.wav", sine(3))).duration_seconds == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_file_with_values_that_are_no_numbers_is_unreadable(tmp_path, value):
    samples = sine(20)
    samples[9 * RATE] = value
    assert reason(write(tmp_path / "broken.wav", samples, subtype="FLOAT")) == "unreadable"


def test_a_file_that_is_not_there_or_is_a_folder_is_missing(tmp_path):
    assert reason(tmp_path / "gone.wav") == "missing"
    assert reason(tmp_path) == "missing"


def test_a_sample_rate_or_a_number_of_channels_that_is_no_music_is_unreadable(tmp_path):
    assert reason(write(tmp_path / "slow.wav", sine(20, 1_000), 1_000)) == "unreadable"
    assert reason(write(tmp_path / "wide.wav", np.zeros((5 * RATE, 40)))) == "unreadable"


def test_the_same_file_gives_the_same_bytes(tmp_path):
    path = write(tmp_path / "piece.ogg", piece(60))
    assert read(path).samples.tobytes() == read(path).samples.tobytes()


def test_an_m4a_without_ffmpeg_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "song.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(1_000))
    assert reason(tmp_path / "song.m4a") == "no_decoder"
    with pytest.raises(InputError, match="need the program ffmpeg, which is not on the PATH"):
        read(tmp_path / "song.m4a")


def test_a_flac_that_does_not_say_how_long_it_is_goes_through_ffmpeg(tmp_path, monkeypatch):
    path = write(tmp_path / "stream.flac", piece(20))
    header = bytearray(path.read_bytes())
    header[21] &= 0xF0  # the samples in all, 36 bits of STREAMINFO, where 0 is "unknown"
    header[22:26] = bytes(4)
    path.write_bytes(header)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reason(path) == "no_decoder"
    stand_in_for_ffmpeg(tmp_path, "sys.stdout.buffer.write(np.full(8 * 22050, .25, '<f4').tobytes())")
    assert read(path).duration_seconds == 8
    assert len(read_sound(path, RATE).samples) == 8 * RATE


def stand_in_for_ffmpeg(folder: Path, body: str) -> None:
    """A program called ffmpeg; only what is asked of it and what comes back are tested, not decoding."""
    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport sys, numpy as np\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_an_m4a_is_read_through_the_ffmpeg_on_the_path(tmp_path, monkeypatch):
    says = "sys.stdout.buffer.write(np.full(8 * int(rate), .25, '<f4').tobytes())"
    asked = """
assert 'file:' + sys.argv[0].replace('ffmpeg', 'song.m4a') in sys.argv
rate = sys.argv[sys.argv.index('-ar') + 1]
"""
    stand_in_for_ffmpeg(tmp_path, f"{asked}\n{says}")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "song.m4a").write_bytes(bytes(1_000))
    found = read(tmp_path / "song.m4a")
    assert found.duration_seconds == 8
    assert (found.samples == 0.25).all()
    assert len(read_sound(tmp_path / "song.m4a", RATE).samples) == 8 * RATE


def test_what_ffmpeg_says_of_a_bad_file_is_passed_on(tmp_path, monkeypatch):
    stand_in_for_ffmpeg(tmp_path, "sys.exit('moov atom not found')")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "song.m4a").write_bytes(bytes(1_000))
    assert reason(tmp_path / "song.m4a") == "unreadable"
    with pytest.raises(UnusableSoundError, match="moov atom not found"):
        read(tmp_path / "song.m4a")


@pytest.mark.skipif(not has_ffmpeg(), reason="needs the program ffmpeg, which is not on the PATH")
def test_an_m4a_holds_the_tone_that_was_put_in(tmp_path):
    source, target = write(tmp_path / "tone.wav", note(69, 8)), tmp_path / "tone.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, target], check=True)
    spectrum = np.abs(np.fft.rfft(read(target).samples[0]))
    assert np.argmax(spectrum) / 5 == pytest.approx(440, abs=1)
