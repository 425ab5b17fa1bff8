"""Patterns of names and titles, by flavour of genre and by language.

Belongs here: patterns, whose {slots} name lists of words.
Does not: the words (vocabulary.py), choosing among them (names.py).
"""

from models_ml.demo_world.vocabulary import split as _split

ARTIST_PATTERNS: dict[str, tuple[str, ...]] = {
    "pop": _split("{first} {last} | {first} | {noun} {first} | {adjective} {noun} | {first} & {first}"),
    "indie": _split(
        """
        The {adjective} {noun}s | {noun} {noun} | {adjective} {place} | {place} {noun} Club | {noun}s of
        {place}
        """
    ),
    "rock": _split(
        """
        The {noun}s | {adjective} {noun}s | {place} {noun}s | {last} & the {noun}s | The {adjective}
        {last}s
        """
    ),
    "metal": _split(
        """
        {dark} {grave} | {grave} of {grave} | {dark}{bound} | Thy {dark} {grave} | {grave}bringer
        """
    ),
    "folk": _split(
        """
        {first} {last} | {first} {last} & {first} {last} | The {last} Sisters | {adjective} {bird} |
        {bird} & {noun}
        """
    ),
    "country": _split(
        """
        {first} {last} | {first} {last} & the {place} Riders | The {last} Brothers | {first} Ray {last}
        """
    ),
    "blues": _split("{nick} {first} {last} | {nick} {last} | {first} {last} Blues Band | {place} {first}"),
    "soul": _split(
        """
        {first} {last} | {first} {last} & the {adjective} {noun}s | {first} | The {adjective} Tones of
        {place}
        """
    ),
    "hip hop": _split(
        """
        {nick} {first} | Lil {noun} | {first} {last} | MC {last} | {noun} {nick} | {adjective} {noun} Crew
        """
    ),
    "jazz": _split(
        """
        {first} {last} Trio | {first} {last} Quartet | {first} {last} | {last} / {last} | {place} Jazz
        Orchestra
        """
    ),
    "classical": _split(
        """
        {first} {last} | {place} Chamber Orchestra | {last} Quartet | {place} Philharmonic | {first}
        {last} Ensemble
        """
    ),
    "ambient": _split("{soft} {noun} | {last} | {first} {last} | {soft} Fields | {place} {soft} Unit"),
    "electronic": _split(
        """
        {tech} {noun} | {first} {tech} | {noun}{bound} | {adjective} {tech} | DJ {first} {last}
        """
    ),
    "techno": _split("{tech} | {last} {code} | {tech} {code} | DJ {last} | {dark} {tech}"),
    "reggae": _split(
        """
        {first} {last} | {nick} {last} | {place} Roots | The {adjective} Upsetters of {place} | King
        {first}
        """
    ),
    "latin": _split(
        """
        {first} {last} | Los {noun}s de {place} | {first} y {first} | {nick} {first} | Orquesta {place}
        """
    ),
    "afrobeat": _split(
        """
        {first} {last} | {place} {number} | {first} {last} & {place} {number} | Orchestra {place}
        """
    ),
}

TITLE_PATTERNS: dict[str, tuple[str, ...]] = {
    "pop": _split(
        """
        {verb} Me | {adjective} Heart | {noun} | {verb} Again | Your {noun} | {adjective} Love | {time}
        {noun} | Don't {verb}
        """
    ),
    "indie": _split(
        """
        {noun} in {place} | {adjective} {noun} | {time} in {place} | Letters to {first} | {noun} & {noun}
        | How to {verb}
        """
    ),
    "rock": _split(
        """
        {verb} the {noun} | {adjective} {noun} | {noun} on Fire | {place} Nights | {verb} or {verb} | Last
        {noun}
        """
    ),
    "metal": _split(
        """
        {grave} of the {dark} | {dark} {grave} | Beneath the {grave} | {dark} Be Thy {grave} | March of
        {grave} | Throne of {grave}
        """
    ),
    "folk": _split(
        """
        The {bird} and the {noun} | {first}'s {noun} | {place} Road | Down by the {noun} | {adjective}
        {bird} | {time} Song
        """
    ),
    "country": _split(
        """
        {place} {time} | {noun} and Whiskey | Back to {place} | {first}, {verb} Me | {adjective} Truck |
        One More {noun}
        """
    ),
    "blues": _split(
        """
        {place} Blues | {adjective} {noun} Blues | {verb} Me, Baby | {time} Blues | {noun} at My Door
        """
    ),
    "soul": _split(
        """
        {verb} with Me | {adjective} Lover | {time} Love | Give Me Your {noun} | {noun} of Mine | Sweet
        {noun}
        """
    ),
    "hip hop": _split(
        """
        {noun} Talk | {place} State | No {noun} | {adjective} Money | {verb} It | {number} Bars | From
        {place}
        """
    ),
    "jazz": _split(
        """
        {place} Waltz | {time} in {place} | Blue {noun} | For {first} | {adjective} Bossa | {first}'s
        Dilemma
        """
    ),
    "classical": _split(
        """
        Nocturne No. {number} | Prelude in {key} | Sonata No. {number} in {key} | Étude, Op. {number} |
        {bird} Variations
        """
    ),
    "ambient": _split(
        """
        {soft} {noun} | {soft} {number} | {place}, {time} | Slow {noun} | {noun} Drift | Where the {noun}
        Sleeps
        """
    ),
    "electronic": _split(
        """
        {tech} {noun} | {adjective} {tech} | {time} Drive | {verb} | {tech} Love | {noun} Machine
        """
    ),
    "techno": _split("{tech} {code} | {code} | {dark} {tech} | {tech} | Phase {number} | {place} Warehouse"),
    "reggae": _split(
        """
        {verb} Up | {place} Irie | {adjective} Roots | Jah {noun} | One {noun} | {time} Riddim
        """
    ),
    "latin": _split(
        """
        {verb} Conmigo | {noun} de {place} | Noche en {place} | {first} | Mi {noun} | {time} Caliente
        """
    ),
    "afrobeat": _split(
        """
        {place} Highlife | {verb} Body | {noun} No Dey | Water & {noun} | {first} Oh | Mama {first}
        """
    ),
}

# Of songs in other languages than English, whatever their genre.
LOCAL_TITLE_PATTERNS: dict[str, tuple[str, ...]] = {
    "de": _split(
        """
        {thing} im {when} | Kein {thing} | {when} in {place} | Mein {thing} | Zwischen {thing} und {thing}
        | Für {first}
        """
    ),
    "fr": _split(
        """
        {thing} d'{when} | Sans {thing} | {when} à {place} | Mon {thing} | {thing} et {thing} | Pour
        {first}
        """
    ),
    "pt": _split(
        """
        {thing} de {when} | Sem {thing} | {when} em {place} | Meu {thing} | {thing} e {thing} | Para
        {first}
        """
    ),
    "es": _split(
        """
        {thing} de {when} | Sin {thing} | {when} en {place} | Mi {thing} | {thing} y {thing} | Para
        {first}
        """
    ),
    "sv": _split(
        """
        {thing} i {when} | Ingen {thing} | {when} i {place} | Min {thing} | {thing} och {thing} | Till
        {first}
        """
    ),
    "ja": _split(
        """
        {when}の{thing} | {thing}と{thing} | {place}の{thing} | {thing} | さよなら{thing} | {when}、{place}
        """
    ),
}

EDITIONS = _split(
    """
    {title} - Remastered {year} | {title} (Deluxe Edition) | {title} - {year} Remaster | {title} (Single
    Version) | {title} (Anniversary Edition)
    """
)
ALBUM_SUFFIXES = _split("(Deluxe Edition) | (Anniversary Edition) | (Remastered) | (Expanded Edition)")
