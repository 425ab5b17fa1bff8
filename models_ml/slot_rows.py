"""Rows of slots: what is told of each track of a list, its score by parts, its reason, its chances.

Belongs here: from places in a ranked pool to the columns of SLOTS_SCHEMA. Does not: which tracks, their order
(playlists.py), which reason is told (reasons.py), what is read of words and sound (evidence.py).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.collaborative import CollaborativeFactors
from models_ml.evidence import Content
from models_ml.explanation import Explainer
from models_ml.features import WeekFeatures
from models_ml.genres import Genres
from models_ml.playlist_tables import SLOTS_SCHEMA, primary_source, rung_names, source_lists
from models_ml.ranker.features import FEATURES, POSITION
from models_ml.ranker.params import OUTCOMES
from models_ml.ranker.tables import Ranker
from models_ml.ranking import Components
from models_ml.reasons import ON_PLAYLISTS, SOUNDS_LIKE, YOUR_GENRE, ReasonChoice, SlotEvidence
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, POPULAR_RUNG
from models_ml.slates import RankedPool

# Less than any other reason.
_LEAST = 1e-12
# Columns of the slots, in the order of the outcomes.
_CHANCES = ("p_complete", "p_save", "p_skip")


@dataclass(frozen=True)
class SlotRows:
    """What rows of one week are made of.

    genres: None where none is known.  ranker: None where nothing was learnt.  fresh_days: a release is new for so long.
    reasons: how they are chosen.
    """

    features: WeekFeatures
    factors: CollaborativeFactors
    content: Content
    genres: Genres | None
    ranker: Ranker | None
    fresh_days: int
    reasons: ReasonChoice

    @cached_property
    def _explainer(self) -> Explainer:
        # One thread: blocks run side by side.
        return Explainer(self.factors, self.features.interactions, 1, self.features.artist_of_recording)

    def of(self, listeners: Ints, ranked: RankedPool, places: Ints, chances: dict[str, pa.Array]) -> pa.Table:
        """Rows of these listeners' slots.  places: (lists, 30) places in the pool, in the order heard; chances too."""
        features = self.features
        owners = np.repeat(listeners, PLAYLIST_LENGTH)
        flat = places.ravel()
        recordings = ranked.pool.recordings[flat]
        personal = ranked.personal[flat]
        components = ranked.components.take(flat)
        anchor = self._anchors(listeners, recordings, personal)
        rows = np.repeat(np.arange(len(listeners)), PLAYLIST_LENGTH)
        near = personal & (ranked.pool.scores[flat] > 0)
        genre = self._named_genres(listeners, rows, recordings, components)
        told = self._as_evidence(components, recordings, ranked.is_new[flat], near, genre)
        evidence = self._evidence(owners, recordings, told, anchor, genre)
        reasons = self.reasons.codes(evidence, self._taste(listeners), rows)
        content = evidence.content
        anchor = np.select(
            [reasons == SOUNDS_LIKE, reasons == ON_PLAYLISTS], [content.sounds_like, content.beside], anchor
        )
        playlist = np.where(reasons == ON_PLAYLISTS, content.playlist, -1)
        artist = features.editions.artist[ranked.edition[flat]]
        rungs = self.track_rungs(owners, recordings, personal)
        columns = {
            "user_index": owners.astype(np.int32),
            "position": np.tile(np.arange(1, PLAYLIST_LENGTH + 1, dtype=np.int8), len(listeners)),
            "recording_index": recordings.astype(np.int32),
            "edition_index": ranked.edition[flat].astype(np.int32),
            "listener_rung": rung_names(self.factors.rungs[owners]),
            "track_rung": rung_names(rungs),
            "candidate_sources": source_lists(ranked.pool.sources[flat]),
            "primary_source": primary_source(ranked.pool.sources[flat]),
            "is_new_artist": ranked.is_new[flat],
            "artist_prior_plays": _prior_plays(features, owners, artist),
            "popularity_percentile": features.recordings.popularity_percentile[recordings],
            "final_score": components.final,
            **{f"contribution_{name}": part for name, part in components.each().items()},
            **self._outcome_chances(ranked, flat, np.tile(np.arange(1, PLAYLIST_LENGTH + 1), len(listeners)), rungs),
            "reason_code": pa.array(reasons, pa.string()),
            "reason_genre": self._genre_names(np.where(reasons == YOUR_GENRE, genre, -1)),
            "anchor_recording_index": pa.array(anchor, pa.int32(), mask=anchor < 0),
            "shared_playlist_index": pa.array(playlist, pa.int32(), mask=playlist < 0),
            "is_refill": np.zeros(len(flat), dtype=bool),
            **self._genres(recordings),
            **chances,
        }
        return pa.table(columns, schema=SLOTS_SCHEMA)

    def _evidence(self, owners: Ints, recordings: Ints, told: Components, anchor: Ints, genre: Ints) -> SlotEvidence:
        """What stands behind each slot."""
        popular, lists = self.features.popular, self.features.popular_list[owners]
        return SlotEvidence(
            told,
            anchor,
            popular.is_popular(lists, recordings, own_only=True),
            popular.is_popular(lists, recordings, own_only=False),
            self.content.evidence(owners, recordings, told, self.reasons.least_strength),
            self.factors.rungs[owners],
            genre,
        )

    def _named_genres(self, listeners: Ints, rows: Ints, recordings: Ints, components: Components) -> Ints:
        """(c,) the genre that a reason can name of each slot whose genre adds to its score, -1 elsewhere."""
        named = np.full(len(recordings), -1)
        adds = np.flatnonzero(components.genre_affinity > 0)
        if self.genres is not None and len(adds):
            taste = self.genres.told_taste(self.features.interactions, listeners)
            least = self.reasons.params.genre_share
            named[adds] = self.genres.named_for(taste, rows[adds], recordings[adds], least)
        return named

    def _genre_names(self, places: Ints) -> pa.Array:
        """Names of genres, null for -1."""
        names = pa.array([], pa.string()) if self.genres is None else self.genres.names.cast(pa.string())
        return names.take(pa.array(places, pa.int32(), mask=places < 0))

    def _taste(self, listeners: Ints) -> Floats:
        """(b, g) of these listeners, nothing where it is not asked for."""
        if self.genres is None or not self.reasons.is_learned:
            return np.zeros((len(listeners), 0))
        return self.genres.taste(self.features.interactions, listeners)

    def _outcome_chances(self, ranked: RankedPool, places: Ints, position: Ints, rungs: Ints) -> dict[str, pa.Array]:
        """Chance of each outcome of slots, null where no ranker knows.  places: in the pool."""
        chances = np.full((len(OUTCOMES), len(places)), np.nan)
        row = ranked.featured.rows(places, len(ranked.pool))
        known = np.flatnonzero(row >= 0)
        if self.ranker is not None and len(known):
            values = ranked.featured.values[row[known]]
            values[:, FEATURES.index(POSITION)] = position[known]
            chances[:, known] = self.ranker.chance(values, rungs[known])
        return {name: pa.array(of, mask=np.isnan(of)) for name, of in zip(_CHANCES, chances, strict=True)}

    def _genres(self, recordings: Ints) -> dict[str, pa.Array]:
        """The genres each slot counts as, and whether they are a guess."""
        if self.genres is None:
            return {"genres": pa.nulls(len(recordings)), "genres_are_guessed": pa.nulls(len(recordings))}
        guessed = pa.array(self.genres.is_guess[recordings])
        return {"genres": self.genres.lists(recordings), "genres_are_guessed": guessed}

    def track_rungs(self, owners: Ints, recordings: Ints, personal: Bools) -> Ints:
        """(c,) codes of rules.RUNGS, what each slot stands on: the weaker of listener and track."""
        track = np.where(self.factors.unproven[recordings], CONTENT_RUNG, COLLABORATIVE_RUNG)
        return np.where(personal, np.maximum(self.factors.rungs[owners], track), POPULAR_RUNG)

    def _as_evidence(
        self, components: Components, recordings: Ints, is_new_artist: Bools, is_near: Bools, genre: Ints
    ) -> Components:
        """The components as reasons, those that no sentence is true of left out.

        Freshness fades and never ends, but an old release isn't a new one; what is learnt of an artist speaks of those
        nobody knows yet too; a genre speaks where it can be named; what a listener is like and a boost are no evidence
        by themselves. A learnt part is against the mean candidate, and those are all near: less near than most is the
        last reason, not none.
        """
        fresh = self.features.recordings.age_days[recordings] <= self.fresh_days
        nothing = np.zeros(len(recordings))
        return replace(
            components,
            collaborative=np.maximum(
                components.collaborative, np.where(is_near & (self.ranker is not None), _LEAST, -np.inf)
            ),
            freshness=np.where(fresh, components.freshness, 0.0),
            artist_affinity=np.where(is_new_artist, 0.0, components.artist_affinity),
            genre_affinity=np.where(genre >= 0, components.genre_affinity, 0.0),
            context=nothing,
            boost=nothing,
        )

    def _anchors(self, listeners: Ints, recordings: Ints, personal: Bools) -> Ints:
        """(c,) heard recording behind each personal track, -1 where none."""
        asked = np.where(personal, recordings, -1).reshape(-1, PLAYLIST_LENGTH)
        return self._explainer.anchors(listeners, asked, self.reasons.params.anchor_share).recording.ravel()


def _prior_plays(features: WeekFeatures, listeners: Ints, artist: Ints) -> Ints:
    """Plays of each artist by each listener before the week."""
    found = features.known_artists.find(listeners, artist)
    if not len(features.prior_plays):
        return np.zeros(len(listeners), dtype=np.int64)
    return np.where(found >= 0, features.prior_plays[found], 0)
