"""Settings of a variant as one line of text: `exploration.slot_share=0.1; ranking.popularity_penalty=0.2`.

Belongs here: reading the line. Does not: which settings there are and what they may be.
"""

import json
from typing import Any

from models_ml.errors import InputError

Settings = dict[str, dict[str, Any]]


def parse_settings(text: str | None, where: str) -> Settings:
    """Values by section and name; InputError, beginning with `where`, names the part that isn't one."""
    settings: Settings = {}
    for part in filter(None, (piece.strip() for piece in (text or "").split(";"))):
        path, equals, value = (piece.strip() for piece in part.partition("="))
        section, dot, name = path.partition(".")
        if not (equals and dot and section and name and value):
            raise InputError(f"{where}: {part!r}; it has to be section.setting=value")
        if name in settings.setdefault(section, {}):
            raise InputError(f"{where}: {path!r} is there twice")
        settings[section][name] = _value(value)
    return settings


def _value(text: str) -> Any:
    """A number, true or false; else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
