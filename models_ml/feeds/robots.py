"""What a robots.txt allows us (RFC 9309).

Belongs here: reading it, and the answer for one address. Does not: fetching it (visit.py).

Not urllib.robotparser: that of Python 3.11 takes `*` and `$` for letters, so it overlooks `Disallow: /*/feed/`, which
is how sites forbid feeds, and of several rules it takes the first, where the standard says the longest.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

# RFC 9309, 2.5: at least 500 KiB have to be read; what follows may be left.
MAX_BYTES: Final = 512 * 1024
_PATH_LETTERS: Final = "/?&=:;,@!$'()*+~%[]"


@dataclass(frozen=True)
class RobotRules:
    """rules: (pattern, is_allowed) of the group that is ours.  crawl_delay_seconds: 0 where none is asked for."""

    rules: tuple[tuple[str, bool], ...] = ()
    crawl_delay_seconds: float = 0.0

    def allows(self, url: str) -> bool:
        """Whether the longest rule that fits allows it; without one it is allowed."""
        parts = urlsplit(url)
        path = _comparable(parts.path or "/") + (f"?{_comparable(parts.query)}" if parts.query else "")
        fitting = [(len(pattern), is_allowed) for pattern, is_allowed in self.rules if _fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


def read_robots(content: bytes, name: str) -> RobotRules:
    """The rules for a robot of this name: its own groups, else those of `*`."""
    text = content[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    if len(content) > MAX_BYTES:
        lines = lines[:-1]  # half a rule is another rule
    groups = list(_groups(lines))
    own = [lines for names, lines in groups if name.lower() in names]
    chosen = own or [lines for names, lines in groups if "*" in names]
    merged = [line for lines in chosen for line in lines]
    rules = tuple((_comparable(value), key == "allow") for key, value in merged if key != "crawl-delay" and value)
    delays = [float(value) for key, value in merged if key == "crawl-delay" and re.fullmatch(r"\d{1,6}(\.\d+)?", value)]
    return RobotRules(rules, max(delays, default=0.0))


def _groups(lines: Iterable[str]) -> Iterator[tuple[set[str], list[tuple[str, str]]]]:
    """(names of robots, rules) of each group; several names in a row share their rules."""
    names: set[str] = set()
    rules: list[tuple[str, str]] = []
    for line in lines:
        key, colon, value = line.split("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon or key not in ("user-agent", "allow", "disallow", "crawl-delay"):
            continue
        if key == "user-agent":
            if rules:
                yield names, rules
                names, rules = set(), []
            names.add(value.split("/")[0].strip().lower())
        elif names:
            rules.append((key, value))
    if names:
        yield names, rules


def _comparable(text: str) -> str:
    """One spelling of each address: letters percent-encoded where they have to be, and only there."""
    return quote(unquote_to_bytes(re.sub("%(2[aA]|24)", r"%25\1", text)), safe=_PATH_LETTERS)


def _fits(pattern: str, path: str) -> bool:
    """Whether the pattern fits the start of the path; `*` stands for anything, `$` at the end for the end.

    Part by part, each at its first place: as good as trying all places, and no pattern takes long.
    """
    is_whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    if is_whole and not others:
        return place == len(path)
    for number, part in enumerate(others, start=1):
        if is_whole and number == len(others):
            return path.endswith(part) and len(path) - len(part) >= place
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True
