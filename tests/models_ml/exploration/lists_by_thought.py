"""Every list that chance can make of one small slate, with its chance, one entry at a time in plain Python.

Belongs here: the tree of draws, written from docs/playlists.md and not from the code. Does not: expectations.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

LENGTH = 30
# Branches less likely than this are left out; what they add up to is checked by the tests.
LEAST = 1e-10


@dataclass(frozen=True)
class Entry:
    """A candidate.  shown: what it is worth less to an arm, since lists gave it lately."""

    artist: int
    album: int
    is_new: bool
    score: float
    arms: frozenset
    genres: tuple
    reserved: bool = False
    shown: float = 0.0


@dataclass(frozen=True)
class Situation:
    """A listener with candidates, rules and chances."""

    entries: tuple
    chance: tuple
    explore_draws: int
    width: float
    soft_width: float
    is_soft: bool
    taste: tuple
    weight: float
    per_artist: int = 2
    per_album: int = 2
    new_needed: int = 15
    only_new: bool = False

    def open_to(self, taken: frozenset) -> list:
        """What the rules allow beside what was taken."""
        chosen = [self.entries[place] for place in taken]
        artists, albums = Counter(entry.artist for entry in chosen), Counter(entry.album for entry in chosen)
        known = sum(not entry.is_new for entry in chosen)
        return [
            place
            for place, entry in enumerate(self.entries)
            if place not in taken
            and artists[entry.artist] < self.per_artist
            and (entry.album < 0 or albums[entry.album] < self.per_album)
            and (entry.is_new or known < LENGTH - self.new_needed)
        ]

    def by_arm(self, open_to: list) -> dict:
        """{entry: chance} of an explore draw."""
        members = {
            arm: [place for place in open_to if arm in self.entries[place].arms] for arm in range(len(self.chance))
        }
        feasible = {arm: places for arm, places in members.items() if places}
        total = sum(self.chance[arm] for arm in feasible)
        found = defaultdict(float)
        for arm, places in feasible.items():
            unseen = {place: self.entries[place].score - self.entries[place].shown for place in places}
            for place, within in softmax(unseen, self.width).items():
                found[place] += self.chance[arm] / total * within
        return found

    def worth(self, place: int, held: Counter) -> float:
        """Score, a slot of its own, and what it takes off the distance to the listener's genres, given those held."""
        entry = self.entries[place]
        smooth = LENGTH * 0.01 / 0.99
        gained = sum(
            self.taste[genre] * math.log(1 + 1 / len(entry.genres) / (held[genre] + smooth * self.taste[genre]))
            for genre in entry.genres
            if self.taste[genre]
        )
        return entry.score + 1e4 * entry.reserved + self.weight * gained

    def held(self, taken: Iterable) -> Counter:
        """Tracks of each genre."""
        held: Counter = Counter()
        for place in taken:
            for genre in self.entries[place].genres:
                held[genre] += 1 / len(self.entries[place].genres)
        return held

    def chances(self, taken: frozenset, draw: int, by_chance: bool) -> dict:
        """{entry: chance} of one draw, empty where nothing fits."""
        open_to = self.open_to(taken)
        if not open_to:
            return {}
        if by_chance and draw < self.explore_draws:
            new = [place for place in open_to if self.entries[place].is_new]
            return self.by_arm(new if self.only_new and new else open_to)
        held = self.held(taken)
        worth = {place: self.worth(place, held) for place in open_to}
        if by_chance and self.is_soft:
            return softmax(worth, self.soft_width)
        return {max(worth, key=worth.get): 1.0}


def softmax(values: dict, width: float) -> dict:
    """{key: share}."""
    highest = max(values.values())
    weights = {place: math.exp((value - highest) / width) for place, value in values.items()}
    total = sum(weights.values())
    return {place: weight / total for place, weight in weights.items()}


def inclusion(situation: Situation) -> dict:
    """{entry: chance that the list holds it}, where no list runs dry.

    What is open and what is worth most depend on which were taken, not in what order: equal sets are one.
    """
    states = {frozenset(): 1.0}
    found: dict = defaultdict(float)
    for draw in range(LENGTH):
        after: dict = defaultdict(float)
        for taken, chance in states.items():
            drawn = situation.chances(taken, draw, by_chance=True)
            assert drawn, "a list ran dry"
            for place, share in drawn.items():
                if chance * share > LEAST:
                    after[taken | {place}] += chance * share
        states = after
    for taken, chance in states.items():
        for place in taken:
            found[place] += chance
    return found


def inclusion_giving_way(situation: Situation, relaxed: list) -> dict:
    """The same where lists run dry: what chance drew is kept, the rest drawn anew under the first limits that do.

    relaxed: what differs of the situation at each step of giving way.
    """
    kept = {frozenset(): 1.0}
    for draw in range(situation.explore_draws):
        after: dict = defaultdict(float)
        for taken, chance in kept.items():
            for place, share in situation.chances(taken, draw, by_chance=True).items():
                after[taken | {place}] += chance * share
        kept = after
    found: dict = defaultdict(float)
    for taken, chance in kept.items():
        for place in filled(taken, [situation, *(replace(situation, **limits) for limits in relaxed)]):
            found[place] += chance
    return found


def filled(kept: frozenset, situations: list) -> frozenset:
    """The first list of thirty that one of the situations makes of what was kept."""
    for situation in situations:
        taken = kept
        while len(taken) < LENGTH and (drawn := situation.chances(taken, len(taken), by_chance=False)):
            taken = taken | set(drawn)
        if len(taken) == LENGTH:
            return taken
    raise AssertionError("nothing fills this list")
