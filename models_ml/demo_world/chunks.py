"""What a chunk of listeners did: plays, their ends, what was done about them, in agreement with each other.

Belongs here: putting the draws together, taking out what can't have happened.
Does not: single draws (choices.py, outcomes.py, playlists.py), rows (event_rows.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.choices import Chooser, Plays, draw_plays
from models_ml.demo_world.draws import Bools, generator
from models_ml.demo_world.outcomes import Actions, Outcomes, before_blocks, draw_actions, draw_outcomes
from models_ml.demo_world.playlists import Members, draw_members
from models_ml.demo_world.size import WorldSize


@dataclass(frozen=True)
class Chunk:
    """plays: in order of listener and time; outcomes go with them, actions and members point to them."""

    number: int
    chooser: Chooser
    plays: Plays
    outcomes: Outcomes
    actions: Actions
    members: Members


def draw_chunk(number: int, chooser: Chooser, size: WorldSize, seed: int) -> Chunk:
    """Everything that the listeners of the chooser did before the end of the history."""
    plays = draw_plays(generator(seed, "plays", number), chooser)
    outcomes = draw_outcomes(generator(seed, "outcomes", number), chooser, plays)
    actions = draw_actions(generator(seed, "actions", number), chooser, plays, outcomes, size)
    kept, acted = before_blocks(chooser, plays, outcomes, actions)
    # Sittings that were pushed back may end after the end.
    kept &= outcomes.occurred_ms + outcomes.ms_played < size.end_ms
    plays, outcomes, actions = _kept(plays, outcomes, actions, kept, acted)
    members = draw_members(generator(seed, "playlists", number), chooser, plays, outcomes, size)
    return Chunk(number, chooser, plays, outcomes, actions, members)


def _kept(
    plays: Plays, outcomes: Outcomes, actions: Actions, kept: Bools, acted: Bools
) -> tuple[Plays, Outcomes, Actions]:
    """The rows to keep; actions go with their plays, and point to the new places of these."""
    moved = np.cumsum(kept) - 1
    acted = acted & kept[actions.play]
    return (
        plays.where(kept),
        Outcomes(outcomes.end[kept], outcomes.ms_played[kept], outcomes.occurred_ms[kept]),
        Actions(actions.kind[acted], moved[actions.play[acted]], actions.occurred_ms[acted]),
    )
