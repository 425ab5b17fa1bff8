{% macro is_rehearsed_owner(owner) -%}
    {#- Whether a listener, or an owner of playlists, is among those that a rehearsal looks at: their share of a million,
        by the hash of their ids, from the environment; where that is silent, as in any run, everyone is. -#}
    {%- set share = env_var('MONDAY_MIX_LISTENER_SHARE', '') -%}
    {%- if share -%}
        {{ hash_bucket(owner, 1000000) }} < {{ share }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
