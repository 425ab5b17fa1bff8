"""The command `feeds` as a person meets it: what it prints, where it lands, the exit code of each mistake."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.cli import BAD_INPUT, RUN_FAILED, main
from tests.models_ml.feeds.feed_server import FeedServer, answer, feed, item, rss, serving


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with serving() as started:
        yield started


def _feeds(home: Path, *arguments: object) -> int:
    """Exit code of the command."""
    try:
        return main(["feeds", *map(str, arguments), "--home", str(home), "--delay", "0"])
    except SystemExit as left:
        return int(left.code or 0)


def _list(folder: Path, *lines: str) -> Path:
    path = folder / "feeds.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_list_of_feeds_lands_and_each_is_reported(
    server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = server.put("/good", feed(rss(item(1), item(2, "")))), server.put("/bad", answer(404))
    listed = _list(tmp_path, "# reviews", "", f"  {good}  ", bad)
    assert _feeds(tmp_path, listed, "--allow-private") == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[1].split(maxsplit=3) == ["new", "1", good, "(1 without text)"]
    assert lines[2].split(maxsplit=2)[:2] == ["error", "0"]
    assert bad in lines[2]
    assert lines[3] == "1 documents from 2 feeds, 1 failed"
    (landed,) = (tmp_path / "landing" / "documents").glob("feeds-*.parquet")
    assert lines[4] == f"landed in {landed}; `monday-mix run` reads it"
    assert pq.read_table(landed).column("body").to_pylist() == ["A fine record."]
    assert "1 of 2 feeds" in printed.err


def test_a_second_call_lands_nothing_and_is_content(
    server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    assert _feeds(tmp_path, "--allow-private", "--url", url) == 0
    capsys.readouterr()
    assert _feeds(tmp_path, "--allow-private", "--url", url) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 documents from 1 feeds"
    assert len(list((tmp_path / "landing" / "documents").iterdir())) == 1


def test_where_not_one_feed_can_be_read_the_call_fails(
    server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    assert _feeds(tmp_path, "--url", url, f"{url}2") == RUN_FAILED
    assert "private or local address" in capsys.readouterr().out
    assert server.asked == [], "a local address, which has to be allowed"


def test_the_contact_goes_with_every_request(server: FeedServer, tmp_path: Path) -> None:
    url = server.put("/feed", feed(rss(item(1))))
    assert _feeds(tmp_path, "--allow-private", "--contact", "ann@reviews.example", "--url", url) == 0
    assert all("ann@reviews.example" in headers["user-agent"] for _, headers in server.asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no address is given"),
        (["absent.txt"], "absent.txt: can't be read (No such file or directory)"),
        (["--url", "http://127.0.0.1/", "--contact", "né"], "contact 'né'"),
        (["--url", "http://127.0.0.1/", "--deadline", "soon"], "--deadline: invalid"),
        (["--url", "http://127.0.0.1/", "--deadline", "-1"], "--deadline: invalid"),
    ],
)
def test_a_mistake_is_one_line_that_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _feeds(tmp_path, *arguments) == BAD_INPUT
    assert said in capsys.readouterr().err


def test_a_list_that_is_no_text_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "feeds.txt").write_bytes(b"\xff\xfe\0")
    assert _feeds(tmp_path, tmp_path / "feeds.txt") == BAD_INPUT
    assert "it is no UTF-8" in capsys.readouterr().err
