{% macro playlist_id(user_id) -%}
    '{{ var('program_id') }}:' || strftime({{ week() }}, '%Y-%m-%d') || ':' || {{ user_id }}
{%- endmacro %}


{% macro is_own_playlist(context_id) -%}
    {#- True for an id that `playlist_id` makes, of whatever program, week and listener. -#}
    coalesce(regexp_matches({{ context_id }}, '^\s*[a-z0-9_-]+:[0-9]{4}-[0-9]{2}-[0-9]{2}:'), false)
{%- endmacro %}


{% macro week_of_own_list(context_id, user_id) -%}
    {#- The Monday of the listener's own list of this program that an id names; null for every other id. -#}
    {%- set prefix = var('program_id') ~ ':' -%}
    {%- set day = "substr(trim(" ~ context_id ~ "), " ~ (prefix | length + 1) ~ ", 10)" -%}
    {#- A case of its own asks first what rules out nearly all: the rest, which makes texts, is for what is left. -#}
    case
        when contains({{ context_id }}, '{{ prefix }}') then
            case
                when trim({{ context_id }}) = '{{ prefix }}' || {{ day }} || ':' || {{ user_id }}
                    then try_cast({{ day }} as date)
            end
    end
{%- endmacro %}


{% macro outcome_window_days() -%}
    {#- Days after a list is there in which what happens is its outcome. The columns …_28d are named after it. -#}
    28
{%- endmacro %}


{% macro reason_sentence(
    reason_code, anchor_title, anchor_artist, was_saved, was_added, was_liked, market, artist_name, playlist_title, named, genre
) -%}
    {#- One sentence, from evidence that is there: the code says which evidence weighs most. -#}
    case
        when {{ reason_code }} = 'because_you_played' and {{ anchor_title }} is not null
            then
                'Because you '
                || case
                    when {{ was_saved }} then 'saved'
                    when {{ was_added }} then 'added'
                    when {{ was_liked }} then 'liked'
                    else 'play'
                end
                || ' “' || {{ anchor_title }} || '” by ' || {{ anchor_artist }}
        when {{ reason_code }} = 'sounds_like' and {{ anchor_title }} is not null
            then 'Sounds like “' || {{ anchor_title }} || '” by ' || {{ anchor_artist }}
        when {{ reason_code }} = 'on_playlists' and {{ anchor_title }} is not null and {{ playlist_title }} is not null
            then
                'Playlists called “' || {{ playlist_title }} || '” hold it beside “' || {{ anchor_title }} || '” by '
                || {{ anchor_artist }}
        when {{ reason_code }} = 'near_what_you_named' and {{ named }} is not null
            then 'Because you named ' || {{ named }} || ' as a favourite'
        when {{ reason_code }} = 'near_what_you_named' then 'Near what you named as your favourites'
        when {{ reason_code }} = 'near_your_segment' and {{ market }} is not null
            then 'Near what listeners in ' || {{ market }} || ' care for'
        when {{ reason_code }} = 'more_by_artist' then 'More by ' || {{ artist_name }} || ', whom you know'
        when {{ reason_code }} = 'your_genre' and {{ genre }} is not null
            then 'Because a lot of what you like is ' || {{ genre }}
        when {{ reason_code }} = 'new_release' then 'A new release'
        when {{ reason_code }} = 'popular_in_market' and {{ market }} is not null
            then 'Listeners in ' || {{ market }} || ' play it these weeks'
        when {{ reason_code }} in ('popular', 'popular_in_market') then 'Others listen to it'
        else 'Completes the list'
    end
{%- endmacro %}
