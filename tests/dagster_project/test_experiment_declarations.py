"""Declarations of a home: which files count, what a variant may change, what a manifest gives back."""

from pathlib import Path

import pytest

from dagster_project.configuration import Configuration, varied
from dagster_project.experiments_io import FILES, declarations, write_declarations
from dagster_project.home import Home
from models_ml.errors import InputError
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA, declared_rows

EXPERIMENT = ",".join(EXPERIMENTS_SCHEMA.names) + "\nwide,lists,,,2026-11-02,,,,,500,,\n"
VARIANTS = ",".join(VARIANTS_SCHEMA.names) + "\nwide,control,0.5,true,\nwide,wide,0.5,false,{}\n"


def declare(folder: Path, parameters: str = "rules.tracks_per_artist=1") -> Home:
    for name, text in zip(FILES, (EXPERIMENT, VARIANTS.format(parameters)), strict=True):
        (folder / name).write_text(text)
    return Home(folder)


def test_without_files_of_its_own_a_home_has_the_seeds_which_declare_nothing(tmp_path: Path) -> None:
    found = declarations(Home(tmp_path), Configuration())
    assert (found.experiments.num_rows, found.variants.num_rows) == (0, 0)


def test_the_files_of_the_home_count_and_come_back_from_what_a_manifest_keeps(tmp_path: Path) -> None:
    found = declarations(declare(tmp_path), Configuration())
    assert found.experiments["experiment_id"].to_pylist() == ["wide"]
    other = tmp_path / "other"
    other.mkdir()
    write_declarations(Home(other), declared_rows(found))
    assert declarations(Home(other), Configuration()) == found
    write_declarations(Home(other), {})
    assert declarations(Home(other), Configuration()).experiments.num_rows == 0


def test_one_file_without_the_other_is_an_error(tmp_path: Path) -> None:
    home = declare(tmp_path)
    (tmp_path / FILES[1]).unlink()
    with pytest.raises(InputError, match=r"experiment_variants.csv: not there, and experiments.csv is"):
        declarations(home, Configuration())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("retrieval.engine=exact", r"a variant can't change \[retrieval\], which holds for all listeners"),
        (
            "exploration.discount=0.5",
            r"a variant can't change exploration.discount; in \[exploration\] it can: arm_floor",
        ),
        ("ranking.popularity=1", "a variant can't change ranking.popularity"),
        ("rules.tracks_per_artist=0", "rules.tracks_per_artist is 0; it has to be from 1 to 30 tracks"),
        ("rules.tracks_per_artist=few", "rules.tracks_per_artist is 'few'; it has to be a whole number"),
        ("exploration.policy=greedy", "exploration.policy is 'greedy'; it has to be one of thompson, uniform"),
    ],
)
def test_what_a_variant_cannot_change_is_named_with_its_file_and_row(
    tmp_path: Path, parameters: str, message: str
) -> None:
    with pytest.raises(InputError, match=rf"experiment_variants.csv: row 3, column parameters: {message}"):
        declarations(declare(tmp_path, parameters), Configuration())


def test_what_a_variant_does_not_change_stays_as_it_is_configured() -> None:
    base = varied(Configuration(), {"ranking": {"popularity_penalty": 0.3}}, "here")
    found = varied(base, {"ranking": {"freshness_weight": 0.0}, "exploration": {"slot_share": 0}}, "here")
    assert (found.ranking.popularity_penalty, found.ranking.freshness_weight) == (0.3, 0.0)
    assert (found.exploration.slot_share, found.rules) == (0.0, base.rules)
    assert varied(base, {}, "here") == base
