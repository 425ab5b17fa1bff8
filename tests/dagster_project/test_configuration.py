"""Settings: defaults, overrides, overlays, and errors that name what is wrong."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from dagster_project.configuration import Configuration, load_configuration
from dagster_project.home import REPOSITORY, WAREHOUSE_PROJECT
from models_ml.errors import InputError


def _config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_configuration([tmp_path / "config.toml"]) == Configuration()


def test_a_file_overrides_and_an_overlay_overrides_that(tmp_path: Path) -> None:
    below = _config(tmp_path, "[weighting]\nheard_ms = 20000\nskip_ms = 10000\n")
    above = tmp_path / "try.toml"
    above.write_text("[weighting]\nskip_ms = 5000\nconfidence_alpha = 2\n")
    weighting = load_configuration([below, above]).weighting
    assert (weighting.heard_ms, weighting.skip_ms, weighting.confidence_alpha) == (20_000, 5_000, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[weigting]\nheard_ms = 1\n", r"config.toml: unknown section \[weigting\]"),
        ("[weighting]\nheard = 1\n", "config.toml: unknown setting weighting.heard"),
        ("[weighting]\nheard_ms = 0\n", "weighting.heard_ms is 0; it has to be from 1 to 3600000 ms"),
        ("[weighting]\nheard_ms = 'long'\n", "weighting.heard_ms is 'long'; it has to be a whole number"),
        ("[weighting]\nconfidence_alpha = true\n", "confidence_alpha is True; it has to be a number"),
        ("[weighting]\nconfidence_alpha = nan\n", "confidence_alpha is nan; it has to be from 0.0 to 1000.0"),
        ("[run]\nprogram_id = 'My List'\n", "program_id is 'My List'"),
        ("weighting = 3\n", "weighting is 3; it has to be a section"),
        ("[weighting\n", "config.toml: not TOML"),
    ],
)
def test_what_is_unknown_or_impossible_is_an_error_that_names_it(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_configuration([_config(tmp_path, text)])


def test_the_hash_changes_with_a_setting_and_with_nothing_else(tmp_path: Path) -> None:
    written_out = _config(tmp_path, f"[weighting]\nheard_ms = {Configuration().weighting.heard_ms}\n")
    assert load_configuration([written_out]).hash() == Configuration().hash()
    assert load_configuration([_config(tmp_path, "[weighting]\nheard_ms = 1\n")]).hash() != Configuration().hash()


def test_every_setting_says_what_it_is() -> None:
    for section in dataclasses.fields(Configuration):
        for setting in dataclasses.fields(section.default_factory):  # type: ignore[arg-type]
            assert setting.metadata.get("doc"), f"{section.name}.{setting.name}"


def test_dbt_has_the_same_defaults() -> None:
    stated = yaml.safe_load((WAREHOUSE_PROJECT / "dbt_project.yml").read_text())["vars"]
    assert {**Configuration().dbt_vars(), "week": ""} == stated


def test_the_contract_of_vectors_has_the_same_default_sizes() -> None:
    stated = (WAREHOUSE_PROJECT / "models" / "marts" / "_track_tables.yml").read_text()
    defaults = Configuration()
    assert {name: int(size) for name, size in re.findall(r"MONDAY_MIX_(\w+)_SIZE', '(\d+)'", stated)} == {
        "COLLABORATIVE": defaults.collaborative.factors,
        "TEXT": defaults.text.vector_size,
        "AUDIO": defaults.sound_model.embedding * defaults.sound_model.towers,
        "FUSED": defaults.collaborative.factors,
    }


def test_the_settings_page_lists_every_setting_with_its_default() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    for section in dataclasses.fields(Configuration):
        told = page.split(f"## {section.name}\n")[1].split("\n## ")[0]
        rows = {row.split("`")[1]: row.split("|")[2].strip() for row in told.splitlines() if row.startswith("| `")}
        defaults = section.default_factory()  # type: ignore[misc]
        for setting in dataclasses.fields(defaults):
            value = getattr(defaults, setting.name)
            told_as = str(value).lower() if isinstance(value, bool) else str(value)
            assert rows[setting.name].strip("`") == told_as, f"{section.name}.{setting.name}"


def test_the_example_of_the_settings_page_loads(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    assert tomllib.loads(example)
    load_configuration([_config(tmp_path, example)])


def test_dbt_may_spill_to_disk_more_than_once():
    profile = yaml.safe_load((WAREHOUSE_PROJECT / "profiles.yml").read_text())["monday_mix"]["outputs"]["home"]
    # Set anew on each connection, DuckDB refuses the directory it has spilled into, and the run fails.
    assert "temp_directory" not in profile["settings"]
    assert profile["config_options"]["temp_directory"].endswith("/dbt/spill")
