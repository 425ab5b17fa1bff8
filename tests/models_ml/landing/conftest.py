"""Fixtures of the tests of landing.

Belongs here: fixtures.
Does not: expectations, helpers (landing_home).
"""

from pathlib import Path

import pytest

from models_ml.landing import hashes
from tests.models_ml.landing.landing_home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "landing", tmp_path / "intake")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once, so that the cache is used without waiting two seconds."""
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", 0.0)
