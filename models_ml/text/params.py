"""Parameters of the text signal, with their units and ranges.

Belongs here: the numbers and what was measured to choose them. Does not: what is done with them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TextParams:
    """How words are read, trained and pooled."""

    vector_size: int = field(
        default=64,
        metadata={"unit": "numbers", "min": 2, "max": 1024, "doc": "Length of each word's and recording's vector."},
    )
    window: int = field(
        default=8,
        metadata={"unit": "tokens", "min": 1, "max": 100, "doc": "How far to each side a token's context reaches."},
    )
    epochs: int = field(
        default=5, metadata={"unit": "passes", "min": 1, "max": 200, "doc": "Passes over everything written."}
    )
    learning_rate: float = field(
        default=0.05,
        metadata={"unit": "step", "min": 1e-4, "max": 1.0, "doc": "First learning rate; it falls to almost nothing."},
    )
    negative: int = field(
        default=5,
        metadata={"unit": "tokens", "min": 1, "max": 50, "doc": "Tokens drawn as wrong answers for each right one."},
    )
    sampling_threshold: float = field(
        default=1e-3,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Tokens above this share of all are thinned out."},
    )
    skip_gram: bool = field(
        default=False,
        metadata={"unit": "", "doc": "Predict the neighbours of a token rather than the token from its neighbours."},
    )
    minimum_count: int = field(
        default=1,
        metadata={"unit": "texts", "min": 1, "max": 10_000, "doc": "Words in fewer texts than this are left out."},
    )
    recording_minimum_count: int = field(
        default=2,
        metadata={
            "unit": "playlists",
            "min": 1,
            "max": 10_000,
            "doc": "Recordings on fewer have no token of their own.",
        },
    )
    phrase_minimum_count: int = field(
        default=5,
        metadata={"unit": "times", "min": 1, "max": 100_000, "doc": "Neighbours seen less often are no phrase."},
    )
    phrase_threshold: float = field(
        default=10.0,
        metadata={"unit": "score", "min": 0.0, "max": 1e6, "doc": "Score from which two neighbours are a phrase."},
    )
    title_weight: float = field(
        default=2.0,
        metadata={"unit": "ratio", "min": 0.0, "max": 100.0, "doc": "Weight of a title's word beside a description's."},
    )
    sif_weight: float = field(
        default=1e-3,
        metadata={"unit": "share", "min": 1e-9, "max": 1.0, "doc": "a of a / (a + p(word)): lower, rarer words count."},
    )
    common_components: int = field(
        default=1,
        metadata={"unit": "directions", "min": 0, "max": 16, "doc": "Directions common to all that are removed."},
    )
    own_weight: float = field(
        default=0.5,
        metadata={"unit": "ratio", "min": 0.0, "max": 10.0, "doc": "Weight of a recording's own trained vector."},
    )
    artist_weight: float = field(
        default=0.5,
        metadata={"unit": "ratio", "min": 0.0, "max": 10.0, "doc": "Weight of the artist's name among its words."},
    )
    owner_cap: int = field(
        default=100,
        metadata={"unit": "playlists", "min": 1, "max": 1_000_000, "doc": "Playlists of one owner trained on."},
    )
    owner_cap_per_recording: int = field(
        default=3,
        metadata={"unit": "playlists", "min": 1, "max": 1_000_000, "doc": "One owner's contexts of one recording."},
    )
    playlist_length_cap: int = field(
        default=500,
        metadata={"unit": "tracks", "min": 1, "max": 1_000_000, "doc": "First tracks of a playlist trained on."},
    )
    popularity_weight: float = field(
        default=0.1,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 10.0,
            "doc": "Times ln(1 + contexts), added to the cosine of words.",
        },
    )
    name_weight: float = field(
        default=3.0,
        metadata={
            "unit": "ratio",
            "min": 0.0,
            "max": 100.0,
            "doc": "In search, weight of an artist's whole name beside a single word of a name or title.",
        },
    )
    own_names_weight: float = field(
        default=2.0,
        metadata={
            "unit": "playlists",
            "min": 0.0,
            "max": 100.0,
            "doc": "In search, a recording's own names count as much as so many playlists of the same words.",
        },
    )
    unwritten_weight: float = field(
        default=0.5,
        metadata={
            "unit": "ratio",
            "min": 0.0,
            "max": 1.0,
            "doc": "In search, weight of the own names of recordings nobody wrote about or listed.",
        },
    )
    recordings_per_word: int = field(
        default=2000,
        metadata={
            "unit": "recordings",
            "min": 1,
            "max": 1_000_000,
            "doc": "In search, a word stands for the recordings it says most of, no more than these.",
        },
    )
    name_share: float = field(
        default=0.5,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "In search, what is an artist's whole name less often than this is just a word.",
        },
    )
    named_artists_weight: float = field(
        default=1.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 10.0,
            "doc": "In search, what who is listed beside a named artist adds; the words themselves say 1 of the best.",
        },
    )
    direction_weight: float = field(
        default=0.2,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 10.0,
            "doc": "In search, what the direction of the words adds; the words themselves say 1 of the best.",
        },
    )
