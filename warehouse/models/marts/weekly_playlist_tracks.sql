with slots as (

    select * from {{ ref('ml_playlist_slots') }}

),

listeners as (

    select
        user_index,
        user_id,
        market
    from {{ ref('listeners') }}

),

recordings as (

    select
        recording_index,
        recording_id
    from {{ ref('recordings') }}

),

editions as (

    select
        edition_index,
        track_id,
        title,
        artist_id,
        artist_ids,
        artist_name,
        album_id,
        released_on,
        artist_index,
        list_transform(genres, lambda genre: lower(trim(genre))) as genres_lower
    from {{ ref('editions') }}

),

anchors_given as (

    select distinct
        user_index,
        anchor_recording_index
    from {{ ref('ml_playlist_slots') }}
    where anchor_recording_index is not null

),

-- One in ten of what was heard: all of it, beside slots with their text, goes to disk and back at a million listeners.
heard as (

    select heard.*
    from {{ ref('heard_tracks') }} as heard
    inner join anchors_given
        on
            heard.user_index = anchors_given.user_index
            and heard.recording_index = anchors_given.anchor_recording_index

),

playlist_texts as (

    select
        playlist_index,
        title
    from {{ ref('playlist_texts') }}

),

variants as (

    {{ lists_variants() }}

),

favourite_artists as (

    select * from {{ ref('favourite_artists') }}

),

-- Of several named genres that a track is of, the first by name. Slots are read again for it: a CTE that is used twice is
-- kept in memory whole.
named_genres as (

    select
        slots.user_index,
        slots.position,
        min(favourites.genre) as genre
    from {{ ref('ml_playlist_slots') }} as slots
    inner join editions on slots.edition_index = editions.edition_index
    inner join {{ ref('favourite_genres') }} as favourites
        on
            slots.user_index = favourites.user_index
            and list_contains(editions.genres_lower, favourites.genre)
    where slots.reason_code = 'near_what_you_named'
    group by slots.user_index, slots.position

),

joined as (

    select
        slots.*,
        listeners.user_id,
        listeners.market,
        recordings.recording_id,
        editions.track_id,
        editions.title,
        editions.artist_id,
        editions.artist_ids,
        editions.artist_name,
        editions.album_id,
        editions.released_on,
        anchors.track_id as anchor_track_id,
        anchors.title as anchor_title,
        anchors.artist_name as anchor_artist,
        playlist_texts.title as shared_playlist_title,
        case
            when favourite_artists.artist_index is not null then editions.artist_name
            else named_genres.genre
        end as named,
        variants.variant_id,
        coalesce(heard.was_saved, false) as was_saved,
        coalesce(heard.was_added, false) as was_added,
        coalesce(heard.was_liked, false) as was_liked
    from slots
    inner join listeners on slots.user_index = listeners.user_index
    left join variants on slots.user_index = variants.user_index
    inner join recordings on slots.recording_index = recordings.recording_index
    inner join editions on slots.edition_index = editions.edition_index
    left join heard
        on slots.user_index = heard.user_index and slots.anchor_recording_index = heard.recording_index
    left join editions as anchors on heard.edition_index = anchors.edition_index
    left join playlist_texts on slots.shared_playlist_index = playlist_texts.playlist_index
    left join favourite_artists
        on slots.user_index = favourite_artists.user_index and editions.artist_index = favourite_artists.artist_index
    left join named_genres
        on slots.user_index = named_genres.user_index and slots.position = named_genres.position

),

final as (

    select
        user_index,
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        user_id,
        cast(position as integer) as position,
        {{ playlist_id('user_id') }} as playlist_id,
        track_id,
        recording_id,
        title,
        artist_id,
        artist_ids,
        artist_name,
        album_id,
        released_on,
        genres,
        genres_are_guessed,
        slot_kind,
        is_refill,
        candidate_sources,
        primary_source,
        track_rung,
        is_new_artist,
        artist_prior_plays,
        popularity_percentile,
        final_score,
        contribution_collaborative,
        contribution_artist_affinity,
        contribution_text,
        contribution_audio,
        contribution_popularity,
        contribution_freshness,
        contribution_boost,
        segment,
        arm_id,
        p_arm,
        p_track,
        feasible_count,
        cast(draw_number as integer) as draw_number,
        propensity_valid,
        contribution_demand,
        contribution_genre_affinity,
        contribution_context,
        p_complete,
        p_save,
        p_skip,
        reason_code,
        {{ reason_sentence(
            'reason_code', 'anchor_title', 'anchor_artist', 'was_saved', 'was_added', 'was_liked', 'market',
            'artist_name', 'shared_playlist_title', 'named', 'reason_genre'
        ) }} as reason,
        anchor_track_id,
        variant_id
    from joined

)

select
    program_id,
    week,
    user_id,
    position,
    playlist_id,
    track_id,
    recording_id,
    title,
    artist_id,
    artist_ids,
    artist_name,
    album_id,
    released_on,
    genres,
    genres_are_guessed,
    slot_kind,
    is_refill,
    candidate_sources,
    primary_source,
    track_rung,
    is_new_artist,
    artist_prior_plays,
    popularity_percentile,
    final_score,
    contribution_collaborative,
    contribution_artist_affinity,
    contribution_text,
    contribution_audio,
    contribution_popularity,
    contribution_freshness,
    contribution_boost,
    segment,
    arm_id,
    p_arm,
    p_track,
    feasible_count,
    draw_number,
    propensity_valid,
    contribution_demand,
    contribution_genre_affinity,
    contribution_context,
    p_complete,
    p_save,
    p_skip,
    reason_code,
    reason,
    anchor_track_id,
    variant_id
from final
order by user_index, position  -- that is by user_id
