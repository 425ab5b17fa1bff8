"""What is remembered of feeds from one run to the next.

Belongs here: the state and its file. Does not: anything that can't be found out again; without the file every document
lands once more, and the warehouse counts rows that are the same in all columns once.
"""

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from models_ml.feeds.visit import Validators
from models_ml.landing.storage import replace_file

_VERSION: Final = 1


@dataclass(frozen=True)
class FeedState:
    """documents: content hash by document_id, those seen last at the end."""

    validators: Validators = field(default_factory=Validators)
    documents: dict[str, str] = field(default_factory=dict)

    def after(self, validators: Validators, shown: dict[str, str], remembered: int) -> "FeedState":
        """The state once the feed shows these documents; of others, the `remembered` seen last are kept."""
        former = [(name, value) for name, value in self.documents.items() if name not in shown]
        kept = former[max(len(former) - remembered, 0) :]
        return FeedState(validators, {**dict(kept), **shown})


@dataclass
class FeedMemory:
    """feeds: by address.  waits: until when which host wants to be left alone, UTC."""

    feeds: dict[str, FeedState] = field(default_factory=dict)
    waits: dict[str, dt.datetime] = field(default_factory=dict)

    def to_json(self) -> str:
        """Sorted, so that the same state is the same file; documents keep their order."""
        content = {
            "version": _VERSION,
            "feeds": {
                url: {
                    "answered": state.validators.url,
                    "etag": state.validators.etag,
                    "last_modified": state.validators.last_modified,
                    "documents": state.documents,
                }
                for url, state in sorted(self.feeds.items())
            },
            "waits": {host: moment.isoformat() for host, moment in sorted(self.waits.items())},
        }
        return json.dumps(content, indent=1)


def load_memory(path: Path) -> FeedMemory | None:
    """What was remembered; empty where there is no file yet, None where it can't be read."""
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != _VERSION:
            return None
        feeds = {str(url): _feed_state(**state) for url, state in content["feeds"].items()}
        waits = {str(host): dt.datetime.fromisoformat(moment) for host, moment in content["waits"].items()}
    except FileNotFoundError:
        return FeedMemory()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return FeedMemory(feeds, {host: moment.astimezone(dt.UTC) for host, moment in waits.items()})


def save_memory(path: Path, memory: FeedMemory) -> None:
    """Replace the file, whole or not at all. Raises StorageError."""
    replace_file(path, memory.to_json().encode())


def _feed_state(answered: str, etag: str, last_modified: str, documents: dict[str, Any]) -> FeedState:
    hashes = {str(name): str(value) for name, value in documents.items()}
    return FeedState(Validators(str(answered), str(etag), str(last_modified)), hashes)
