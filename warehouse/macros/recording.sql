{% macro bare_title(title) -%}
    {#- The title without what names an edition: "(Remastered 2011)", "- Deluxe Edition", "feat. X". What
        names another performance (live, remix, acoustic) stays. Symbols-only titles stay as they are. -#}
    {%- set edition = '(remaster|deluxe|edition|version|anniversary|mono|stereo|bonus|explicit|clean|radio edit|single|feat\.?\s|ft\.?\s|featuring)' -%}
    {%- set performance = '(live|remix|acoustic|instrumental|demo|karaoke|extended|session|cover|orchestra)' -%}
    {%- set lowered = "lower(strip_accents(" ~ title ~ "))" -%}
    {%- set without_brackets -%}
        case
            when regexp_matches({{ lowered }}, '[\(\[][^\)\]]*{{ performance }}[^\)\]]*[\)\]]') then {{ lowered }}
            else regexp_replace({{ lowered }}, '\s*[\(\[][^\)\]]*{{ edition }}[^\)\]]*[\)\]]', '', 'g')
        end
    {%- endset -%}
    {%- set without_dash -%}
        case
            when regexp_matches({{ without_brackets }}, '\s[-–]\s.*{{ performance }}') then {{ without_brackets }}
            else regexp_replace({{ without_brackets }}, '\s[-–]\s[^-–]*{{ edition }}.*$', '')
        end
    {%- endset -%}
    coalesce(
        nullif(trim(regexp_replace({{ without_dash }}, '[^\p{L}\p{N}]+', ' ', 'g')), ''),
        {{ lowered }}
    )
{%- endmacro %}
