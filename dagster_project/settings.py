"""Settings: reading TOML into dataclasses, checked by the unit and range that each field declares.

Belongs here: the mechanism. Does not: which settings exist (configuration.py and the parameter classes in
models_ml/).
"""

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from models_ml.errors import InputError

Section = TypeVar("Section")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises InputError naming file and place where it can't be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read: {error}") from error


def toml_lines(sections: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sections as TOML: a value is written as JSON writes it, text in quotes and numbers with all their digits."""
    lines: list[str] = []
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return lines


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, section by section."""
    merged = {name: dict(value) if isinstance(value, dict) else value for name, value in below.items()}
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name].update(value)
        else:
            merged[name] = value
    return merged


def fill_section(kind: type[Section], name: str, values: Mapping[str, Any], source: str) -> Section:
    """A parameter class from one section; every key known, every value of its type and in its range."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise InputError(f"{source}: unknown setting {name}.{key}; known in [{name}]: {', '.join(sorted(fields))}")
    hints = get_type_hints(kind)
    checked = {
        key: _checked(f"{source}: {name}.{key}", value, hints[key], fields[key].metadata)
        for key, value in values.items()
    }
    try:
        return kind(**checked)
    except ValueError as error:
        raise InputError(f"{source}: [{name}]: {error}") from error


def _checked(where: str, value: Any, expected: type, limits: Mapping[str, Any]) -> Any:
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise InputError(f"{where} is {value!r}; it has to be {_words(expected)}")
    choices = limits.get("choices")
    if choices and value not in choices:
        raise InputError(f"{where} is {value!r}; it has to be one of {', '.join(map(str, choices))}")
    low, high = limits.get("min"), limits.get("max")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise InputError(f"{where} is {value!r}; it has to be from {low} to {high} {limits.get('unit', '')}".rstrip())
    return value


def _words(expected: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(expected, str(expected))
