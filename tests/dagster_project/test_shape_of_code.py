"""The shape of the code: imports, length, what is left half done."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.home import REPOSITORY

CODE = ("models_ml", "dagster_project", "tests")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines


def _files() -> list[Path]:
    return sorted(path for folder in CODE for path in (REPOSITORY / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    """Roots of everything a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("models_ml", {"dagster", "dagster_dbt", "dbt", "duckdb", "dagster_project", "tests"}),
        ("dagster_project", {"tests"}),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: set[str]) -> None:
    found = {path.name: set(_imports(path)) & forbidden for path in (REPOSITORY / folder).rglob("*.py")}
    assert {name: roots for name, roots in found.items() if roots} == {}


def test_models_ml_reads_no_environment() -> None:
    reading = [
        path.name
        for path in (REPOSITORY / "models_ml").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|putenv", path.read_text(encoding="utf-8"))
    ]
    assert reading == []


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_file_says_what_it_is_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST_FILE
    if text.strip() and path.name != "__init__.py":
        assert ast.get_docstring(tree), "a module begins with what belongs in it"
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("folder", ["models_ml", "dagster_project"])
def test_nothing_is_left_half_done(folder: str) -> None:
    words = ("except Exception", "TO" + "DO", "FIX" + "ME", "NotImplementedError", ".apply(lambda", ".iterrows(")
    found = [
        (path.name, word)
        for path in (REPOSITORY / folder).rglob("*.py")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
