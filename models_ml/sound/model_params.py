"""Settings of the network that hears: its size, how long it learns, how its input is varied.

Belongs here: defaults with their units, ranges and reasons. Does not: what is done with them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SoundModelParams:
    """How the network is built and trained."""

    channels: int = field(
        default=64,
        metadata={"unit": "channels", "min": 4, "max": 1024, "doc": "Channels of each convolution."},
    )
    embedding: int = field(
        # Nine soundtracks, twelve splits, statistics alone: share right .415 with 128, .432 with 512.
        default=512,
        metadata={"unit": "numbers", "min": 2, "max": 2048, "doc": "Length of a tower's last hidden layer."},
    )
    towers: int = field(
        default=1,
        metadata={"unit": "networks", "min": 1, "max": 16, "doc": "Networks trained side by side; their mean counts."},
    )
    dropout: float = field(
        default=0.3,
        metadata={"unit": "share", "min": 0.0, "max": 0.9, "doc": "Share of each dense layer's input left out."},
    )
    epochs: int = field(
        default=16,
        metadata={"unit": "passes", "min": 1, "max": 1000, "doc": "At most so many passes from a random start."},
    )
    warm_epochs: int = field(
        default=6,
        metadata={"unit": "passes", "min": 1, "max": 1000, "doc": "At most so many from last week's weights."},
    )
    patience_epochs: int = field(
        default=4,
        metadata={"unit": "passes", "min": 1, "max": 1000, "doc": "Passes without a better validation loss, to stop."},
    )
    validation_share: float = field(
        default=0.1,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 0.5,
            "doc": "Share of tracks, whole artists, kept to see when to stop; 0: all are trained on, for all epochs.",
        },
    )
    minimum_listeners: int = field(
        default=5,
        metadata={"unit": "listeners", "min": 1, "max": 100_000, "doc": "Tracks with fewer are not learnt from."},
    )
    half_weight_listeners: float = field(
        default=20.0,
        metadata={"unit": "listeners", "min": 0.0, "max": 1e6, "doc": "A track with so many has half the full weight."},
    )
    batch_tracks: int = field(
        default=32,
        metadata={"unit": "tracks", "min": 1, "max": 4096, "doc": "Tracks between two steps of the weights."},
    )
    learning_rate: float = field(
        default=3e-3,
        metadata={"unit": "step", "min": 1e-6, "max": 1.0, "doc": "Largest step of AdamW; it rises, then falls."},
    )
    weight_decay: float = field(
        default=0.05,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "AdamW's pull of the weights towards zero."},
    )
    cosine_weight: float = field(
        default=1.0,
        metadata={"unit": "ratio", "min": 0.0, "max": 100.0, "doc": "Of 1 - cosine, beside the squared error."},
    )
    label_weight: float = field(
        default=0.2,
        metadata={"unit": "ratio", "min": 0.0, "max": 100.0, "doc": "Of genres and instrumental in the loss."},
    )
    crop_frames: int = field(
        default=128,
        metadata={"unit": "frames", "min": 8, "max": 100_000, "doc": "Heard of one excerpt in one pass; or all of it."},
    )
    equaliser_db: float = field(
        default=0.5,
        metadata={"unit": "dB", "min": 0.0, "max": 12.0, "doc": "Deviation of each random curve over the bands."},
    )
    mask_bands: int = field(
        default=16,
        metadata={"unit": "bands", "min": 0, "max": 256, "doc": "At most so many neighbouring bands are blanked."},
    )
    mask_frames: int = field(
        default=24,
        metadata={"unit": "frames", "min": 0, "max": 100_000, "doc": "At most so many frames in a row are blanked."},
    )
    mixup: float = field(
        # Nine soundtracks, twelve splits, statistics alone: share right .478 without, .447 with 0.3, .459 with 1.
        default=0.0,
        metadata={"unit": "shape", "min": 0.0, "max": 10.0, "doc": "Beta shape of mixing two tracks; 0: no mixing."},
    )
    threads: int = field(
        default=2,
        metadata={
            "unit": "threads",
            "min": 1,
            "max": 256,
            "doc": "Not a share of the cores but part of the result: sums differ in their last bits by the threads.",
        },
    )
    device: str = field(
        default="auto",
        metadata={"unit": "name", "choices": ("auto", "cpu"), "doc": "auto: a GPU where there is one."},
    )
