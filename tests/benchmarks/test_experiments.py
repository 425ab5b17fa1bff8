"""Experiments read by the SQL of the warehouse: false alarms, power, others' arithmetic."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from models_ml.experiments.power import listeners_needed, power
from tests.benchmarks.experiments import Simulation, Sql, compiled_sql, simulate

SMALL = {"experiments": 500, "listeners": 240, "weeks": 6}
# A rate seen in 500 experiments lies so far from its chance once in a thousand.
FAR = stats.norm.ppf(1 - 0.0005)


def around(chance: float, experiments: int = 500) -> float:
    return FAR * float(np.sqrt(chance * (1 - chance) / experiments))


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Sql:
    return compiled_sql(tmp_path_factory.mktemp("compiled"))


def test_without_an_effect_the_rates_are_nominal(sql: Sql) -> None:
    rates = simulate(sql, Simulation(**SMALL, seed=11))
    for metric in ("skip_rate", "retention_30d"):
        assert rates.at_the_end[metric] == pytest.approx(0.05, abs=around(0.05)), metric
        assert rates.at_any_time[metric] <= 0.05 + around(0.05), metric
    assert rates.naive["skip_rate"] > 0.05 + around(0.05), "who stops at the first small p-value is wrong too often"
    assert rates.mismatch == pytest.approx(0.05, abs=around(0.05))
    assert rates.variance_left["skip_rate"] < 0.75


def test_a_planted_effect_is_found_with_the_power_computed_for_it(sql: Sql) -> None:
    effect = 0.05
    error = simulate(sql, Simulation(**SMALL, seed=12)).standard_error["skip_rate"]
    expected = power(effect, error)
    assert 0.5 < expected < 0.95
    rates = simulate(sql, Simulation(**SMALL, effect=effect, seed=13))
    assert rates.at_the_end["skip_rate"] == pytest.approx(expected, abs=2 * around(expected))


def test_a_variant_that_loses_listeners_shows_in_the_sample_ratio(sql: Sql) -> None:
    rates = simulate(sql, Simulation(experiments=100, listeners=600, weeks=1, loss=0.25, seed=14))
    assert rates.mismatch > 0.8


def test_listeners_needed_have_the_power_they_are_needed_for() -> None:
    needed = listeners_needed(0.02, 0.2, chance=0.8, covariate_correlation=0.5)
    error = 0.2 * np.sqrt(0.75 * 4 / needed)
    assert power(0.02, error) == pytest.approx(0.8, abs=0.001)
    assert power(0.0, error) == pytest.approx(0.05)


def test_a_hundred_thousand_listeners_fill_buckets_evenly_and_layers_know_nothing_of_each_other(sql: Sql) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table placed as
            select
                user_id,
                max(case when layer = 'lists' then bucket end) as lists,
                max(case when layer = 'rules' then bucket end) as rules,
                max(variant) as variant
            from (
                select *, {sql.layer_bucket} as bucket, {sql.variant_bucket} as variant
                from (select 'u' || range as user_id, 'explore' as experiment_id from range(100000)) as users
                cross join (values ('lists'), ('rules')) as layers (layer)
            ) as hashed
            group by user_id
            """
        )
        counts = [
            connection.execute(
                f"select count(*) from placed group by {column} // 100 order by {column} // 100"
            ).fetchnumpy()
            for column in ("lists", "rules", "variant")
        ]
        lists, rules, variant = connection.execute("select lists, rules, variant from placed").fetchnumpy().values()
    for found in counts:
        (bins,) = found.values()
        assert len(bins) == 100
        assert stats.chisquare(bins).pvalue > 0.001
    for one, other in ((lists, rules), (lists, variant), (rules, variant)):
        table = np.histogram2d(one // 1000, other // 1000, bins=10)[0]
        assert stats.chi2_contingency(table).pvalue > 0.001
    assert lists.min() == 0
    assert lists.max() == 9999


def test_the_arithmetic_is_what_others_compute(sql: Sql) -> None:
    random = np.random.default_rng(4)
    before = random.normal(3.0, 1.0, 900)
    value = 0.1 * before + random.normal(0.0, 0.2, 900) + np.repeat([0.0, 0.05, 0.1], 300)
    variant = np.repeat(["a", "b", "c"], 300)
    missing = random.random(900) < 0.1
    with duckdb.connect() as connection:
        rows = pa.table(
            {
                "experiment_id": ["x"] * 900,
                "variant_id": variant,
                "user_index": np.arange(900),
                "metric": ["skip_rate"] * 900,
                "value": value,
                "covariate": pa.array(before, mask=missing),
                "exposed_at": pa.array([0] * 900, pa.timestamp("us")),
                "delivered_at": pa.array([0] * 900, pa.timestamp("us")),
            }
        )
        connection.register("int_variant_observations", rows)
        connection.register("variant_exposures", rows)
        connection.execute(
            """
            create table stg_experiments as
            select
                'x' as experiment_id, 600 as planned_listeners, ['skip_rate'] as guardrail_metrics,
                0.02::double as guardrail_margin;
            create table stg_experiment_variants as
            select 'x' as experiment_id, variant_id, weight::double as weight, variant_id = 'a' as is_control
            from (values ('a', 0.3), ('b', 0.3), ('c', 0.4)) as variants (variant_id, weight)
            """
        )
        found = connection.execute(f"select * from ({sql.statistics}) as s where metric = 'skip_rate'").to_arrow_table()
    result = {row["variant_id"]: row for row in found.to_pylist()}
    x = np.where(missing, 0.0, before - before[~missing].mean())
    groups = [variant == name for name in "abc"]
    slope = sum(np.cov(x[g], value[g])[0, 1] for g in groups) / sum(np.var(x[g], ddof=1) for g in groups)
    adjusted = value - slope * x
    error = np.sqrt(np.var(adjusted[groups[1]], ddof=1) / 300 + np.var(adjusted[groups[0]], ddof=1) / 300)
    lift = adjusted[groups[1]].mean() - adjusted[groups[0]].mean()
    assert result["b"]["lift"] == pytest.approx(lift, abs=1e-7)
    assert result["b"]["standard_error"] == pytest.approx(error, rel=1e-6)
    assert result["b"]["p_value"] == pytest.approx(2 * stats.norm.sf(abs(lift) / error), abs=1e-6)
    # Tightest where planned: rho^2 t = -2 ln alpha + ln(1 - 2 ln alpha).
    mixture = -2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))
    half = error * np.sqrt((1 + 1 / mixture) * (2 * np.log(np.sqrt(1 + mixture) / 0.05)))
    assert result["b"]["ci_low"] == pytest.approx(lift - half, abs=1e-7)
    assert result["b"]["ci_high"] == pytest.approx(lift + half, abs=1e-7)
    assert result["c"]["guardrail_status"] == "harmed"
    assert result["a"]["sample_ratio_p"] == pytest.approx(stats.chisquare([300] * 3, [270, 270, 360]).pvalue, rel=1e-6)


def test_tails_of_chi_square_are_those_of_the_tables(sql: Sql) -> None:
    places = np.meshgrid([0.01, 0.5, 1.0, 3.84, 6.63, 10.83, 20.0, 60.0], [1, 2, 3, 5, 9])
    statistics, degrees = places[0].ravel(), places[1].ravel()
    rows = pa.table({"statistic": statistics, "degrees": degrees})
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        found = connection.execute(f"select {sql.chi_square_p} as p from rows").fetchnumpy()["p"]
    expected, exact = stats.chi2.sf(statistics, degrees), degrees <= 2
    np.testing.assert_allclose(found[exact], expected[exact], atol=2e-7)
    np.testing.assert_allclose(found[~exact], expected[~exact], atol=4e-3)
