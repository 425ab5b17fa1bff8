"""The figures of whole Mondays as Markdown tables.

Belongs here: rows, ratios, number formats. Does not: measuring (mondays.py).
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PLAIN = "plain job"
EVALUATION = "evaluation"


@dataclass(frozen=True)
class Measurement:
    """One process: what process_tree.Usage says of it, and seconds by stage."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    load_before: float
    stages: dict[str, float]

    @property
    def evaluation_seconds(self) -> float:
        """Seconds of the stages that evaluate."""
        return sum(taken for stage, taken in self.stages.items() if EVALUATION in stage)

    @property
    def job_seconds(self) -> float:
        """Seconds without them."""
        return self.seconds - self.evaluation_seconds


@dataclass(frozen=True)
class World:
    """A demo world, and what was measured on it, by name."""

    listeners: int
    tracks: int
    events: int
    plays: int
    seconds: float
    mondays: dict[str, Measurement]


def tables(worlds: Sequence[World]) -> str:
    """Everything, ready to paste."""
    parts = [_worlds(worlds), _whole(worlds), _ratios(worlds), "### Seconds by stage", _stages(worlds, plain=False)]
    if any(PLAIN in world.mondays for world in worlds):
        parts += ["### The plain job by stage", _stages(worlds, plain=True)]
    return "\n\n".join(parts)


def _worlds(worlds: Sequence[World]) -> str:
    lines = [f"{os.cpu_count()} cores."]
    lines += [
        f"{world.listeners:,} listeners, {world.tracks:,} tracks, {world.events:,} events, "
        f"{world.plays / world.listeners:.1f} plays a listener; the world was written in {world.seconds:.0f} s."
        for world in worlds
    ]
    return "\n".join(lines)


def _whole(worlds: Sequence[World]) -> str:
    columns = [(world, name, found) for world in worlds for name, found in world.mondays.items()]
    lines = [_row("", [f"{world.listeners:,}: {name}" for world, name, _ in columns]), _rule(len(columns))]
    figures: list[tuple[str, Callable[[World, Measurement], str]]] = [
        ("whole, seconds", lambda world, found: f"{found.seconds:.1f}"),
        ("evaluation", lambda world, found: f"{found.evaluation_seconds:.1f}" if found.evaluation_seconds else ""),
        ("whole without evaluation", lambda world, found: f"{found.job_seconds:.1f}"),
        ("listeners a second", lambda world, found: f"{world.listeners / found.job_seconds:,.0f}"),
        ("CPU seconds", lambda world, found: f"{found.cpu_seconds:.1f}"),
        ("load before", lambda world, found: f"{found.load_before:.1f}"),
        ("peak memory, GiB", lambda world, found: f"{found.peak_bytes / 2**30:.2f}"),
    ]
    lines += [_row(label, [show(world, found) for world, _, found in columns]) for label, show in figures]
    return "\n".join(lines)


def _ratios(worlds: Sequence[World]) -> str:
    """Without evaluation, which the plain job doesn't do."""
    lines = [_row("ratio, without evaluation", [f"{world.listeners:,}" for world in worlds]), _rule(len(worlds))]
    over_plain = [_over(world, "Monday 1", PLAIN) for world in worlds]
    rows = [
        ("first Monday / plain job, seconds", [_seconds(*pair) for pair in over_plain]),
        ("first Monday / plain job, CPU seconds, evaluation too", [_cpu(*pair) for pair in over_plain]),
        ("first Monday / plain job, peak memory", [_memory(*pair) for pair in over_plain]),
        ("second / first Monday, seconds", [_seconds(*_over(world, "Monday 2", "Monday 1")) for world in worlds]),
    ]
    rows += [
        (f"{name}: seconds a listener against {worlds[0].listeners:,}", _growth(worlds, name))
        for name in worlds[0].mondays
        if len(worlds) > 1
    ]
    lines += [_row(label, cells) for label, cells in rows if any(cells)]
    return "\n".join(lines)


def _over(world: World, over: str, under: str) -> tuple[Measurement | None, Measurement | None]:
    return world.mondays.get(over), world.mondays.get(under)


def _seconds(over: Measurement | None, under: Measurement | None) -> str:
    return f"{over.job_seconds / under.job_seconds:.2f}" if over and under else ""


def _cpu(over: Measurement | None, under: Measurement | None) -> str:
    return f"{over.cpu_seconds / under.cpu_seconds:.2f}" if over and under else ""


def _memory(over: Measurement | None, under: Measurement | None) -> str:
    return f"{over.peak_bytes / under.peak_bytes:.2f}" if over and under else ""


def _growth(worlds: Sequence[World], name: str) -> list[str]:
    each = [found.job_seconds / world.listeners if (found := world.mondays.get(name)) else None for world in worlds]
    first = each[0]
    return [f"{seconds / first:.2f}" if seconds and first else "" for seconds in each]


def _stages(worlds: Sequence[World], *, plain: bool) -> str:
    columns = [
        (f"{world.listeners:,}: {name}", found)
        for world in worlds
        for name, found in world.mondays.items()
        if (name == PLAIN) == plain
    ]
    stages = list(dict.fromkeys(stage for _, found in columns for stage in found.stages))
    lines = [_row("stage", [label for label, _ in columns]), _rule(len(columns))]
    lines += [
        _row(stage, [f"{found.stages[stage]:.1f}" if stage in found.stages else "" for _, found in columns])
        for stage in stages
    ]
    rest = [found.seconds - sum(found.stages.values()) for _, found in columns]
    return "\n".join([*lines, _row("starting, and between stages", [f"{seconds:.1f}" for seconds in rest])])


def _row(label: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join([label, *cells]) + " |"


def _rule(columns: int) -> str:
    return "|---" * (columns + 1) + "|"
