"""A small music service that doesn't exist: landing files as a real one would leave them, and the truth.

Belongs here: inventing a catalogue, listeners, their listening and their words, and writing them as files.
Does not: reading landing, anything that the pipeline computes. Nothing else in the project knows of this.
"""

from models_ml.demo_world.params import WorldParams, read_world_params
from models_ml.demo_world.size import WorldSize, default_sound, default_track_count
from models_ml.demo_world.world import WorldReport, write_world

__all__ = [
    "WorldParams",
    "WorldReport",
    "WorldSize",
    "default_sound",
    "default_track_count",
    "read_world_params",
    "write_world",
]
