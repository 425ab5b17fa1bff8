{% macro bare_title(title) -%}
    {#- The title without what names an edition: "(Remastered 2011)", "- Deluxe Edition", "feat. X". What
        names another performance (live, remix, acoustic) stays. Symbols-only titles stay as they are.
        Marks go where they are accents, or written by some and left out by others (Latin, Greek, Arabic, Hebrew, the
        Russian ё): in other scripts they tell letters apart. Each pair of brackets is judged by itself: those of a
        performance are opened before those of an edition are taken out. -#}
    {%- set words = 'remaster\\w*|single (mix|edit|version)|deluxe|editions?|versions?|anniversary|mono|stereo|bonus|explicit|clean|radio edit' -%}
    {%- set edition = '\\b((' ~ words ~ ')\\b|(feat|ft|featuring)\\.?\\s)' -%}
    {%- set performance -%}
        \b(live|remix(ed|es)?|acoustic|instrumental|demos?|karaoke|extended|sessions?|covers?|covered|orchestral?)\b
    {%- endset -%}
    {%- set written = "replace(lower(nfc_normalize(" ~ title ~ ")), 'ё', 'е')" -%}
    {%- set lowered -%}
        case
            when regexp_full_match({{ written }}, '[\p{Latin}\p{Greek}\p{Arabic}\p{Hebrew}\p{Common}\p{Inherited}]*') then strip_accents({{ written }})
            else {{ written }}
        end
    {%- endset -%}
    {%- set opened -%}
        regexp_replace({{ lowered }}, '[\(\[]([^\)\]]*{{ performance }}[^\)\]]*)[\)\]]', ' \1 ', 'g')
    {%- endset -%}
    {%- set without_brackets -%}
        regexp_replace({{ opened }}, '\s*[\(\[]([^\)\]]*{{ edition }}[^\)\]]*|[^\)\]]*\bsingle\s*)[\)\]]', '', 'g')
    {%- endset -%}
    {%- set without_dash -%}
        case
            when not regexp_matches({{ without_brackets }}, '\s[-–]\s.*{{ performance }}')
                then regexp_replace({{ without_brackets }}, '\s[-–]\s([^-–]*{{ edition }}.*|[^-–]*\bsingle\s*)$', '')
            when regexp_matches({{ without_brackets }}, '\s[-–]\s[^-–]*{{ performance }}[^-–]*$')
                then {{ without_brackets }}
            else regexp_replace({{ without_brackets }}, '\s[-–]\s[^-–]*{{ edition }}[^-–]*$', '')
        end
    {%- endset -%}
    coalesce(
        nullif(trim(regexp_replace({{ without_dash }}, '[^\p{L}\p{M}\p{N}]+', ' ', 'g')), ''),
        {{ lowered }}
    )
{%- endmacro %}
