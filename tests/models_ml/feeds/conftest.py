"""One server and one home a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models_ml.feeds.feed_server import FeedServer, serving
from tests.models_ml.feeds.reading_home import ReadingHome


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with serving() as started:
        yield started


@pytest.fixture
def home(tmp_path: Path) -> ReadingHome:
    return ReadingHome(tmp_path)
