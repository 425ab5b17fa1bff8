"""Decompressing an answer piece by piece, never beyond a limit.

Belongs here: gzip and deflate. Does not: where the pieces come from.

Our own instead of the HTTP library's: how much one read may unpack differs between its versions, and a gzip bomb is a
thousand times what came over the line.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from models_ml.feeds.settings import FeedError

ACCEPTED: Final = "gzip, deflate"
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW_DEFLATE: Final = -zlib.MAX_WBITS


def unpacked(pieces: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """The whole content. Raises FeedError beyond `max_bytes`, in another encoding, or where it breaks off."""
    if encoding in ("", "identity"):
        return _joined(pieces, max_bytes)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FeedError(f"the answer is encoded as {encoding}, which was not asked for")
    try:
        return _joined(_inflated(pieces, encoding, max_bytes), max_bytes)
    except zlib.error as error:
        raise FeedError(f"the answer says it is {encoding} and can't be unpacked") from error


def _joined(pieces: Iterable[bytes], max_bytes: int) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > max_bytes:
            raise FeedError(f"the answer is larger than {max_bytes:,} bytes")
    return bytes(content)


def _inflated(pieces: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """Unpacked pieces, each at most one byte beyond the limit; a gzip may have several members."""
    inflater, members = None, 0
    for piece in pieces:
        waiting = piece
        while waiting:
            if inflater is None:
                waiting = waiting.lstrip(b"\0") if members else waiting  # some servers pad
                if not waiting:
                    break
                inflater = zlib.decompressobj(_window(waiting, encoding))
            yield inflater.decompress(waiting, max_bytes + 1)
            waiting = inflater.unconsumed_tail or inflater.unused_data
            if inflater.eof:
                inflater, members = None, members + 1
    if inflater is not None:
        raise FeedError("the answer breaks off")


def _window(start: bytes, encoding: str) -> int:
    """`deflate` should be zlib (RFC 9110, 8.4.1.2), whose first byte ends in 8; some servers send it raw, or gzip."""
    is_raw = encoding == "deflate" and start[0] & 0x0F != 8 and start[0] != 0x1F
    return _RAW_DEFLATE if is_raw else _GZIP_OR_ZLIB
