"""Two recipes' lists for the tests of comparison: listeners of two genres, lists drawn up by thought.

Belongs here: building sides and a yardstick. Does not: expectations.
"""

import datetime as dt

import pyarrow as pa

from models_ml.comparison.lists import LIST_LENGTH, Yardstick
from models_ml.comparison.report import Draws, Side
from tests.models_ml.evaluation.evaluation_worlds import lists_table, user_id, world_of

WEEK = dt.date(2026, 11, 23)
LISTENERS, RECORDINGS = 6, 200
DRAWS = Draws(200, 7)
FIRST = list(range(20, 20 + LIST_LENGTH))
SECOND = list(range(100, 100 + LIST_LENGTH))


def yardstick(liked: list[list[int]] | None = None) -> Yardstick:
    """Recordings below 100 are jazz, the others folk; each listener likes ten of jazz, unless told otherwise."""
    features = world_of(liked or [list(range(10))] * LISTENERS, RECORDINGS).features()
    genres = pa.array([["jazz"]] * 100 + [["folk"]] * (RECORDINGS - 100))
    return Yardstick.of(features, genres)


def side(lists: dict[int, list[int]], rungs: dict[int, str] | None = None) -> Side:
    """Lists by listener; rungs of those who aren't on the first one."""
    rows = [
        {"user_id": user_id(user), "listener_rung": (rungs or {}).get(user, "collaborative")} for user in sorted(lists)
    ]
    schema = pa.schema({"user_id": pa.string(), "listener_rung": pa.string()})
    return Side(lists_table(lists), pa.Table.from_pylist(rows, schema=schema))
