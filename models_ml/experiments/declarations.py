"""Declarations of experiments: two CSV files, and what is wrong with them.

Belongs here: their columns, reading them, what experiments may not do to each other. Does not: which settings a variant
may change (its caller says), who is assigned (the warehouse).
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from models_ml.errors import InputError
from models_ml.experiments.settings_text import Settings, parse_settings

BUCKETS = 10_000
METRICS = ("skip_rate", "save_rate", "completion_rate", "retention_30d", "conversion_30d")
SCOPES = ("shared", "own")
EXPERIMENTS_SCHEMA = pa.schema(
    [
        ("experiment_id", pa.string()),
        ("layer", pa.string()),
        ("first_bucket", pa.int32()),
        ("last_bucket", pa.int32()),
        ("starts_on", pa.date32()),
        ("ends_on", pa.date32()),
        ("markets", pa.string()),
        ("fewest_heard", pa.int32()),
        ("training_scope", pa.string()),
        ("planned_listeners", pa.int32()),
        ("guardrail_metrics", pa.string()),
        ("guardrail_margin", pa.float64()),
    ]
)
VARIANTS_SCHEMA = pa.schema(
    [
        ("experiment_id", pa.string()),
        ("variant_id", pa.string()),
        ("weight", pa.float64()),
        ("is_control", pa.bool_()),
        ("parameters", pa.string()),
    ]
)
_REQUIRED = ("experiment_id", "layer", "starts_on", "planned_listeners", "variant_id", "weight", "is_control")
_DEFAULTS = {
    "first_bucket": "0",
    "last_bucket": str(BUCKETS - 1),
    "fewest_heard": "0",
    "training_scope": "shared",
    "guardrail_margin": "0.02",
}
_NUMBERS = {  # lowest and highest of each
    "first_bucket": (0, BUCKETS - 1),
    "last_bucket": (0, BUCKETS - 1),
    "fewest_heard": (0, 10**9),
    "planned_listeners": (2, 10**9),
    "guardrail_margin": (0.0, 1.0),
    "weight": (0.0001, 1.0),
}
# Ids are joined with ':' and ',' where a list says which variants it was made under.
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")

Row = dict[str, Any]
Check = Callable[[Settings, str], None]


@dataclass(frozen=True)
class Declarations:
    """experiments: EXPERIMENTS_SCHEMA, by id.  variants: VARIANTS_SCHEMA, by experiment and id."""

    experiments: pa.Table
    variants: pa.Table


def read_declarations(
    experiments: tuple[str, str], variants: tuple[str, str], check: Check = lambda *_: None
) -> Declarations:
    """Both files read and held against each other.  experiments, variants: the name of the file and what is in it.

    check: raises InputError beginning with the place it is given where a variant's settings can't be.
    Raises InputError naming file, row, column and value.
    """
    source, variants_source = experiments[0], variants[0]
    declared = list(_rows(*experiments, EXPERIMENTS_SCHEMA))
    of = list(_rows(*variants, VARIANTS_SCHEMA))
    for place, row in declared:
        _require_possible(place, row)
    settings = {}
    for place, row in of:
        at = f"{place}, column parameters"
        settings[row["experiment_id"], row["variant_id"]] = parsed = parse_settings(row["parameters"], at)
        check(parsed, at)
    _require_unique(declared, ("experiment_id",))
    _require_unique(of, ("experiment_id", "variant_id"))
    _require_whole(source, variants_source, declared, of)
    _require_apart(declared, settings)
    return Declarations(
        _table([row for _, row in declared], EXPERIMENTS_SCHEMA), _table([row for _, row in of], VARIANTS_SCHEMA)
    )


def declarations_of(rows: dict[str, list[Row]]) -> Declarations:
    """From rows as `declared_rows` gives them."""
    dates = {name: dt.date.fromisoformat for name in ("starts_on", "ends_on")}
    experiments = [
        {name: dates[name](value) if name in dates and value else value for name, value in row.items()}
        for row in rows.get("experiments", [])
    ]
    return Declarations(_table(experiments, EXPERIMENTS_SCHEMA), _table(rows.get("variants", []), VARIANTS_SCHEMA))


def declared_rows(declarations: Declarations) -> dict[str, list[Row]]:
    """As plain values, dates in words."""
    plain = [
        {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()}
        for row in declarations.experiments.to_pylist()
    ]
    return {"experiments": plain, "variants": declarations.variants.to_pylist()}


def as_csv(table: pa.Table) -> str:
    """A declaration as the file it is read from."""
    text = io.StringIO()
    writer = csv.DictWriter(text, table.schema.names, lineterminator="\n")
    writer.writeheader()
    for row in table.to_pylist():
        writer.writerow({name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()})
    return text.getvalue()


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    keys = [(name, "ascending") for name in ("experiment_id", "variant_id") if name in schema.names]
    return pa.Table.from_pylist(rows, schema=schema).sort_by(keys)


def _rows(source: str, text: str, schema: pa.Schema) -> Iterator[tuple[str, Row]]:
    """(place, row) of each row, of its types.  A place is file and line."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != tuple(schema.names):
        given = ",".join(reader.fieldnames or ())
        raise InputError(f"{source}: its columns are {given!r}; they have to be {','.join(schema.names)!r}")
    for row in reader:
        place = f"{source}: row {reader.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{place}: it has to have {len(schema.names)} values, one a column")
        yield place, {field.name: _value(place, field, row[field.name].strip()) for field in schema}


def _value(place: str, field: pa.Field, text: str) -> Any:
    name, text = field.name, text or _DEFAULTS.get(field.name, "")
    where = f"{place}, column {name}: {text!r}"
    if not text and name in _REQUIRED:
        raise InputError(f"{where}; it can't be empty")
    if name in ("experiment_id", "variant_id", "layer") and not _ID.fullmatch(text):
        raise InputError(f"{where}; use lower-case letters, digits, - and _")
    if pa.types.is_date(field.type):
        return _monday(where, text) if text else None
    if pa.types.is_boolean(field.type):
        if text not in ("true", "false"):
            raise InputError(f"{where}; it has to be true or false")
        return text == "true"
    if name in _NUMBERS:
        return _number(where, name, text, int if pa.types.is_integer(field.type) else float)
    return text or None


def _monday(where: str, text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{where}; it has to be a Monday, YYYY-MM-DD") from error
    if day.weekday():
        raise InputError(f"{where}; it is a {day:%A}, and lists are made for Mondays")
    return day


def _number(where: str, name: str, text: str, kind: type) -> float:
    low, high = _NUMBERS[name]
    try:
        value: float = kind(text)
    except ValueError as error:
        raise InputError(f"{where}; it has to be {'a whole number' if kind is int else 'a number'}") from error
    if not low <= value <= high:
        raise InputError(f"{where}; it has to be from {low} to {high}")
    return value


def _require_possible(place: str, row: Row) -> None:
    """What the values of one experiment may not be together."""
    if row["last_bucket"] < row["first_bucket"]:
        raise InputError(f"{place}, column last_bucket: {row['last_bucket']}; it comes before {row['first_bucket']}")
    if row["ends_on"] is not None and row["ends_on"] < row["starts_on"]:
        raise InputError(f"{place}, column ends_on: {row['ends_on']}; it comes before {row['starts_on']}")
    if row["training_scope"] not in SCOPES:
        raise InputError(f"{place}, column training_scope: {row['training_scope']!r}; it has to be shared or own")
    for market in row["markets"].split("|") if row["markets"] else ():
        if not market or market != market.strip():
            raise InputError(f"{place}, column markets: {market!r}; give markets as DE|SE, without blanks")
    for metric in filter(None, (row["guardrail_metrics"] or "").split("|")):
        if metric not in METRICS:
            raise InputError(f"{place}, column guardrail_metrics: {metric!r}; known: {', '.join(METRICS)}")


def _require_unique(rows: list[tuple[str, Row]], names: tuple[str, ...]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for place, row in rows:
        key = tuple(row[name] for name in names)
        if key in seen:
            raise InputError(f"{place}, column {names[-1]}: {key[-1]!r} is there already, in {seen[key]}")
        seen[key] = place


def _require_whole(
    source: str, variants_source: str, declared: list[tuple[str, Row]], of: list[tuple[str, Row]]
) -> None:
    """Every variant of an experiment, and of each experiment two or more whose weights make one."""
    ids = {row["experiment_id"] for _, row in declared}
    for place, row in of:
        if row["experiment_id"] not in ids:
            raise InputError(f"{place}, column experiment_id: {row['experiment_id']!r} is not declared in {source}")
    for place, experiment in declared:
        name = experiment["experiment_id"]
        mine = [row for _, row in of if row["experiment_id"] == name]
        if len(mine) < 2:
            raise InputError(f"{place}, column experiment_id: {name!r} has {len(mine)} variants in {variants_source}")
        total = sum(row["weight"] for row in mine)
        if abs(total - 1) > 1e-6:
            raise InputError(
                f"{variants_source}: column weight: the weights of experiment {name!r} sum to {total:g}; they have to "
                "sum to 1"
            )
        controls = sum(row["is_control"] for row in mine)
        if controls != 1:
            raise InputError(
                f"{variants_source}: column is_control: experiment {name!r} has {controls} controls; it takes one"
            )


def _require_apart(declared: list[tuple[str, Row]], settings: dict[tuple[str, str], Settings]) -> None:
    """Experiments that run in the same weeks share neither listeners of a layer nor, across layers, a setting."""
    changed = {
        row["experiment_id"]: {
            f"{section}.{name}"
            for (experiment_id, _), parsed in settings.items()
            if experiment_id == row["experiment_id"]
            for section, values in parsed.items()
            for name in values
        }
        for _, row in declared
    }
    for number, (place, row) in enumerate(declared):
        for earlier_place, earlier in declared[:number]:
            if not _in_the_same_weeks(row, earlier):
                continue
            who = f"experiment {earlier['experiment_id']!r} of {earlier_place}"
            if row["layer"] == earlier["layer"]:
                _require_own_buckets(place, row, earlier, who)
                continue
            both = sorted(changed[row["experiment_id"]] & changed[earlier["experiment_id"]])
            if both:
                raise InputError(
                    f"{place}, column layer: {row['layer']!r} changes {both[0]}, and so does {who} in another layer; "
                    "experiments on one setting belong in one layer"
                )
            if row["training_scope"] == earlier["training_scope"] == "own":
                raise InputError(
                    f"{place}, column training_scope: 'own', and so has {who} in another layer; a listener can learn "
                    "from the feedback of one variant only"
                )


def _require_own_buckets(place: str, row: Row, earlier: Row, who: str) -> None:
    first = max(row["first_bucket"], earlier["first_bucket"])
    if first <= min(row["last_bucket"], earlier["last_bucket"]):
        raise InputError(
            f"{place}, column first_bucket: {row['first_bucket']}; bucket {first} of layer {row['layer']!r} is taken "
            f"by {who}"
        )


def _in_the_same_weeks(one: Row, other: Row) -> bool:
    last = dt.date.max
    return bool(one["starts_on"] <= (other["ends_on"] or last) and other["starts_on"] <= (one["ends_on"] or last))
