"""A web server on this machine whose every page a test decides on, and feeds to put there."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Page = Callable[[BaseHTTPRequestHandler], None]


class FeedServer:
    """pages: what each path answers.  asked: (path, headers) of each request, in order."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.pages: dict[str, Page] = {"/robots.txt": answer(404)}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def paths(self) -> list[str]:
        """What has been asked for, robots.txt apart."""
        return [path for path, _ in self.asked if path != "/robots.txt"]

    def put(self, path: str, page: Page) -> str:
        """Put a page there; its address."""
        self.pages[path] = page
        return self.base + path


@contextlib.contextmanager
def serving() -> Iterator[FeedServer]:
    """A server until the block ends; pages that never end are ended by their reader hanging up."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            feed_server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            with contextlib.suppress(ConnectionError):
                feed_server.pages.get(self.path, answer(404))(self)
            self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the test says what happened."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    feed_server = FeedServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield feed_server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(status: int, body: bytes = b"", **headers: str) -> Page:
    """The same answer every time; underscores in names of headers stand for hyphens."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return page


def feed(body: str | bytes, **headers: str) -> Page:
    """A feed, as well-kept servers send it."""
    content = body.encode() if isinstance(body, str) else body
    return answer(200, content, **{"Content_Type": "application/rss+xml", **headers})


def rss(*items: str) -> str:
    """An RSS 2.0 feed of these items."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Reviews</title>{"".join(items)}</channel></rss>'


def item(number: int = 1, body: str = "A fine record.", **more: str) -> str:
    """An item of RSS with id, title, link and text; `more` are elements beside or instead, empty ones left out."""
    elements = {
        "guid": f"g{number}",
        "title": f"Review {number}",
        "link": f"https://reviews.example/{number}",
        "description": body,
        "pubDate": "Mon, 05 Jan 2026 06:30:00 +0100",
        **more,
    }
    return f"<item>{''.join(f'<{name}>{text}</{name}>' for name, text in elements.items() if text)}</item>"
