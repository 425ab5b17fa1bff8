"""What becomes of a list of feeds: rows, what is remembered, what is said of each."""

import datetime as dt
import fcntl
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models_ml.errors import InputError
from models_ml.feeds.reader import read_feeds
from models_ml.feeds.report import Status
from models_ml.landing.contract import DATASETS
from models_ml.landing.scan import scan_landing
from tests.models_ml.feeds.feed_server import FeedServer, answer, feed, item, rss
from tests.models_ml.feeds.reading_home import NOW, QUICK, ReadingHome

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Reviews</title><id>urn:feed</id><updated>2026-01-06T00:00:00Z</updated>
<entry><id>urn:1</id><title type="html">Rock &amp;amp; roll</title><link href="/reviews/1"/>
<updated>2026-01-06T01:00:00+02:00</updated><summary>Short.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long</p><p>and good.</p></div></content></entry>
</feed>"""


def test_an_rss_item_becomes_a_row_of_documents(server: FeedServer, home: ReadingHome) -> None:
    report = home.read(server.put("/feed", feed(rss(item(1)))))
    (row,) = home.rows()
    assert row.pop("document_id").startswith("feed:")  # type: ignore[attr-defined]
    assert row == {
        "body": "A fine record.",
        "title": "Review 1",
        "url": "https://reviews.example/1",
        "published_at": dt.datetime(2026, 1, 5, 5, 30, tzinfo=dt.UTC),
        "track_ids": None,
    }
    assert [(outcome.status, outcome.rows) for outcome in report.feeds] == [(Status.NEW, 1)]
    assert report.landed == home.files()[0]


def test_an_atom_entry_gives_its_content_its_update_and_its_link_from_the_feeds_address(
    server: FeedServer, home: ReadingHome
) -> None:
    home.read(server.put("/blog/feed", feed(ATOM, Content_Type="application/atom+xml")))
    (row,) = home.rows()
    assert (row["body"], row["title"]) == ("Long and good.", "Rock & roll")
    assert row["url"] == f"{server.base}/reviews/1"
    assert row["published_at"] == dt.datetime(2026, 1, 5, 23, tzinfo=dt.UTC), "updated, as nothing says published"


def test_what_lands_is_what_the_contract_knows(server: FeedServer, home: ReadingHome) -> None:
    home.read(server.put("/feed", feed(rss(item(1)))))
    (found,) = scan_landing(home.landing)
    assert (found.dataset, found.error) == ("documents", None)
    assert pq.read_schema(found.location).names == list(DATASETS["documents"].column_names)


@pytest.mark.parametrize("content_type", ["text/xml", "application/rss+xml", "text/html", "application/octet-stream"])
def test_the_encoding_that_the_feed_declares_holds(server: FeedServer, home: ReadingHome, content_type: str) -> None:
    text = rss(item(1, "Françoise chante déjà")).replace('version="1.0"', 'version="1.0" encoding="iso-8859-1"', 1)
    report = home.read(server.put("/feed", feed(text.encode("iso-8859-1"), Content_Type=content_type)))
    assert home.bodies() == ["Françoise chante déjà"]
    assert report.feeds[0].remark == "", "how it is served is no fault of the feed"


def test_the_second_run_asks_for_changes_only_and_lands_nothing(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1)), ETag='"v1"', Last_Modified="Mon, 05 Jan 2026 06:00:00 GMT"))
    home.read(url)
    server.put("/feed", answer(304))
    report = home.read(url)
    _, headers = server.asked[-1]
    assert headers["if-none-match"] == '"v1"'
    assert headers["if-modified-since"] == "Mon, 05 Jan 2026 06:00:00 GMT"
    assert (report.feeds[0].status, report.landed, len(home.files())) == (Status.UNCHANGED, None, 1)


def test_a_server_that_always_sends_everything_lands_only_what_is_new(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    home.read(url)
    assert home.read(url).landed is None
    server.put("/feed", feed(rss(item(2, "Another."), item(1))))
    report = home.read(url, now=NOW + dt.timedelta(hours=1))
    assert (report.feeds[0].status, report.rows) == (Status.READ, 1)
    assert home.bodies() == ["A fine record.", "Another."]


def test_an_entry_that_changed_lands_again_under_its_id(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1), item(2))))
    home.read(url)
    server.put("/feed", feed(rss(item(1, "A finer record."), item(2))))
    home.read(url, now=NOW + dt.timedelta(hours=1))
    first, _, changed = home.rows()
    assert (first["body"], changed["body"]) == ("A fine record.", "A finer record.")
    assert first["document_id"] == changed["document_id"]


def test_an_entry_that_left_the_feed_and_comes_back_does_not_land_again(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1), item(2))))
    home.read(url)
    server.put("/feed", feed(rss(item(2))))
    home.read(url)
    server.put("/feed", feed(rss(item(1), item(2))))
    assert home.read(url).rows == 0


def test_of_entries_that_left_the_feed_the_last_seen_are_remembered(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1), item(2), item(3))))
    home.read(url)
    server.put("/feed", feed(rss(item(3))))
    home.read(url, remembered_documents=1)
    (state,) = json.loads((home.state_folder / "state.json").read_text())["feeds"].values()
    assert len(state["documents"]) == 2, "what it shows, and one more"


def test_entries_are_known_by_feed_so_that_two_feeds_may_use_the_same_ids(
    server: FeedServer, home: ReadingHome
) -> None:
    urls = [server.put(path, feed(rss(item(1)))) for path in ("/a", "/b")]
    home.read(*urls)
    assert len({row["document_id"] for row in home.rows()}) == 2


def test_a_feed_that_fails_does_not_keep_the_others_from_landing(server: FeedServer, home: ReadingHome) -> None:
    good = server.put("/good", feed(rss(item(1))))
    report = home.read(f"{server.base}/missing", good, "ftp://reviews.example/feed", "http://[broken")
    assert [outcome.status for outcome in report.feeds] == [Status.ERROR, Status.NEW, Status.ERROR, Status.ERROR]
    assert report.feeds[0].remark.endswith("answered 404")
    assert (report.rows, report.all_failed) == (1, False)
    lines = report.lines()
    assert all(any(url in line for line in lines) for url in (good, "/missing", "ftp://reviews.example/feed"))
    assert lines[-1] == "1 documents from 4 feeds, 3 failed"
    assert len(home.progress) == 4, "a line a feed"


def test_a_feed_without_entries_is_no_error(server: FeedServer, home: ReadingHome) -> None:
    (outcome,) = home.read(server.put("/feed", feed(rss()))).feeds
    assert (outcome.status, outcome.rows, outcome.remark) == (Status.NEW, 0, "no entries")
    assert home.files() == []


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"not a feed",
        b"<html><body><p>Not here</p></body></html>",
        b"<rss><channel><item",
        b"/etc/hostname",
        b"\0\xff",
    ],
)
def test_what_is_no_feed_is_an_error(server: FeedServer, home: ReadingHome, page: bytes) -> None:
    (outcome,) = home.read(server.put("/feed", feed(page))).feeds
    assert outcome.status is Status.ERROR
    assert outcome.remark.startswith("no feed that can be read")


def test_a_broken_feed_gives_the_entries_it_has_and_a_warning(server: FeedServer, home: ReadingHome) -> None:
    broken = rss(item(1)).replace("</channel></rss>", "<item><title>Broken & gone")
    (outcome,) = home.read(server.put("/feed", feed(broken))).feeds
    assert (outcome.status, outcome.rows) == (Status.NEW, 1)
    assert "not well-formed" in outcome.remark
    assert outcome.counts == {"without text": 1}


def test_the_same_address_twice_is_asked_once(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    report = home.read(url, f" {url}#top ")
    assert (len(report.feeds), server.paths()) == (1, ["/feed"])


def test_a_run_killed_after_landing_lands_a_copy_that_is_the_same_in_all_columns(
    server: FeedServer, home: ReadingHome
) -> None:
    """What is remembered is saved last; a copy the warehouse counts once, and intake reads once."""
    url = server.put("/feed", feed(rss(item(1))))
    home.read(url)
    (home.state_folder / "state.json").unlink()
    home.read(url, now=NOW + dt.timedelta(hours=1))
    first, second = home.files()
    assert first.read_bytes() == second.read_bytes()


def test_a_run_that_is_interrupted_leaves_nothing_and_forgets_nothing(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1))))

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_feeds([url], home.landing, home.state_folder, QUICK, NOW, interrupt)
    assert home.files() == []
    assert home.read(url).rows == 1


def test_what_a_killed_run_left_is_cleared_away(server: FeedServer, home: ReadingHome) -> None:
    leftover = home.landing / "documents" / ".feeds-unfinished.parquet.tmp"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"PAR1 half")
    home.read(server.put("/feed", feed(rss())))
    assert not leftover.exists()


def test_a_second_run_waits_for_the_first_and_says_so(server: FeedServer, home: ReadingHome) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    home.state_folder.mkdir(parents=True)
    lock = os.open(home.state_folder / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(home.read, url)
        while not home.progress:
            time.sleep(0.005)
        assert home.progress == ["waiting: feeds are being read into this home already"]
        assert server.asked == []
        os.close(lock)
        assert second.result().rows == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "feeds": {"u": {}}}'])
def test_a_state_that_cannot_be_read_is_started_anew_and_said(
    server: FeedServer, home: ReadingHome, content: bytes
) -> None:
    home.state_folder.mkdir(parents=True)
    (home.state_folder / "state.json").write_bytes(content)
    assert home.read(server.put("/feed", feed(rss(item(1))))).rows == 1
    assert "can't be read" in home.progress[0]


def test_no_address_at_all_is_an_error(home: ReadingHome) -> None:
    with pytest.raises(InputError, match="no address is given"):
        home.read(" ", "")


def test_a_contact_that_cannot_stand_in_a_header_is_an_error(home: ReadingHome) -> None:
    with pytest.raises(InputError, match="contact"):
        home.read("http://127.0.0.1/", contact="me\r\nCookie: x")


def test_what_a_server_says_cannot_move_the_cursor(server: FeedServer, home: ReadingHome) -> None:
    report = home.read(server.put("/feed", answer(302, Location="gopher://\x1b[2J")))
    assert "\x1b" not in "".join(report.lines())


def test_a_state_is_the_same_file_whatever_the_order_of_the_feeds(server: FeedServer, tmp_path: Path) -> None:
    urls = [server.put(f"/{number}", feed(rss(item(number)))) for number in range(5)]
    states = []
    for name, order in {"a": urls, "b": urls[::-1]}.items():
        home = ReadingHome(tmp_path / name)
        home.read(*order)
        states.append((home.state_folder / "state.json").read_bytes())
    assert states[0] == states[1]


def test_several_feeds_of_several_hosts_land_in_the_same_order_every_time(server: FeedServer, tmp_path: Path) -> None:
    other = server.base.replace("127.0.0.1", "localhost")
    urls = [server.put(f"/{number}", feed(rss(item(number)))) for number in range(6)]
    urls = [url.replace(server.base, other) if number % 2 else url for number, url in enumerate(urls)]
    contents = []
    for name, hosts_at_once in {"a": 1, "b": 4}.items():
        home = ReadingHome(tmp_path / name)
        home.read(*urls, hosts_at_once=hosts_at_once)
        contents.append(home.rows())
    assert contents[0] == contents[1]
    assert len(contents[0]) == 6
