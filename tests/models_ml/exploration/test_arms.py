"""The arms of a week as arrays: who is of which arm, whose chances count, and errors that say what is wrong."""

import numpy as np
import pyarrow as pa
import pytest

from models_ml.errors import InputError
from models_ml.exploration.arms import Exploration, read_arms, read_shown
from models_ml.exploration.params import ExplorationParams
from models_ml.exploration.uniforms import keys
from models_ml.funnel import hashes

PARAMS = ExplorationParams(arm_floor=0.1)
GENRES = pa.array(["folk", "rock"])


def of_arms(**rows: list) -> pa.Table:
    columns = {"recording_index": [1, 1, 3], "arm_id": ["genre:folk", "new_artist", "new_artist"], **rows}
    return pa.table({**columns, "recording_index": pa.array(columns["recording_index"], pa.int32())})


def posteriors(**columns: list) -> pa.Table:
    arms = ["genre:folk", "new_artist", "nothing_special"]
    plain = {
        "segment": ["everyone"] * 3 + ["rock"] * 3,
        "arm_id": arms * 2,
        "alpha": [1.0] * 3 + [1.0, 1.0, 900.0],
        "beta": [1.0] * 3 + [900.0, 900.0, 1.0],
    }
    return pa.table({**plain, **columns})


def test_a_recording_is_of_all_its_arms_and_of_nothing_special_only_without_any():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, PARAMS)
    assert arms.names.to_pylist() == ["genre:folk", "new_artist", "nothing_special"]
    assert arms.bits.tolist() == [4, 3, 4, 2]
    assert [members.tolist() for members in arms.members()] == [[False, True, False, False], [False, True, False, True]]


def test_a_segment_that_nothing_is_known_of_has_the_chances_of_everyone():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, PARAMS)
    taste = np.array([[0.4, 0.6], [0.6, 0.4], [0.5, 0.5], [0.0, 0.0]])
    assert arms.segments_of(taste).to_pylist() == ["rock", "folk", "folk", "everyone"]
    rock, folk, _, everyone = arms.chance[arms.segment(taste)]
    assert rock == pytest.approx([0.1, 0.1, 0.8])
    assert folk == pytest.approx([1 / 3] * 3)
    assert everyone.tolist() == folk.tolist()


def test_a_genre_called_everyone_leaves_everyone_what_they_have():
    arms = read_arms(of_arms(), posteriors(), pa.array(["everyone", "rock"]), 4, PARAMS)
    called_so, rock, everyone = arms.chance
    assert rock == pytest.approx([0.1, 0.1, 0.8])
    assert called_so.tolist() == everyone.tolist()


def test_the_uniform_policy_knows_no_better_arm():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, ExplorationParams(policy="uniform"))
    assert arms.chance == pytest.approx(np.full((3, 3), 1 / 3))


def test_listeners_who_ask_get_nothing_by_chance():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, PARAMS)
    everything = ExplorationParams(softmax_listener_share=1.0)
    key = keys(hashes(pa.array(["a", "b"])), 1)
    exploration = Exploration(arms, np.array([True, False]), key, everything)
    assert exploration.explores.tolist() == [True, False]
    assert exploration.is_soft.tolist() == [True, False]
    grid = np.zeros((2, 4))
    scored = (grid, np.ones((2, 4), dtype=bool))
    lots = exploration.lots(np.arange(2), np.tile(np.arange(4), (2, 1)), grid, grid, scored, None)
    assert lots.explore_draws.tolist() == [3, 0]
    assert lots.is_soft.tolist() == [True, False]


def test_what_was_shown_e_times_as_often_is_worth_less_to_an_arm_by_the_weight_in_spreads():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, PARAMS)
    exposure = pa.table({"recording_index": pa.array([0, 2], pa.int32()), "slots": [6, 2]})
    shown = read_shown(exposure, 4)
    assert shown == pytest.approx(np.log1p([3.0, 0.0, 1.0, 0.0]))
    key = keys(hashes(pa.array(["a"])), 1)
    score = np.array([[4.0, 3.0, 2.0, 1.0]])
    scored = (score, np.ones((1, 4), dtype=bool))
    exploration = Exploration(arms, np.array([True]), key, ExplorationParams(exposure_weight=0.5), shown)
    lots = exploration.lots(np.arange(1), np.array([[3, 2, 1, 0]]), score, score, scored, None)
    assert lots.unseen == pytest.approx(score - 0.5 * np.std(score) * shown[[3, 2, 1, 0]])
    assert lots.value.tolist() == score.tolist()


def test_before_there_were_lists_nothing_was_shown_more_than_another():
    nothing = pa.table({"recording_index": pa.array([], pa.int32()), "slots": pa.array([], pa.int64())})
    assert read_shown(nothing, 3).tolist() == [0.0, 0.0, 0.0]


def test_about_the_share_of_listeners_asked_for_is_drawn_softly_and_others_each_week():
    arms = read_arms(of_arms(), posteriors(), GENRES, 4, PARAMS)
    ids = hashes(pa.array([f"user {number}" for number in range(10_000)]))
    weeks = [
        Exploration(arms, np.ones(10_000, bool), keys(ids, seed), ExplorationParams(softmax_listener_share=0.1)).is_soft
        for seed in (1, 2)
    ]
    # 1,000 +- 30 by binomial deviation; both weeks 100 +- 10.
    assert all(abs(week.sum() - 1000) < 120 for week in weeks)
    assert abs((weeks[0] & weeks[1]).sum() - 100) < 40


@pytest.mark.parametrize(
    ("arms", "known", "message"),
    [
        (of_arms(recording_index=[1, 1, 9]), posteriors(), "recording_arms: recording_index is 9 in row 2"),
        (of_arms(arm_id=["new_artist", "x", "x"]), posteriors(), "recording_arms: arm_id is 'x' in row 1"),
        (of_arms(), posteriors(alpha=[1.0, 0.0, 1.0, 1.0, 1.0, 1.0]), "arm_posteriors: alpha is 0 in row 1"),
        (
            of_arms(),
            posteriors(segment=["rock"] * 3 + ["folk"] * 3),
            "no row of segment everyone and arm_id genre:folk",
        ),
        (of_arms(), posteriors(arm_id=["genre:folk", "new_artist", "x"] * 2), "at most 62, nothing_special among them"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_it(arms, known, message):
    with pytest.raises(InputError, match=message):
        read_arms(arms, known, GENRES, 4, PARAMS)
