"""Experiments as the warehouse reads them: how often it sees what isn't there, and how often what is.

Run: .venv/bin/python -m tests.benchmarks.experiments        (--experiments, --listeners, --weeks for less of it)
Belongs here: simulated listeners, many experiments read at once by the SQL of the warehouse, the table of rates.
Does not: that SQL, what the closed loop gives (experiment_loop.py).

Listeners differ in how much they skip and whether they stay, come over the weeks, and reach a few slots a week; what
they did in the four weeks before comes from the same habits. Each week all experiments are read by what dbt compiles of
variant_statistics; variants come from what it compiles of the assignment.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from models_ml.arrays import Floats, Ints
from models_ml.experiments.power import power
from tests.compiled import compiled

METRICS = ("skip_rate", "retention_30d")
MONTH_WEEKS = 5  # until 30 days are over


@dataclass(frozen=True)
class Simulation:
    """weeks: read each.  effect: on the variant's chance of a skip.  loss: share of its listeners who never come."""

    experiments: int = 500
    listeners: int = 2_000
    weeks: int = 8
    effect: float = 0.0
    loss: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Rates:
    """Shares of experiments, by metric where it is one.

    at_the_end: p_value below 5 % in the last week.  at_any_time: the interval left zero out in some week.
    naive: p_value below 5 % in some week.  mismatch: sample_ratio_p below 5 % in the last week.
    standard_error: in the last week, mean.  variance_left: by what was done before, mean.
    """

    at_the_end: dict[str, float]
    at_any_time: dict[str, float]
    naive: dict[str, float]
    mismatch: float
    standard_error: dict[str, float]
    variance_left: dict[str, float]


@dataclass(frozen=True)
class Sql:
    """What dbt compiles.

    layer_bucket: of layer and user_id.  variant_bucket: of experiment_id and user_id.  chi_square_p: of statistic and
    degrees.  statistics: the model variant_statistics.
    """

    layer_bucket: str
    variant_bucket: str
    chi_square_p: str
    statistics: str


# One call of dbt: each costs seconds.
_FORMULAS = (
    "{{ layer_bucket('layer', 'user_id') }} ; {{ variant_bucket('experiment_id', 'user_id') }} ; "
    "{{ chi_square_p('statistic', 'degrees') }}"
)


def compiled_sql(folder: Path) -> Sql:
    """The formulas of the warehouse.  folder: to work in."""
    layer_bucket, variant_bucket, chi_square_p = compiled(folder, inline=_FORMULAS).split(";")
    return Sql(layer_bucket, variant_bucket, chi_square_p, compiled(folder, model="variant_statistics"))


def simulate(sql: Sql, simulation: Simulation) -> Rates:
    """All experiments, week by week."""
    with duckdb.connect() as connection:
        _declare(connection, simulation)
        people = _people(connection, sql, simulation)
        looks = [_look(connection, sql, simulation, people, week) for week in range(1, simulation.weeks + 1)]
        connection.register("looks", pa.concat_tables(looks))
        rows = connection.execute(
            """
            select
                metric,
                avg(at_the_end), avg(at_any_time), avg(naive), avg(mismatch), avg(standard_error), avg(variance_left)
            from (
                select
                    experiment_id, metric,
                    arg_max(p_value < 0.05, week)::int as at_the_end,
                    bool_or(ci_low > 0 or ci_high < 0)::int as at_any_time,
                    bool_or(p_value < 0.05)::int as naive,
                    arg_max(sample_ratio_p < 0.05, week)::int as mismatch,
                    arg_max(standard_error, week) as standard_error,
                    arg_max(variance_left, week) as variance_left
                from looks
                where not is_control and standard_error is not null
                group by experiment_id, metric
            ) as by_experiment
            group by metric
            """
        ).fetchall()
    at_the_end, at_any_time, naive, mismatch, error, left = (
        {row[0]: float(row[place]) for row in rows} for place in range(1, 7)
    )
    return Rates(at_the_end, at_any_time, naive, mismatch["skip_rate"], error, left)


@dataclass(frozen=True)
class People:
    """A row per experiment and listener.

    ids: experiment_id, user_id and variant_id.  arrives: week of the first list.  skips, stays: chances.
    """

    ids: pa.Table
    arrives: Ints
    skips: Floats
    stays: Floats
    before_skips: Floats
    before_days: Ints
    random: np.random.Generator


def _declare(connection: duckdb.DuckDBPyConnection, simulation: Simulation) -> None:
    connection.execute(
        f"""
        create table stg_experiments as
        select
            'x' || range as experiment_id, {simulation.listeners} as planned_listeners,
            ['retention_30d'] as guardrail_metrics, 0.02::double as guardrail_margin
        from range({simulation.experiments});
        create table stg_experiment_variants as
        select experiment_id, variant_id, 0.5::double as weight, variant_id = 'a' as is_control
        from stg_experiments cross join (values ('a'), ('b')) as variants (variant_id);
        """
    )


def _people(connection: duckdb.DuckDBPyConnection, sql: Sql, simulation: Simulation) -> People:
    ids = connection.execute(
        f"""
        select experiment_id, user_id, case when bucket < 5000 then 'a' else 'b' end as variant_id
        from (
            select experiment_id, user_id, {sql.variant_bucket} as bucket
            from (
                select 'x' || x.range as experiment_id, 's{simulation.seed}-' || x.range || '-' || u.range as user_id
                from range({simulation.experiments}) as x cross join range({simulation.listeners}) as u
            ) as people
        ) as placed
        order by experiment_id, user_id
        """
    ).to_arrow_table()
    random = np.random.default_rng(simulation.seed)
    is_b = np.asarray(ids["variant_id"].to_numpy() == "b")
    stays_away = is_b & (random.random(len(ids)) < simulation.loss)
    kept = np.flatnonzero(~stays_away)
    ids, is_b = ids.take(pa.array(kept)), is_b[kept]
    habit = random.beta(2.0, 4.0, len(ids))
    stays = random.beta(3.0, 1.5, len(ids))
    plays = random.poisson(random.gamma(2.0, 10.0, len(ids)))
    before = np.where(plays > 0, random.binomial(plays, habit) / np.maximum(plays, 1), np.nan)
    return People(
        ids=ids,
        arrives=random.integers(0, max(simulation.weeks // 2, 1), len(ids)),
        skips=np.clip(habit + simulation.effect * is_b, 0, 1),
        stays=stays,
        before_skips=before,
        before_days=random.binomial(28, stays),
        random=np.random.default_rng([simulation.seed, 1]),
    )


def _look(
    connection: duckdb.DuckDBPyConnection, sql: Sql, simulation: Simulation, people: People, week: int
) -> pa.Table:
    """Results as read after so many weeks; what happened in earlier ones stays."""
    random = np.random.default_rng([simulation.seed, 2])
    reached, skipped = np.zeros(len(people.skips)), np.zeros(len(people.skips))
    for number in range(week):
        slots = random.poisson(6.0, len(people.skips)) * (people.arrives <= number)
        reached += slots
        skipped += random.binomial(slots, people.skips)
    returned = np.random.default_rng([simulation.seed, 3]).random(len(people.stays)) < people.stays
    exposed = reached > 0
    for_a_month = exposed & (people.arrives + MONTH_WEEKS <= week)
    index = pa.array(np.arange(len(exposed)))
    told = people.ids.append_column("user_index", index)
    moment = pa.array(np.where(exposed, np.datetime64("2026-11-23", "us"), np.datetime64("NaT", "us")))
    rate = skipped / np.maximum(reached, 1)
    observed = pa.concat_tables(
        [
            _observed(told, "skip_rate", rate, people.before_skips, exposed),
            _observed(told, "retention_30d", returned.astype(float), people.before_days.astype(float), for_a_month),
        ]
    )
    views = {
        "variant_exposures": told.append_column("delivered_at", moment).append_column("exposed_at", moment),
        "int_variant_observations": observed,
    }
    for name, rows in views.items():
        connection.register(name, rows)
    return connection.execute(f"select {week} as week, * from ({sql.statistics}) as statistics").to_arrow_table()


def _observed(told: pa.Table, metric: str, value: Floats, covariate: Floats, there: np.ndarray) -> pa.Table:
    """Rows of int_variant_observations."""
    columns = {
        "metric": pa.array([metric] * len(value)),
        "value": pa.array(value),
        "covariate": pa.array(covariate, mask=np.isnan(covariate)),
    }
    for name, column in columns.items():
        told = told.append_column(name, column)
    return told.filter(pa.array(there))


def main() -> None:
    """Without an effect, with one, and with listeners that one variant loses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--experiments", type=int, default=500)
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--effect", type=float, default=0.02)
    parser.add_argument("--loss", type=float, default=0.1)
    options = parser.parse_args()
    size = options.experiments, options.listeners, options.weeks
    with tempfile.TemporaryDirectory(prefix="experiments_") as folder:
        sql = compiled_sql(Path(folder))
        nothing = simulate(sql, Simulation(*size, seed=1))
        planted = simulate(sql, Simulation(*size, effect=options.effect, seed=2))
        losing = simulate(sql, Simulation(*size, loss=options.loss, seed=3))
    print("| of the experiments | no effect | planted | one variant loses listeners |\n|---|---|---|---|")
    for metric in METRICS:
        for name in ("at_the_end", "at_any_time", "naive", "standard_error", "variance_left"):
            told = [f"{getattr(rates, name)[metric]:.4f}" for rates in (nothing, planted, losing)]
            print(f"| {metric}: {name} | {' | '.join(told)} |")
    print(f"| sample ratio below 5 % | {nothing.mismatch:.4f} | {planted.mismatch:.4f} | {losing.mismatch:.4f} |")
    print(f"\npower computed before: {power(options.effect, nothing.standard_error['skip_rate']):.4f}")


if __name__ == "__main__":
    main()
