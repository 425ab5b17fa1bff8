"""Configuration: the sections, their defaults, and the hash that names them.

Belongs here: which parameter class stands behind which section of `<home>/config.toml`. Does not: the
parameters of a step (they are declared beside the step in models_ml/) or how TOML is checked (settings.py).
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from dagster_project.progress import LOG
from dagster_project.settings import fill_section, merge, read_toml
from models_ml.assembly import AssemblyParams
from models_ml.candidates import CandidateParams
from models_ml.collaborative import CollaborativeParams
from models_ml.comparison.gate import GateParams
from models_ml.errors import InputError
from models_ml.evaluation.report import EvaluationParams
from models_ml.experiments.params import ExperimentParams
from models_ml.exploration.params import WAREHOUSE_SETTINGS, ExplorationParams
from models_ml.flow import ArrangementParams
from models_ml.fusion import FusionParams
from models_ml.monitoring import WAREHOUSE_SETTINGS as MONITORING_SETTINGS
from models_ml.monitoring import MonitoringParams
from models_ml.near_duplicates import NearDuplicateParams
from models_ml.off_policy.params import OffPolicyParams
from models_ml.ranker.params import RankerParams
from models_ml.ranking import RankingParams
from models_ml.reasons import WAREHOUSE_SETTINGS as REASON_SETTINGS
from models_ml.reasons import ReasonParams
from models_ml.retrieval import RetrievalParams
from models_ml.serving import ServingParams
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.spectrograms import SpectrogramParams
from models_ml.starting import StartingParams
from models_ml.text.params import TextParams


@dataclass(frozen=True)
class RunParams:
    """What belongs to the run as a whole."""

    program_id: str = field(default="discover", metadata={"doc": "name of the list, first in every key"})
    seed: int = field(default=0, metadata={"unit": "", "min": 0, "max": 2**31, "doc": "base of every seed"})
    publish_weeks: int = field(
        default=12, metadata={"unit": "weeks", "min": 1, "max": 520, "doc": "newest weeks the published file holds"}
    )
    audio_source: str = field(
        default="auto",
        metadata={
            "choices": ("auto", "network", "track_vectors", "nothing"),
            "doc": "where vectors of sound come from; auto: landed track_vectors, else sound files, else nothing",
        },
    )
    cold_start_every: int = field(
        default=4,
        metadata={"unit": "weeks", "min": 1, "max": 520, "doc": "factors are trained from nothing every so many weeks"},
    )

    def __post_init__(self) -> None:
        if (
            not self.program_id.replace("-", "").replace("_", "").isalnum()
            or self.program_id.lower() != self.program_id
        ):
            raise ValueError(f"program_id is {self.program_id!r}; use lower-case letters, digits, - and _")


@dataclass(frozen=True)
class WeightingParams:
    """What dbt weights listening by; handed over as variables of the same names."""

    confidence_alpha: float = field(
        # Last.fm-2K, mean of five folds at 1, 3, 10, 20: precision at 10 .110, .110, .105, .100; the demo world doesn't
        # tell 3 from 10. tests/benchmarks/README.md.
        default=3.0,
        metadata={
            "unit": "",
            "min": 0.0,
            "max": 1000.0,
            "doc": "slope of confidence, c = 1 + alpha ln(1 + engagement)",
        },
    )
    negative_threshold: float = field(
        default=0.5,
        metadata={
            "unit": "",
            "min": 0.0,
            "max": 1000.0,
            "doc": "engagement at or below minus this is a negative preference",
        },
    )
    half_life_scale: float = field(
        default=1.0,
        metadata={
            "unit": "ratio",
            "min": 0.01,
            "max": 100.0,
            "doc": "stretches or shrinks every half-life of the seed",
        },
    )
    statement_half_life_days: float = field(
        default=0.0,
        metadata={
            "unit": "days",
            "min": 0.0,
            "max": 36_500.0,
            "doc": "halves a save, like or playlist add that still stands; 0: never",
        },
    )
    skip_strength: float = field(
        default=1.0,
        metadata={"unit": "ratio", "min": 0.0, "max": 10.0, "doc": "times the seed's weight of every skip"},
    )
    heard_ms: int = field(
        default=30_000,
        metadata={"unit": "ms", "min": 1, "max": 3_600_000, "doc": "listening after which a track counts as heard"},
    )
    skip_ms: int = field(
        default=30_000,
        metadata={
            "unit": "ms",
            "min": 1,
            "max": 3_600_000,
            "doc": "listening within which an end by the listener is a skip",
        },
    )
    sampled_cooldown_weeks: int = field(
        default=26,
        metadata={"unit": "weeks", "min": 0, "max": 520, "doc": "how long a sampled track is not recommended"},
    )
    recommended_cooldown_weeks: int = field(
        default=4,
        metadata={"unit": "weeks", "min": 0, "max": 520, "doc": "how long a delivered track is not recommended again"},
    )
    recent_days: int = field(
        default=28, metadata={"unit": "days", "min": 1, "max": 3650, "doc": 'how far back "recently popular" looks'}
    )
    popular_tracks_per_market: int = field(
        default=1000,
        metadata={"unit": "tracks", "min": 30, "max": 10_000, "doc": "recently popular tracks kept for each market"},
    )
    clock_tolerance_hours: int = field(
        default=24,
        metadata={
            "unit": "hours",
            "min": 0,
            "max": 8760,
            "doc": "how far after its file was first seen a moment may lie",
        },
    )


@dataclass(frozen=True)
class Configuration:
    """Everything that can be set, by section."""

    run: RunParams = field(default_factory=RunParams)
    weighting: WeightingParams = field(default_factory=WeightingParams)
    collaborative: CollaborativeParams = field(default_factory=CollaborativeParams)
    sound: SpectrogramParams = field(default_factory=SpectrogramParams)
    sound_model: SoundModelParams = field(default_factory=SoundModelParams)
    near_duplicates: NearDuplicateParams = field(default_factory=NearDuplicateParams)
    text: TextParams = field(default_factory=TextParams)
    fusion: FusionParams = field(default_factory=FusionParams)
    starting: StartingParams = field(default_factory=StartingParams)
    serving: ServingParams = field(default_factory=ServingParams)
    retrieval: RetrievalParams = field(default_factory=RetrievalParams)
    candidates: CandidateParams = field(default_factory=CandidateParams)
    ranking: RankingParams = field(default_factory=RankingParams)
    ranker: RankerParams = field(default_factory=RankerParams)
    rules: AssemblyParams = field(default_factory=AssemblyParams)
    arrangement: ArrangementParams = field(default_factory=ArrangementParams)
    reasons: ReasonParams = field(default_factory=ReasonParams)
    exploration: ExplorationParams = field(default_factory=ExplorationParams)
    evaluation: EvaluationParams = field(default_factory=EvaluationParams)
    off_policy: OffPolicyParams = field(default_factory=OffPolicyParams)
    gate: GateParams = field(default_factory=GateParams)
    monitoring: MonitoringParams = field(default_factory=MonitoringParams)
    experiments: ExperimentParams = field(default_factory=ExperimentParams)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Every setting by section and name."""
        return dataclasses.asdict(self)

    def hash(self) -> str:
        """Short hash of every setting: equal hashes, equal configuration."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def dbt_vars(self) -> dict[str, Any]:
        """What dbt is told, beside the week."""
        return {
            "program_id": self.run.program_id,
            "evaluation_window_weeks": self.evaluation.window_weeks,
            "evaluation_popular_share": self.evaluation.popular_share,
            "evaluation_fewest_listeners": self.evaluation.fewest_listeners,
            "ranker_training_weeks": self.ranker.training_weeks,
            "ranker_zeros_kept": self.ranker.zeros_kept,
            **dataclasses.asdict(self.weighting),
            **{f"exploration_{name}": getattr(self.exploration, name) for name in WAREHOUSE_SETTINGS},
            **{f"monitoring_{name}": getattr(self.monitoring, name) for name in MONITORING_SETTINGS},
            **{f"experiments_{name}": value for name, value in dataclasses.asdict(self.experiments).items()},
            **{f"reasons_{name}": getattr(self.reasons, name) for name in REASON_SETTINGS},
        }


def load_configuration(files: Sequence[Path]) -> Configuration:
    """Defaults, overridden by each file in turn; files that don't exist are left out.

    Raises InputError naming file, section and setting for what is unknown or out of range.
    """
    present = [path for path in files if path.exists()]
    values: dict[str, Any] = {}
    for path in present:
        values = merge(values, _sections_of(path))
    return _filled(values, " with ".join(str(path) for path in present))


def configuration_of(recorded: dict[str, dict[str, Any]], source: str) -> Configuration:
    """The configuration that a manifest holds, defaults where it says nothing; errors name the source.

    Settings that a release since has removed shape nothing any more: they are left out, and named in a line.
    """
    known = {name: {part.name for part in dataclasses.fields(kind)} for name, kind in _sections().items()}
    removed = [
        f"{section}.{name}"
        for section, values in recorded.items()
        for name in values
        if name not in known.get(section, ())
    ]
    if removed:
        LOG.info(f"{source}: settings that no longer exist are left out: {', '.join(removed)}")
    values = {
        section: {name: value for name, value in recorded.get(section, {}).items() if name in names}
        for section, names in known.items()
    }
    return _filled(values, source)


def _sections() -> dict[str, type[Any]]:
    return get_type_hints(Configuration)


def _filled(values: dict[str, Any], source: str) -> Configuration:
    return Configuration(
        **{name: fill_section(kind, name, values.get(name, {}), source) for name, kind in _sections().items()}
    )


def _sections_of(path: Path) -> dict[str, Any]:
    content = read_toml(path)
    known = [section.name for section in dataclasses.fields(Configuration)]
    for name, value in content.items():
        if name not in known:
            raise InputError(f"{path}: unknown section [{name}]; known: {', '.join(known)}")
        if not isinstance(value, dict):
            raise InputError(f"{path}: {name} is {value!r}; it has to be a section, [{name}]")
    return content


# What the playlists step alone goes by. Everything before it is made once for all listeners.
VARIANT_SETTINGS = {
    "ranking": frozenset(field.name for field in dataclasses.fields(RankingParams)),
    "ranker": frozenset({"learned", "completed_weight", "saved_weight", "skipped_weight"}),
    "rules": frozenset(field.name for field in dataclasses.fields(AssemblyParams)),
    "arrangement": frozenset(field.name for field in dataclasses.fields(ArrangementParams)),
    "exploration": frozenset(field.name for field in dataclasses.fields(ExplorationParams))
    - {*WAREHOUSE_SETTINGS, "candidates_per_arm"},
}


def varied(configuration: Configuration, changed: dict[str, dict[str, Any]], source: str) -> Configuration:
    """The configuration with what a variant changes; InputError, beginning with `source`, says what it can't."""
    for section, values in changed.items():
        if section not in VARIANT_SETTINGS:
            raise InputError(
                f"{source}: a variant can't change [{section}], which holds for all listeners; "
                f"it can change {', '.join(sorted(VARIANT_SETTINGS))}"
            )
        for name in values:
            if name not in VARIANT_SETTINGS[section]:
                known = ", ".join(sorted(VARIANT_SETTINGS[section]))
                raise InputError(f"{source}: a variant can't change {section}.{name}; in [{section}] it can: {known}")
    now = configuration.as_dict()
    kinds = _sections()
    sections = {
        name: fill_section(kinds[name], name, {**now[name], **values}, source) for name, values in changed.items()
    }
    return dataclasses.replace(configuration, **sections)
