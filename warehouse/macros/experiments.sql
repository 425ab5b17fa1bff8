{# Experiments: who is in them, and what their results say. Unit tests stand beside assigned_variants and
   variant_statistics. #}

{% macro buckets() -%}
    {#- Parts of a layer, and of an experiment: shares go by hundredths of a percent. -#}
    10000
{%- endmacro %}


{% macro layer_bucket(layer, user_id) -%}
    {#- Where a listener stands in a layer. Experiments of one layer have buckets of their own, so that nobody is in two. -#}
    {{ hash_bucket(layer ~ " || ':' || " ~ user_id, buckets()) }}
{%- endmacro %}


{% macro variant_bucket(experiment_id, user_id) -%}
    {#- Where a listener stands in an experiment; salted by it, so that neighbours in one are strangers in the next. -#}
    {{ hash_bucket("'variant:' || " ~ experiment_id ~ " || ':' || " ~ user_id, buckets()) }}
{%- endmacro %}


{% macro is_running(starts_on, ends_on, day) -%}
    {#- From its first Monday to its last. -#}
    ({{ day }} >= {{ starts_on }} and {{ day }} <= coalesce({{ ends_on }}, date '9999-12-31'))
{%- endmacro %}


{% macro lists_variants() -%}
    {#- One row per listener in a running experiment: variant_id, every one of theirs as experiment:variant. -#}
    select
        user_index,
        string_agg(experiment_id || ':' || variant_id, ',' order by experiment_id) as variant_id
    from {{ ref('assigned_variants') }}
    where is_running
    group by user_index
{%- endmacro %}


{% macro exact(amount) -%}
    {#- DECIMAL, so that sums don't depend on order; a billionth is far below what a metric is read to. -#}
    cast({{ amount }} as decimal(18, 9))
{%- endmacro %}


{% macro complementary_error(x) -%}
    {#- erfc(x) for x >= 0, to 1.5e-7: Abramowitz and Stegun 7.1.26. -#}
    (
        (
            0.254829592 / (1 + 0.3275911 * ({{ x }}))
            - 0.284496736 / pow(1 + 0.3275911 * ({{ x }}), 2)
            + 1.421413741 / pow(1 + 0.3275911 * ({{ x }}), 3)
            - 1.453152027 / pow(1 + 0.3275911 * ({{ x }}), 4)
            + 1.061405429 / pow(1 + 0.3275911 * ({{ x }}), 5)
        ) * exp(-least(({{ x }}) * ({{ x }}), 700))
    )
{%- endmacro %}


{% macro two_sided_p(z) -%}
    {#- Chance of a standard normal at least so far from 0; null of null, which least() would make 1. -#}
    case when {{ z }} is not null then least({{ complementary_error("abs(" ~ z ~ ") / sqrt(2.0)") }}, 1.0) end
{%- endmacro %}


{% macro chi_square_p(statistic, degrees) -%}
    {#- Upper tail of chi-square: exact for one and two degrees, else Wilson and Hilferty's cube root. -#}
    {%- set cube -%}
        (pow({{ statistic }} / {{ degrees }}, 1.0 / 3) - (1 - 2.0 / (9 * {{ degrees }}))) / sqrt(2.0 / (9 * {{ degrees }}))
    {%- endset -%}
    case
        when {{ degrees }} = 1 then {{ two_sided_p("sqrt(" ~ statistic ~ ")") }}
        when {{ degrees }} = 2 then exp(-{{ statistic }} / 2)
        when {{ cube }} >= 0 then {{ two_sided_p(cube) }} / 2
        else 1 - {{ two_sided_p(cube) }} / 2
    end
{%- endmacro %}


{% macro always_valid_factor(listeners, planned_listeners) -%}
    {#- Times the standard error: half the width of an interval that holds in every week it is looked at, not in one
        chosen beforehand. Asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021),
        theorem 2.2, the boundary of Robbins' normal mixture, tightest with the planned number of listeners:
        rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / planned. -#}
    {%- set alpha = var('experiments_alpha') | float -%}
    {%- set mixture -%}
        ((-2 * ln({{ alpha }}) + ln(1 - 2 * ln({{ alpha }}))) * ({{ listeners }}) / {{ planned_listeners }})
    {%- endset -%}
    sqrt((1 + 1 / {{ mixture }}) * (-2 * ln({{ alpha }}) + ln(1 + {{ mixture }})))
{%- endmacro %}


{% macro metric_names() -%}
    {{ return(['skip_rate', 'save_rate', 'completion_rate', 'retention_30d', 'conversion_30d']) }}
{%- endmacro %}


{% macro guardrail_status(is_guardrail, is_low_good, ci_low, ci_high, margin) -%}
    {#- harmed: the whole interval lies on the bad side of zero. safe: it ends before the margin. -#}
    case
        when not {{ is_guardrail }} then null
        when {{ ci_low }} is null then 'undecided'
        when case when {{ is_low_good }} then {{ ci_low }} > 0 else {{ ci_high }} < 0 end then 'harmed'
        when case when {{ is_low_good }} then {{ ci_high }} < {{ margin }} else {{ ci_low }} > -{{ margin }} end then 'safe'
        else 'undecided'
    end
{%- endmacro %}
