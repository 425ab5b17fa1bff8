"""The bank: every note and hit rendered once, when it is first asked for.

Belongs here: keeping rendered notes.
Does not: how they sound (instruments.py, drums.py).
"""

import numpy as np

from models_ml.demo_world.sound.drums import drum_hit
from models_ml.demo_world.sound.instruments import INSTRUMENTS
from models_ml.demo_world.sound.waves import Wave


class Bank:
    """Notes of instruments and hits of drums, float32, peak 1, shared by threads.

    Two threads that ask for the same note at once render it twice, to the same samples.
    """

    def __init__(self) -> None:
        self._notes: dict[tuple[str, int], Wave] = {}
        self._hits: dict[tuple[str, str, int], Wave] = {}

    def note(self, instrument: str, pitch: int) -> Wave:
        """A note as long as the instrument's longest; pitch is a MIDI number."""
        found = self._notes.get((instrument, pitch))
        if found is None:
            found = INSTRUMENTS[instrument].note(pitch).astype(np.float32)
            self._notes[instrument, pitch] = found
        return found

    def hit(self, piece: str, kit: str, tuning: int) -> Wave:
        """A hit of a drum."""
        found = self._hits.get((piece, kit, tuning))
        if found is None:
            found = drum_hit(piece, kit, tuning).astype(np.float32)
            self._hits[piece, kit, tuning] = found
        return found
