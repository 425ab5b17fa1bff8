"""Public ids of the demo world, as Arrow texts.

Belongs here: how an id looks.
Does not: who has which number.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.demo_world.draws import Ints


def numbered(prefix: str, numbers: Ints, digits: int) -> pa.Array:
    """`prefix` and the number, filled up with zeros: (n,) integers in, (n,) texts out."""
    texts = pc.utf8_lpad(pa.array(np.asarray(numbers, dtype=np.int64)).cast(pa.string()), digits, "0")
    return joined("", pa.scalar(prefix), texts)


def joined(separator: str, *parts: pa.Array | pa.Scalar) -> pa.Array:
    """Texts put together row by row; null where a part is null."""
    return pc.binary_join_element_wise(*parts, separator)


def track_ids(numbers: Ints) -> pa.Array:
    """t00000042 and the like."""
    return numbered("t", numbers, 8)


def artist_ids(numbers: Ints) -> pa.Array:
    """a000042 and the like."""
    return numbered("a", numbers, 6)


def user_ids(positions: Ints) -> pa.Array:
    """u00000042 and the like, from 1 on, for the positions of listeners from 0 on."""
    return numbered("u", np.asarray(positions) + 1, 8)
