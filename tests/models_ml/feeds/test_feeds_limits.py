"""Servers that are slow, endless, broken or sly: each ends within the limits, and the feed beside it lands."""

import gzip
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from models_ml.errors import MondayMixError
from models_ml.feeds.addresses import addresses_of, is_public
from models_ml.feeds.report import Status
from models_ml.feeds.unpacking import unpacked
from tests.models_ml.feeds.feed_server import FeedServer, Page, answer, feed, item, rss
from tests.models_ml.feeds.reading_home import ReadingHome

MEBIBYTE = 1024 * 1024


def _never_answering(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(120.0)


def _byte_by_byte(before: bytes) -> Page:
    """Sends `before`, then a byte every now and then, each in time."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(before)
        for _ in range(1200):
            handler.wfile.write(b"x")
            time.sleep(0.1)

    return page


def _endless(status: bytes) -> Page:
    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 " + status + b"\r\nLocation: /bad\r\n\r\n")
        until = time.monotonic() + 120.0
        while time.monotonic() < until:
            handler.wfile.write(b"x" * 65_536)

    return page


def _cut_short(handler: BaseHTTPRequestHandler) -> None:
    """A feed whose last items are missing, of a server that said how long it is."""
    answer(200, rss(item(1)).encode()[:-20], Content_Length="5000")(handler)


SLOW: dict[str, tuple[Page, str]] = {
    "silent": (_never_answering, "nothing came for 2 s"),
    "drip of a head": (_byte_by_byte(b"HTTP/1.1 200 OK\r\nX: "), "within the deadline of 3 s"),
    "drip of a body": (_byte_by_byte(b"HTTP/1.1 200 OK\r\n\r\n"), "within the deadline of 3 s"),
    "drip of a length": (_byte_by_byte(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), "within the deadline"),
}
BAD: dict[str, tuple[Page, str]] = {
    "endless": (_endless(b"200 OK"), "larger than 104,857 bytes"),
    "endless redirect": (_endless(b"302 Found"), "more than 5 redirects"),
    "cut short": (_cut_short, "the connection failed"),
    "bomb": (feed(gzip.compress(b"x" * 20 * MEBIBYTE), Content_Encoding="gzip"), "larger than 104,857 bytes"),
    "zlib bomb": (feed(zlib.compress(b"x" * 20 * MEBIBYTE), Content_Encoding="deflate"), "larger than"),
    "bomb in a bomb": (feed(b"", Content_Encoding="gzip, gzip"), "encoded as gzip, gzip"),
    "no gzip": (feed(b"<rss/>", Content_Encoding="gzip"), "can't be unpacked"),
    "half a gzip": (feed(gzip.compress(rss(item(1)).encode())[:40], Content_Encoding="gzip"), "breaks off"),
    "no http": (lambda handler: handler.wfile.write(b"hello\r\n\r\n") and None, "the connection failed"),
    "redirect to itself": (answer(301, Location="/bad"), "more than 5 redirects"),
    "redirect to nowhere": (answer(302), "without saying where to"),
    "redirect to a file": (answer(302, Location="file:///etc/passwd"), "neither http:// nor https://"),
    "redirect with a password": (answer(302, Location="http://me:secret@127.0.0.1/"), "name or password"),
    "redirect to a broken address": (answer(302, Location="http://[::1/"), "not followed"),
    "unasked 304": (answer(304), "answered 304"),
    "gone": (answer(410), "answered 410; take it off the list"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_server_that_misbehaves_is_an_error_and_the_next_feed_lands(
    server: FeedServer, home: ReadingHome, name: str
) -> None:
    page, reason = BAD[name]
    _is_left_and_the_next_feed_lands(server, home, page, reason)


@pytest.mark.parametrize("name", SLOW)
def test_a_server_that_never_ends_is_left_in_time_and_the_next_feed_lands(
    server: FeedServer, home: ReadingHome, name: str
) -> None:
    page, reason = SLOW[name]
    _is_left_and_the_next_feed_lands(server, home, page, reason, read_timeout_seconds=2.0, deadline_seconds=3.0)


def _is_left_and_the_next_feed_lands(
    server: FeedServer, home: ReadingHome, page: Page, reason: str, **limits: float
) -> None:
    began = time.monotonic()
    report = home.read(server.put("/bad", page), server.put("/feed/good", feed(rss(item(1)))), **limits)
    assert reason in report.feeds[0].remark
    assert [outcome.status for outcome in report.feeds] == [Status.ERROR, Status.NEW]
    assert home.bodies() == ["A fine record."]
    assert time.monotonic() - began < 100, "nobody waited for a server to be done"


def test_a_host_where_nobody_listens_is_an_error(home: ReadingHome, server: FeedServer) -> None:
    assert "can't be had (no connection" in home.remark("http://127.0.0.1:1/feed")
    assert "is not known" in home.remark("http://reviews.invalid/feed")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_packed_feed_is_read_in_either_packing_whatever_it_is_called(
    server: FeedServer, home: ReadingHome, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    home.read(server.put("/feed", feed(pack(rss(item(1)).encode()), Content_Encoding=encoding)))
    assert home.bodies() == ["A fine record."]


def test_deflate_without_its_frame_and_several_members_of_gzip_are_unpacked() -> None:
    raw = zlib.compressobj(wbits=-15)
    packed = raw.compress(b"abc" * 1000) + raw.flush()
    assert unpacked([packed], "deflate", 5000) == b"abc" * 1000
    members = gzip.compress(b"abc") + gzip.compress(b"def") + b"\0\0"
    for size in (1, 2, 7, 100):
        pieces = [members[start : start + size] for start in range(0, len(members), size)]
        assert unpacked(pieces, "gzip", 6) == b"abcdef"


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_limit_itself_is_allowed_and_a_byte_more_is_not(encoding: str) -> None:
    pack = gzip.compress if encoding else bytes
    assert unpacked([pack(b"x" * 10)], encoding, 10) == b"x" * 10
    with pytest.raises(MondayMixError, match="larger than 10 bytes"):
        unpacked([pack(b"x" * 11)], encoding, 10)


def test_an_address_of_our_own_network_is_not_asked_unless_allowed(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    assert "private or local address (127.0.0.1)" in home.remark(url, allow_private=False)
    assert "private or local" in home.remark(url.replace("127.0.0.1", "localhost"), allow_private=False)
    assert server.asked == []
    assert home.read(url).rows == 1


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1"),
    ],
)
def test_private_local_and_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001"])
def test_other_spellings_of_a_local_address_lead_to_the_same(host: str) -> None:
    with pytest.raises(MondayMixError):
        addresses_of(host, 80, allow_private=False)
