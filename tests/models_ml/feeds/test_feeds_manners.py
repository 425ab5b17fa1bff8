"""Manners: robots.txt, pauses, staying away when asked to, saying who we are."""

import datetime as dt
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from models_ml.feeds.report import Status
from models_ml.feeds.robots import MAX_BYTES, read_robots
from tests.models_ml.feeds.feed_server import FeedServer, answer, feed, item, rss, serving
from tests.models_ml.feeds.reading_home import NOW, ReadingHome

SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)


@pytest.fixture
def other() -> Iterator[FeedServer]:
    """A second server."""
    with serving() as started:
        yield started


def test_what_robots_txt_forbids_is_not_asked(server: FeedServer, home: ReadingHome) -> None:
    server.put("/robots.txt", answer(200, b"User-agent: *\nDisallow: /private/\n"))
    secret, public = (server.put(path, feed(rss(item(1)))) for path in ("/private/feed", "/feed"))
    report = home.read(secret, public)
    assert [outcome.status for outcome in report.feeds] == [Status.ERROR, Status.NEW]
    assert "doesn't allow" in report.feeds[0].remark
    assert server.paths() == ["/feed"]


def test_robots_txt_is_asked_for_once_a_host_and_run(server: FeedServer, home: ReadingHome) -> None:
    urls = [server.put(f"/{number}", feed(rss(item(number)))) for number in range(4)]
    home.read(*urls)
    assert [path for path, _ in server.asked].count("/robots.txt") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_without_robots_txt_everything_is_allowed(server: FeedServer, home: ReadingHome, status: int) -> None:
    server.put("/robots.txt", answer(status))
    assert home.read(server.put("/feed", feed(rss(item(1))))).rows == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_where_robots_txt_cannot_be_had_nothing_is_asked(server: FeedServer, home: ReadingHome, status: int) -> None:
    server.put("/robots.txt", answer(status))
    (outcome,) = home.read(server.put("/feed", feed(rss(item(1))))).feeds
    assert (outcome.status, server.paths()) == (Status.ERROR, [])
    assert f"answered {status}" in outcome.remark


def test_robots_txt_may_be_somewhere_else(server: FeedServer, other: FeedServer, home: ReadingHome) -> None:
    server.put("/robots.txt", answer(301, Location=other.put("/rules", answer(200, b"User-agent: *\nDisallow: /"))))
    assert "doesn't allow" in home.remark(server.put("/feed", feed(rss(item(1)))))


def test_robots_txt_of_every_host_on_the_way_is_honoured(
    server: FeedServer, other: FeedServer, home: ReadingHome
) -> None:
    other.put("/robots.txt", answer(200, b"User-agent: monday-mix\nDisallow: /\n"))
    moved = other.put("/feed", feed(rss(item(1))))
    assert "doesn't allow" in home.remark(server.put("/feed", answer(301, Location=moved)))
    assert other.paths() == []


def test_a_redirect_is_followed_and_the_ids_stay_those_of_the_address_in_the_list(
    server: FeedServer, other: FeedServer, home: ReadingHome
) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    home.read(url)
    server.put("/feed", answer(301, Location=other.put("/caf%C3%A9", feed(rss(item(1))))))
    assert home.read(url).rows == 0, "the same entry of the same feed"
    assert other.paths() == ["/caf%C3%A9"]


def test_an_etag_is_shown_only_to_the_address_that_gave_it(
    server: FeedServer, other: FeedServer, home: ReadingHome
) -> None:
    url = server.put("/feed", feed(rss(item(1)), ETag='"1"'))
    home.read(url)
    server.put("/feed", answer(302, Location=other.put("/feed", feed(rss(item(2)), ETag='"1"'))))
    assert home.read(url).rows == 1
    assert "if-none-match" not in other.asked[-1][1]


def test_we_say_who_we_are(server: FeedServer, home: ReadingHome) -> None:
    home.read(server.put("/feed", feed(rss(item(1)))), contact="https://me.example/bot")
    agents = {headers["user-agent"] for _, headers in server.asked}
    assert len(agents) == 1, "to robots.txt as to the feed"
    agent = agents.pop()
    assert agent.startswith("monday-mix/")
    assert agent.endswith("(feed reader; https://me.example/bot)")


def test_requests_to_one_host_stand_apart(server: FeedServer, home: ReadingHome) -> None:
    moments: list[float] = []
    urls = []
    for number in range(3):
        page = feed(rss(item(number)))

        def timed(handler: object, page: object = page) -> None:
            moments.append(time.monotonic())
            page(handler)  # type: ignore[operator]

        urls.append(server.put(f"/{number}", timed))
    home.read(*urls, host_delay_seconds=0.1)
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(moments))


def test_a_crawl_delay_is_kept_up_to_a_limit(server: FeedServer, home: ReadingHome) -> None:
    server.put("/robots.txt", answer(200, b"User-agent: *\nCrawl-delay: 1000\n"))
    began = time.monotonic()
    home.read(server.put("/feed", feed(rss(item(1)))), max_crawl_delay_seconds=0.2)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["3600", "Mon, 02 Feb 2026 13:00:00 GMT"])
def test_a_host_that_says_when_to_come_back_is_left_alone_until_then(
    server: FeedServer, home: ReadingHome, status: int, retry_after: str
) -> None:
    url = server.put("/feed", answer(status, Retry_After=retry_after))
    sibling = server.put("/sibling", feed(rss(item(1))))
    report = home.read(url, sibling, hosts_at_once=1)
    assert [outcome.status for outcome in report.feeds] == [Status.ERROR, Status.LEFT_ALONE]
    assert f"answered {status}; left alone until 2026-02-02 13:00:00Z" in report.feeds[0].remark
    asked = len(server.asked)
    report = home.read(url, sibling, now=NOW + HOUR - SECOND)
    assert {outcome.status for outcome in report.feeds} == {Status.LEFT_ALONE}
    assert not report.all_failed
    assert len(server.asked) == asked, "not even robots.txt"
    server.put("/feed", feed(rss(item(1))))
    assert home.read(url, now=NOW + HOUR).rows == 1


def test_a_429_without_a_time_is_given_an_hour_and_a_503_is_not(server: FeedServer, home: ReadingHome) -> None:
    assert home.remark(server.put("/a", answer(503))).endswith("answered 503")
    assert "until 2026-02-02 13:00:00Z" in home.remark(server.put("/b", answer(429, Retry_After="soon")))


def test_nobody_sends_us_away_for_longer_than_a_week(server: FeedServer, home: ReadingHome) -> None:
    assert "until 2026-02-09 12:00:00Z" in home.remark(server.put("/a", answer(429, Retry_After="9" * 30)))


def test_a_host_is_left_alone_for_redirects_that_lead_there_too(
    server: FeedServer, other: FeedServer, home: ReadingHome
) -> None:
    home.read(other.put("/feed", answer(429, Retry_After="60")))
    asked = len(other.asked)
    (outcome,) = home.read(server.put("/feed", answer(302, Location=f"{other.base}/feed"))).feeds
    assert outcome.status is Status.LEFT_ALONE
    assert len(other.asked) == asked


RULES = """
User-agent: other
User-agent: second
Disallow: /

User-agent: *
Disallow: /*/feed/
Disallow: /*.xml$
Allow: /
Disallow: /private   # the longest rule holds, wherever it stands
Allow: /private/open
Disallow: /caf\u00e9
Disallow: /same
Allow: /same
Disallow: /q?a=
Disallow:
Crawl-delay: 2.5
"""


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("", True),
        ("/", True),
        ("/feed/", True),
        ("/blog/feed/", False),
        ("/blog/deep/feed/x", False),
        ("/a.xml", False),
        ("/a.xml?page=2", True),
        ("/private/x", False),
        ("/private/open/x", True),
        ("/caf%C3%A9/x", False),
        ("/caf%c3%a9", False),
        ("/same", True),
        ("/q?a=1", False),
        ("/q?b=1", True),
    ],
)
def test_the_longest_rule_that_fits_decides(path: str, is_allowed: bool) -> None:
    rules = read_robots(RULES.encode(), "monday-mix")
    assert rules.allows(f"https://reviews.example{path}") is is_allowed
    assert rules.crawl_delay_seconds == 2.5


def test_a_group_of_our_own_holds_in_place_of_that_for_all() -> None:
    text = b"user-agent: *\ndisallow: /\nuser-agent: Monday-Mix/1.0\nallow: /feed\ndisallow: /\n"
    assert read_robots(text, "monday-mix").allows("http://x/feed")
    assert not read_robots(text, "monday-mix").allows("http://x/other")
    assert not read_robots(text, "else").allows("http://x/feed")
    assert not read_robots(b"User-agent: second\nUser-agent: x\nDisallow: /", "x").allows("http://x/")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"<html>no rules</html>", b"Disallow: /", b"\xff\0\xfe"])
def test_a_robots_txt_without_rules_allows_everything(content: bytes) -> None:
    assert read_robots(content, "monday-mix").allows("http://x/feed")


def test_of_an_overlong_robots_txt_the_beginning_holds_and_half_a_rule_does_not() -> None:
    head = b"User-agent: *\nDisallow: /private\n"
    text = head + b"#" * (MAX_BYTES - len(head) - 12) + b"\nDisallow: /feeds/private\n"
    assert len(text) > MAX_BYTES
    rules = read_robots(text, "monday-mix")
    assert not rules.allows("http://x/private")
    assert rules.allows("http://x/feeds/public")


def test_a_rule_of_many_wildcards_takes_no_time() -> None:
    rules = read_robots(b"User-agent: *\nDisallow: /" + b"a*" * 5000 + b"b$\n", "monday-mix")
    assert rules.allows("http://x/" + "a" * 5000)
