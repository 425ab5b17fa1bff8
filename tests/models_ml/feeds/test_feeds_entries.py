"""From an entry to a document: text, id, date; whatever bytes come."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.feeds.entries import Document, Entries, read_entries
from models_ml.feeds.markup import folded, plain_text
from models_ml.feeds.settings import FeedError
from tests.models_ml.feeds.feed_server import item, rss
from tests.models_ml.feeds.reading_home import NOW

URL = "https://reviews.example/feed"


def _read(content: str, url: str = URL) -> Entries:
    return read_entries(content.encode(), url, url, "application/rss+xml", NOW)


def _one(content: str) -> Document:
    (document,) = _read(content).documents
    return document


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("one<br>two<br/>three", "one two three"),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("<table><tr><td>one</td><td>two</td></tr></table>", "one two"),
        ("un<b>believ</b>able", "unbelievable"),
        ("caf&eacute; &amp; cr&#232;me&nbsp;&#x1F3B5;", "café & crème 🎵"),
        ("&lt;b&gt;", "<b>"),
        ("a<script>if (a<b) { document.write('<p>no</p>') }</script>b", "ab"),
        ("a<style>p { color: red }</style> <noscript>no</noscript>b", "a b"),
        ("a<svg><svg>no</svg>no</svg>b", "ab"),
        ("a<script/>b", "ab"),
        ("a<!-- no <b>no</b> -->b<!-- never closed", "ab"),
        ('<a href="x>y" title=\'"\'>one</a>', "one"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("I <3 music", "I <3 music"),
        ("<p", "<p"),
        ("</p><//><?php no ?><!DOCTYPE html>one", "one"),
        ("<![CDATA[one]]>", ""),
        (" one \n\t two\u00a0\u2003three ", "one two three"),
        ("soft\u00adhyphen, zero\u200bwidth\x00", "softhyphen, zerowidth"),
        ("&#xD800;&#0;", "\ufffd\ufffd"),
        ("<html><head><title>no</title><body>one", "one"),
        ("", ""),
    ],
)
def test_html_becomes_the_words_one_reads(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(
    "piece", ["<a ", "<a", "<", "</", "<!--", "<a b='x'", "<a/", '<a b="" c=">', "<svg>", "&", "a"]
)
def test_no_html_takes_long(piece: str) -> None:
    """Python 3.11's own parser takes 48 s for the first of these at a tenth of the length."""
    plain_text("<" + piece * 100_000)


@given(st.text(st.sampled_from("<>/!-ab p&;\"'=\n"), max_size=200))
def test_any_html_becomes_text_that_is_folded(html: str) -> None:
    text = plain_text(html)
    assert text == folded(text)


@given(st.text(max_size=100), st.sampled_from(["b", "p", "a href='x'"]))
def test_text_that_is_escaped_comes_back_as_it_was(text: str, tag: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\x1c", "")
    assert plain_text(f"<{tag}>{escaped}</{tag[0]}>") == folded(text.replace("\x1c", ""))


def test_the_content_is_taken_before_the_summary_and_markup_is_stripped() -> None:
    content = "<content:encoded><![CDATA[<p>Long &amp; good.</p><p>Very.</p>]]></content:encoded>"
    text = rss(item(1, "Short.").replace("</item>", f"{content}</item>"))
    text = text.replace("<rss ", '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ', 1)
    assert _one(text).body == "Long & good. Very."


def test_an_empty_content_gives_way_to_the_summary() -> None:
    content = "<content:encoded><![CDATA[<p> </p>]]></content:encoded>"
    text = rss(item(1, "Short.").replace("</item>", f"{content}</item>"))
    assert (
        _one(text.replace("<rss ", '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ', 1)).body
        == "Short."
    )


def test_plain_text_keeps_its_angle_brackets() -> None:
    entry = '<entry><id>1</id><title type="text">A &lt; B</title><summary type="text">1 &lt; 2</summary></entry>'
    document = _one(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>')
    assert (document.title, document.body) == ("A < B", "1 < 2")


def test_an_entry_without_text_is_left_out_and_counted() -> None:
    entries = _read(rss(item(1, ""), item(2, "<![CDATA[<img src='x'/>]]>"), item(3)))
    assert [document.title for document in entries.documents] == ["Review 3"]
    assert entries.counts == {"without text": 2}


def test_of_two_entries_with_one_id_the_first_is_taken_and_the_other_counted() -> None:
    entries = _read(rss(item(1, "New."), item(1, "Old."), item(2)))
    assert [document.body for document in entries.documents] == ["New.", "A fine record."]
    assert entries.counts == {"twice": 1}


def test_an_entry_is_known_by_its_id_else_its_link_else_title_and_date() -> None:
    def known_by(**more: str) -> str:
        return _one(rss(item(1, **more))).document_id

    assert known_by() == known_by(title="Changed", link="https://elsewhere.example", pubDate="")
    assert known_by(guid="") == known_by(guid="", title="Changed", pubDate="")
    assert known_by(guid="", link="") == known_by(guid="", link="", description="Changed")
    different = [
        known_by(),
        known_by(guid=""),
        known_by(guid="", link=""),
        known_by(guid="", link="", title="Changed"),
        known_by(guid="", link="", pubDate="Tue, 06 Jan 2026 06:30:00 GMT"),
        known_by(guid="", link="", pubDate=""),
    ]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://elsewhere.example/1", "https://elsewhere.example/1"),
        ("/1", "https://moved.example/1"),
        ("javascript:alert(1)", None),
        ("http://[broken", None),
    ],
)
def test_a_link_is_an_address_on_the_web_or_none_and_ids_do_not_move_with_the_feed(link: str, url: str | None) -> None:
    def entry(answered: str) -> Document:
        content = rss(item(1, link=link)).encode()
        (document,) = read_entries(content, URL, answered, "", NOW).documents
        return document

    assert entry("https://moved.example/feed").url == url
    assert entry("https://moved.example/feed").document_id == entry(URL).document_id


def test_entries_that_say_nothing_of_themselves_are_told_apart_by_their_text() -> None:
    bare = {"guid": "", "link": "", "title": "", "pubDate": ""}
    entries = _read(rss(item(1, "One.", **bare), item(2, "Two.", **bare), item(3, "One.", **bare)))
    assert [(document.body, document.title, document.url) for document in entries.documents] == [
        ("One.", None, None),
        ("Two.", None, None),
    ]
    assert entries.counts == {"without date": 3, "twice": 1}


def test_ids_are_the_same_everywhere_and_for_good() -> None:
    assert _one(rss(item(1))).document_id == "feed:25c704fc9364:b6ad017fbea7a50f342e"


@pytest.mark.parametrize(
    ("date", "moment", "counted"),
    [
        ("Mon, 05 Jan 2026 06:30:00 +0100", dt.datetime(2026, 1, 5, 5, 30), {}),
        ("2026-01-05T06:30:00-05:00", dt.datetime(2026, 1, 5, 11, 30), {}),
        ("2026-01-05", dt.datetime(2026, 1, 5), {}),
        ("Tue, 03 Feb 2026 12:00:00 GMT", dt.datetime(2026, 2, 3, 12), {}),
        ("Tue, 03 Feb 2026 12:00:01 GMT", None, {"date not usable": 1}),
        ("Mon, 05 Jan 9999 06:30:00 GMT", None, {"date not usable": 1}),
        ("Mon, 05 Jan 1601 06:30:00 GMT", None, {"date not usable": 1}),
        ("last Monday", None, {"date not usable": 1}),
        ("", None, {"without date": 1}),
    ],
)
def test_a_date_is_a_moment_in_utc_up_to_a_day_from_now_or_none(
    date: str, moment: dt.datetime | None, counted: dict[str, int]
) -> None:
    entries = _read(rss(item(1, pubDate=date)))
    assert entries.documents[0].published_at == (moment.replace(tzinfo=dt.UTC) if moment else None)
    assert entries.counts == counted


def test_what_was_published_counts_before_what_was_updated() -> None:
    def entry(published: str) -> str:
        text = f"<id>1</id><published>{published}</published><updated>2026-01-07T00:00:00Z</updated>"
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{text}<summary>A.</summary></entry></feed>'

    assert _one(entry("2026-01-05T00:00:00Z")).published_at == dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    assert _one(entry("who knows")).published_at == dt.datetime(2026, 1, 7, tzinfo=dt.UTC)


def test_entities_that_grow_and_files_that_are_named_stay_out() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE r [<!ENTITY l0 "lol">{levels}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    text = rss(item(1, "&l9; &f;")).replace("<rss", f"{bomb}<rss", 1)
    assert all(len(document.body) < 1000 and "root:" not in document.body for document in _read(text).documents)


_PIECES = st.sampled_from(
    [
        *(
            "<rss>",
            "<rss version='2.0'>",
            "<channel>",
            "<item>",
            "</item>",
            "<title>",
            "</title>",
            "<description>",
            "<guid>",
        ),
        *(
            "<feed xmlns='http://www.w3.org/2005/Atom'>",
            "<entry>",
            "<content type='xhtml'>",
            "<div>",
            "<updated>",
            "</",
        ),
        *(
            "<?xml version='1.0' encoding='utf-16'?>",
            "<!DOCTYPE a [",
            "<!ENTITY b 'c'>",
            "]>",
            "&b;",
            "&#xD800;",
            "<![CDATA[",
        ),
        *(
            "text",
            "2026-01-05",
            "<pubDate>",
            "\ud800",
            "\0",
            "<media:content>",
            "<a:b xmlns:a='x'>",
            "<link href='//['>",
            "-",
        ),
    ]
)


@settings(max_examples=150)
@given(st.lists(_PIECES | st.text(max_size=5), max_size=12), st.sampled_from(["", "text/xml", "text/xml; charset=x"]))
def test_any_bytes_are_read_or_refused(pieces: list[str], content_type: str) -> None:
    content = "".join(pieces).encode("utf-8", errors="surrogatepass")
    try:
        entries = read_entries(content, URL, URL, content_type, NOW)
    except FeedError:
        return
    for document in entries.documents:
        assert document.body.encode()
        assert document.content_hash() == document.content_hash()
