"""Arms: what a slot can be spent on beyond the best, for whom, and how likely each is the best.

Belongs here: the arms of a week as arrays, chances by segment, what is left to chance for a block of listeners.
Does not: what makes an arm and what is known of it (the warehouse), the draw (lots.py).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, column, in_range, strings
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.errors import InputError
from models_ml.exploration.chances import best_arm_chances, floored
from models_ml.exploration.lots import Lots
from models_ml.exploration.params import ExplorationParams
from models_ml.exploration.uniforms import Use, uniforms
from models_ml.genres import leading_genre

NOTHING_SPECIAL = "nothing_special"
EVERYONE = "everyone"
# One bit of an int64 each.
MOST_ARMS = 62


@dataclass(frozen=True)
class Arms:
    """The arms of a week.

    names: A ids, sorted.  bits: (m,) int64, bit a set for recordings of arm a; nothing_special's for those of no other.
    segment_names: g + 1, everyone last, in the order of the genres of Genres.  chance: (g + 1, A) of each arm.
    """

    names: pa.Array
    bits: Ints
    segment_names: pa.Array
    chance: Floats

    def members(self) -> list[Bools]:
        """(m,) True for the recordings of each arm but nothing_special."""
        return [
            ((self.bits >> arm) & 1).astype(bool)
            for arm, name in enumerate(self.names.to_pylist())
            if name != NOTHING_SPECIAL
        ]

    def segment(self, taste: Floats) -> Ints:
        """(b,) place in segment_names: the genre that most of a listener's taste is of, the first of equals."""
        return leading_genre(taste, len(self.segment_names) - 1)

    def segments_of(self, taste: Floats) -> pa.Array:
        """Its name for each listener.  taste: (b, g) of Genres.taste."""
        return self.segment_names.take(pa.array(self.segment(taste)))


@dataclass(frozen=True)
class Exploration:
    """What is left to chance in one week.

    allowed: (n,) True for listeners who let us explore.  key: (n,) uint64 of uniforms.keys.
    shown: (m,) of read_shown, None for recordings that were all shown as often.
    """

    arms: Arms
    allowed: Bools
    key: Ints
    params: ExplorationParams
    shown: Floats | None = None

    @property
    def explore_slots(self) -> int:
        """Slots of a list that go to arms."""
        return round(self.params.slot_share * PLAYLIST_LENGTH)

    @cached_property
    def explores(self) -> Bools:
        """(n,) True for listeners whose lists have slots for arms."""
        return self.allowed & (self.explore_slots > 0)

    @cached_property
    def is_soft(self) -> Bools:
        """(n,) True for listeners all of whose slots are left to chance this week."""
        return self.allowed & (uniforms(self.key, 0, Use.LISTENER) < self.params.softmax_listener_share)

    def lots(
        self,
        listeners: Ints,
        recordings: Ints,
        score: Floats,
        value: Floats,
        scored: tuple[Floats, Bools],
        taste: Floats | None,
    ) -> Lots:
        """What chance decides of these listeners' lists.

        recordings, score, value: (b, K) as in Lots.  scored: (b, K) scores whose spread counts, and which there are.
        taste: (b, g), None where no genre is known.
        """
        arms = self.arms
        segment = arms.segment(np.zeros((len(listeners), 0)) if taste is None else taste)
        spread = _spread(*scored)
        shown = 0.0 if self.shown is None else self.shown[recordings]
        return Lots(
            unseen=score - self.params.exposure_weight * spread[:, None] * shown,
            value=value,
            arms=arms.bits[recordings],
            chance=arms.chance[segment],
            explore_draws=np.where(self.allowed[listeners], self.explore_slots, 0),
            only_new=np.full(len(listeners), self.params.new_to_listener),
            is_soft=self.is_soft[listeners],
            width=self.params.temperature * spread,
            soft_width=self.params.exploit_temperature * spread,
            key=self.key[listeners],
        )


def _spread(score: Floats, valid: Bools) -> Floats:
    """(b,) standard deviation of what is valid in each row, 1 where all is the same.

    Sums run from left to right, so that what is padded on the right changes no bit of them.
    """
    count = np.maximum(valid.sum(axis=1), 1)
    mean = np.where(valid, score, 0.0).cumsum(axis=1)[:, -1] / count
    off = np.where(valid, score - mean[:, None], 0.0)
    spread = np.sqrt((off * off).cumsum(axis=1)[:, -1] / count)
    return np.where(spread > 1e-9, spread, 1.0)


def read_arms(
    recording_arms: pa.Table, arm_posteriors: pa.Table, genre_names: pa.Array, count: int, params: ExplorationParams
) -> Arms:
    """The arms of a week from the tables of the same names; InputError names what can't be used.

    genre_names: g, sorted, as Genres has them; a segment that the warehouse doesn't know has everyone's chances.
    count: recordings m.
    """
    told = strings(arm_posteriors, "arm_posteriors", "arm_id")
    names = pc.unique(told).sort()
    segments = pa.concat_arrays([genre_names.cast(pa.string()), pa.array([EVERYONE])])
    alpha, beta = (_by_segment(arm_posteriors, told, names, segments, name) for name in ("alpha", "beta"))
    return Arms(names, _bits(recording_arms, names, count), segments, arm_chances(alpha, beta, params))


def read_shown(recording_exposure: pa.Table, count: int) -> Floats:
    """(m,) log(1 + the slots each recording had lately, against the mean recording's), 0 before there were lists.

    count: recordings m.  InputError names what can't be used.
    """
    name = "recording_exposure"
    recording = column(recording_exposure, name, "recording_index", np.int64)
    in_range(recording, count, name, "recording_index")
    slots = np.bincount(recording, column(recording_exposure, name, "slots", np.float64), count)
    return np.asarray(np.log1p(slots * (count / max(slots.sum(), 1.0))))


def arm_chances(alpha: Floats, beta: Floats, params: ExplorationParams) -> Floats:
    """(s, A) chance of each arm while all have a track left.  alpha, beta: (s, A)."""
    if params.policy == "uniform":
        return np.full(alpha.shape, 1.0 / alpha.shape[1])
    return floored(best_arm_chances(alpha, beta), params.arm_floor)


def _by_segment(table: pa.Table, told: pa.Array, names: pa.Array, segments: pa.Array, value: str) -> Floats:
    """(g + 1, A) one number of each segment and arm, everyone's where the segment has none."""
    name = "arm_posteriors"
    if len(names) > MOST_ARMS or NOTHING_SPECIAL not in names.to_pylist():
        raise InputError(f"{name}: arm_id has {len(names)} values; at most {MOST_ARMS}, {NOTHING_SPECIAL} among them")
    numbers = column(table, name, value, np.float64)
    if not (np.isfinite(numbers) & (numbers > 0)).all():
        wrong = int(np.flatnonzero(~(np.isfinite(numbers) & (numbers > 0)))[0])
        raise InputError(f"{name}: {value} is {numbers[wrong]:g} in row {wrong}; it must be above 0")
    row = segment_rows(strings(table, name, "segment"), segments[:-1])
    arm = pc.index_in(told, names).to_numpy(zero_copy_only=False)
    found = np.full((len(segments), len(names)), np.nan)
    found[row[row >= 0], arm[row >= 0]] = numbers[row >= 0]
    if np.isnan(found[-1]).any():
        missing = names[int(np.flatnonzero(np.isnan(found[-1]))[0])].as_py()
        raise InputError(f"{name}: no row of segment {EVERYONE} and arm_id {missing}; every arm needs one")
    return np.where(np.isnan(found), found[-1], found)


def segment_rows(told: pa.Array, genre_names: pa.Array) -> Ints:
    """(r,) row of each segment told, -1 for one that is none; everyone's is the last, also where a genre is called so.

    genre_names: g, sorted, as Genres has them.
    """
    row = pc.fill_null(pc.index_in(told, genre_names.cast(pa.string())), -1)
    return np.asarray(pc.if_else(pc.equal(told, EVERYONE), len(genre_names), row).to_numpy(zero_copy_only=False))


def _bits(table: pa.Table, names: pa.Array, count: int) -> Ints:
    """(m,) int64 arms of each recording."""
    name = "recording_arms"
    recording = column(table, name, "recording_index", np.int64)
    in_range(recording, count, name, "recording_index")
    told = strings(table, name, "arm_id")
    arm = pc.fill_null(pc.index_in(told, names), -1).to_numpy(zero_copy_only=False)
    if (arm < 0).any():
        row = int(np.flatnonzero(arm < 0)[0])
        raise InputError(f"{name}: arm_id is {told[row].as_py()!r} in row {row}, of which arm_posteriors has none")
    bits = np.zeros(count, dtype=np.int64)
    np.bitwise_or.at(bits, recording, np.int64(1) << arm.astype(np.int64))
    ordinary = np.int64(1) << np.int64(names.index(NOTHING_SPECIAL).as_py())
    return np.where(bits == 0, ordinary, bits)
