-- How the slots of a week are spread over the recordings: everyone's, of those with and without history, by market.

with slots as (

    select
        user_index,
        recording_index,
        is_new_artist,
        popularity_percentile
    from {{ ref('ml_playlist_slots') }}

),

listeners as (

    select
        user_index,
        market
    from {{ ref('listeners') }}

),

with_history as (

    select distinct user_index
    from {{ ref('heard_tracks') }}

),

catalogue as (

    select cast(count(*) as bigint) as recordings
    from {{ ref('recordings') }}

),

members as (

    select
        listeners.user_index,
        unnest([
            'all',
            case when with_history.user_index is null then 'without_history' else 'with_history' end,
            'market_' || listeners.market
        ]) as population
    from listeners
    left join with_history on listeners.user_index = with_history.user_index

),

listed as (

    select
        members.population,
        cast(count(*) as bigint) as slots,
        cast(count(distinct slots.user_index) as bigint) as listeners,
        count(*) filter (where slots.is_new_artist) / count(*) as new_artist_share,
        count(*) filter (
            where slots.popularity_percentile <= 1 - {{ var('evaluation_popular_share') }}
        ) / count(*) as long_tail_share
    from slots
    inner join members on slots.user_index = members.user_index
    where members.population is not null
    group by members.population

),

exposed as (

    select
        members.population,
        slots.recording_index,
        count(*) as slots
    from slots
    inner join members on slots.user_index = members.user_index
    where members.population is not null
    group by members.population, slots.recording_index

),

-- From the least exposed on; recordings that nobody is given would come before all of these and add nothing.
ranked as (

    select
        population,
        slots,
        row_number() over (partition by population order by slots, recording_index) as place,
        count(*) over (partition by population) as given
    from exposed

),

spread as (

    select
        population,
        any_value(given) as given,
        sum(cast((place - given) * slots as hugeint)) as below_the_last
    from ranked
    group by population

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        listed.population,
        listed.listeners,
        listed.slots,
        catalogue.recordings,
        cast(spread.given as bigint) as given_recordings,
        -- 2 * sum(place * slots) / (m * slots) - (m + 1) / m, where the last of m recordings has place m.
        {{ gini_coefficient('spread.below_the_last', 'listed.slots', 'catalogue.recordings') }} as gini,
        spread.given / catalogue.recordings as coverage,
        listed.long_tail_share,
        listed.new_artist_share
    from listed
    inner join spread on listed.population = spread.population
    cross join catalogue
    where
        listed.population in ('all', 'with_history', 'without_history')
        or listed.listeners >= {{ var('evaluation_fewest_listeners') }}

)

select
    program_id,
    week,
    population,
    listeners,
    slots,
    recordings,
    given_recordings,
    gini,
    coverage,
    long_tail_share,
    new_artist_share
from final
order by population
