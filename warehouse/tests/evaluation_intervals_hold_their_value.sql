{{ config(
    tags=['marts'], severity='warn', meta={'dagster': {'ref': {'name': 'evaluation_metrics'}}}
) }}

-- A warning: an odd figure about old lists is no reason to keep new ones from listeners.

select
    protocol_id,
    model,
    segment,
    metric,
    k,
    ci_low,
    value,
    ci_high
from {{ ref('evaluation_metrics') }}
where
    value < ci_low - 1e-9
    or value > ci_high + 1e-9
    or (ci_low is null) <> (ci_high is null)
    or (metric not in ('novelty', 'gini', 'genre_kl', 'intra_list_diversity') and not value between 0 and 1)
    or (metric = 'genre_kl' and value < -1e-6)
    or (metric = 'intra_list_diversity' and not value between -1e-6 and 2)
    or value > ceiling + 1e-9
