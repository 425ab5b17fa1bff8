{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'ml_playlist_slots'}}}) }}

-- Heard in any edition, sampled or recommended too recently, blocked: these never give way.

select
    slots.user_index,
    slots.recording_index,
    exclusions.rule_id
from {{ ref('ml_playlist_slots') }} as slots
inner join {{ ref('exclusions') }} as exclusions
    on slots.user_index = exclusions.user_index and slots.recording_index = exclusions.recording_index

union all

select
    credits.user_index,
    credits.recording_index,
    'blocked_artist' as rule_id
from (
    select
        slots.user_index,
        slots.recording_index,
        unnest(editions.artist_indexes) as artist_index
    from {{ ref('ml_playlist_slots') }} as slots
    inner join {{ ref('editions') }} as editions on slots.edition_index = editions.edition_index
) as credits
inner join {{ ref('blocked_artists') }} as blocked
    on credits.user_index = blocked.user_index and credits.artist_index = blocked.artist_index

union all

select
    slots.user_index,
    slots.recording_index,
    coalesce(editions.unavailable_rule, case when editions.explicit then 'explicit' else 'market' end) as rule_id
from {{ ref('ml_playlist_slots') }} as slots
inner join {{ ref('editions') }} as editions on slots.edition_index = editions.edition_index
inner join {{ ref('listeners') }} as listeners on slots.user_index = listeners.user_index
where
    editions.unavailable_rule is not null
    or (editions.explicit and not listeners.allow_explicit)
    or (
        editions.markets is not null
        and not coalesce(list_contains(editions.markets, listeners.market), false)
        -- Where no listener states a market, the rule can't be applied to anyone.
        and exists (select 1 from {{ ref('listeners') }} as others where others.market is not null)
    )
