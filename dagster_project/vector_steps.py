"""Vectors of a week, made in whatever lake holds its features: that of a run, or of a rehearsal.

Belongs here: what each step reads, its seed, where it is kept. Does not: training (models_ml), assets
(assets/vectors.py), sound, which has files and a network to look after (sound_io.py).
"""

import datetime as dt

from dagster_project.catalogue_io import artist_ids, first_artists
from dagster_project.configuration import Configuration
from dagster_project.lake import Lake
from dagster_project.text_io import keep_text, read_text_inputs
from dagster_project.vectors_io import keep_factors, keep_fused, load_factors, signals
from models_ml.arrays import Progress, floats_with_nan
from models_ml.collaborative import CollaborativeFactors, PreviousFactors, fit_collaborative
from models_ml.content_prediction import is_held_out
from models_ml.features import read_interactions
from models_ml.fusion import FusedVectors, fuse
from models_ml.newcomers import read_newcomers
from models_ml.seeds import seed_for
from models_ml.starting import Starts, starts
from models_ml.text.vectors import TextVectors, train_text

_OF_NEWCOMERS = ("listeners", "recordings", "editions", "favourite_artists", "favourite_genres")
FUSED_FEATURES = ("interactions", *_OF_NEWCOMERS)


def make_factors(
    lake: Lake, week: dt.date, settings: Configuration, before: PreviousFactors | None, progress: Progress
) -> CollaborativeFactors:
    """Latent factors of listeners and recordings.  before: those they start from, None for a cold start."""
    listeners = lake.read_week("features/listeners", week, ["user_id"])["user_id"].combine_chunks()
    recordings = lake.read_week("features/recordings", week, ["recording_id"])["recording_id"].combine_chunks()
    factors = fit_collaborative(
        lake.read_week("features/interactions", week),
        listeners,
        recordings,
        settings.collaborative,
        seed_for("collaborative_factors", week, settings.run.seed),
        before,
        progress,
    )
    keep_factors(lake, week, factors, factors.to_tables(listeners, recordings))
    return factors


def make_text(lake: Lake, week: dt.date, settings: Configuration, progress: Progress) -> TextVectors:
    """Words and recordings in one space."""
    seed = seed_for("text_vectors", week, settings.run.seed)
    vectors = train_text(read_text_inputs(lake, week), settings.text, seed, progress)
    keep_text(lake, week, vectors)
    return vectors


def make_fused(lake: Lake, week: dt.date, settings: Configuration, progress: Progress) -> tuple[FusedVectors, Starts]:
    """Recordings by all that is known of them, and listeners of whom listening says little."""
    factors = load_factors(lake, week)
    known = {name: lake.read_week(f"features/{name}", week) for name in _OF_NEWCOMERS}
    interactions = read_interactions(
        lake.read_week("features/interactions", week), len(factors.listener_factors), len(factors.recording_factors)
    )
    fused = fuse(
        factors,
        interactions,
        first_artists(lake, week),
        floats_with_nan(known["recordings"], "recordings", "out_days"),
        is_held_out(artist_ids(lake, week)),
        signals(lake, week),
        settings.fusion,
        seed_for("fused_vectors", week, settings.run.seed),
        progress,
    )
    placed = starts(factors, interactions, read_newcomers(**known), settings.starting)
    keep_fused(lake, week, fused, placed)
    return fused, placed
