"""The words that names and titles are made of, by flavour of genre and by language.

Belongs here: patterns and word lists.
Does not: choosing among them (names.py).
"""

# A pattern's {slots} name word lists below; {first} {last} and {place} go by the artist's language.
ARTIST_PATTERNS: dict[str, tuple[str, ...]] = {
    "pop": ("{first} {last}", "{first}", "{noun} {first}", "{adjective} {noun}", "{first} & {first}"),
    "indie": ("The {adjective} {noun}s", "{noun} {noun}", "{adjective} {place}", "{place} {noun} Club", "{noun}s of {place}"),
    "rock": ("The {noun}s", "{adjective} {noun}s", "{place} {noun}s", "{last} & the {noun}s", "The {adjective} {last}s"),
    "metal": ("{dark} {grave}", "{grave} of {grave}", "{dark}{bound}", "Thy {dark} {grave}", "{grave}bringer"),
    "folk": ("{first} {last}", "{first} {last} & {first} {last}", "The {last} Sisters", "{adjective} {bird}", "{bird} & {noun}"),
    "country": ("{first} {last}", "{first} {last} & the {place} Riders", "The {last} Brothers", "{first} Ray {last}"),
    "blues": ("{nick} {first} {last}", "{nick} {last}", "{first} {last} Blues Band", "{place} {first}"),
    "soul": ("{first} {last}", "{first} {last} & the {adjective} {noun}s", "{first}", "The {adjective} Tones of {place}"),
    "hip hop": ("{nick} {first}", "Lil {noun}", "{first} {last}", "MC {last}", "{noun} {nick}", "{adjective} {noun} Crew"),
    "jazz": ("{first} {last} Trio", "{first} {last} Quartet", "{first} {last}", "{last} / {last}", "{place} Jazz Orchestra"),
    "classical": ("{first} {last}", "{place} Chamber Orchestra", "{last} Quartet", "{place} Philharmonic", "{first} {last} Ensemble"),
    "ambient": ("{soft} {noun}", "{last}", "{first} {last}", "{soft} Fields", "{place} {soft} Unit"),
    "electronic": ("{tech} {noun}", "{first} {tech}", "{noun}{bound}", "{adjective} {tech}", "DJ {first} {last}"),
    "techno": ("{tech}", "{last} {code}", "{tech} {code}", "DJ {last}", "{dark} {tech}"),
    "reggae": ("{first} {last}", "{nick} {last}", "{place} Roots", "The {adjective} Upsetters of {place}", "King {first}"),
    "latin": ("{first} {last}", "Los {noun}s de {place}", "{first} y {first}", "{nick} {first}", "Orquesta {place}"),
    "afrobeat": ("{first} {last}", "{place} {number}", "{first} {last} & {place} {number}", "Orchestra {place}"),
}

TITLE_PATTERNS: dict[str, tuple[str, ...]] = {
    "pop": ("{verb} Me", "{adjective} Heart", "{noun}", "{verb} Again", "Your {noun}", "{adjective} Love", "{time} {noun}", "Don't {verb}"),
    "indie": ("{noun} in {place}", "{adjective} {noun}", "{time} in {place}", "Letters to {first}", "{noun} & {noun}", "How to {verb}"),
    "rock": ("{verb} the {noun}", "{adjective} {noun}", "{noun} on Fire", "{place} Nights", "{verb} or {verb}", "Last {noun}"),
    "metal": ("{grave} of the {dark}", "{dark} {grave}", "Beneath the {grave}", "{dark} Be Thy {grave}", "March of {grave}", "Throne of {grave}"),
    "folk": ("The {bird} and the {noun}", "{first}'s {noun}", "{place} Road", "Down by the {noun}", "{adjective} {bird}", "{time} Song"),
    "country": ("{place} {time}", "{noun} and Whiskey", "Back to {place}", "{first}, {verb} Me", "{adjective} Truck", "One More {noun}"),
    "blues": ("{place} Blues", "{adjective} {noun} Blues", "{verb} Me, Baby", "{time} Blues", "{noun} at My Door"),
    "soul": ("{verb} with Me", "{adjective} Lover", "{time} Love", "Give Me Your {noun}", "{noun} of Mine", "Sweet {noun}"),
    "hip hop": ("{noun} Talk", "{place} State", "No {noun}", "{adjective} Money", "{verb} It", "{number} Bars", "From {place}"),
    "jazz": ("{place} Waltz", "{time} in {place}", "Blue {noun}", "For {first}", "{adjective} Bossa", "{first}'s Dilemma"),
    "classical": ("Nocturne No. {number}", "Prelude in {key}", "Sonata No. {number} in {key}", "Étude, Op. {number}", "{bird} Variations"),
    "ambient": ("{soft} {noun}", "{soft} {number}", "{place}, {time}", "Slow {noun}", "{noun} Drift", "Where the {noun} Sleeps"),
    "electronic": ("{tech} {noun}", "{adjective} {tech}", "{time} Drive", "{verb}", "{tech} Love", "{noun} Machine"),
    "techno": ("{tech} {code}", "{code}", "{dark} {tech}", "{tech}", "Phase {number}", "{place} Warehouse"),
    "reggae": ("{verb} Up", "{place} Irie", "{adjective} Roots", "Jah {noun}", "One {noun}", "{time} Riddim"),
    "latin": ("{verb} Conmigo", "{noun} de {place}", "Noche en {place}", "{first}", "Mi {noun}", "{time} Caliente"),
    "afrobeat": ("{place} Highlife", "{verb} Body", "{noun} No Dey", "Water & {noun}", "{first} Oh", "Mama {first}"),
}

WORDS: dict[str, tuple[str, ...]] = {
    "noun": tuple(
        "River Window Mirror Engine Garden Satellite Winter Fever Harbour Lantern Circus Paper Signal Ocean Velvet "
        "Thunder Shadow Sugar Diamond Horizon Static Ghost Ember Rocket Feather Valley Ladder Machine Orchard "
        "Compass Tiger Mountain Candle Stranger Pilot Island Bridge Desert Carousel Magnet Anchor Balloon Cathedral "
        "Comet Pocket Needle Parade Silver Telescope Umbrella Wolf Arrow Curtain Market Kingdom".split()
    ),
    "adjective": tuple(
        "Golden Broken Silent Electric Hollow Wild Crooked Lonely Burning Gentle Restless Northern Faded Neon Distant "
        "Sleepless Reckless Tender Bitter Crystal Endless Foreign Half-Lit Honest Lucky Painted Quiet Rusty Second "
        "Shallow Slow Sudden Tall Unkind Weightless Young Borrowed Careless Early".split()
    ),
    "verb": tuple(
        "Hold Follow Forget Carry Call Leave Remember Believe Catch Wake Find Lose Save Chase Shake Trust Wait Fall "
        "Burn Run Stay Move Dream Whisper Breathe".split()
    ),
    "time": ("Midnight", "Sunday", "Monday", "Dawn", "October", "Summer", "Tonight", "Yesterday", "Noon", "December", "Friday"),
    "dark": tuple("Black Crimson Frozen Iron Infernal Ashen Blighted Eternal Forsaken Rotten Savage Pale Hollow Obsidian".split()),
    "grave": tuple("Throne Abyss Plague Crypt Serpent Wrath Oblivion Sorrow Altar Blood Ruin Tomb Raven Torment Winter Hammer".split()),
    "bound": ("bound", "fall", "forge", "storm", "lux", "form", "wave", "field", "core", "line"),
    "bird": tuple("Sparrow Heron Wren Swallow Magpie Nightingale Starling Owl Lark Kestrel Finch Robin Crane Thrush".split()),
    "soft": tuple("Drifting Pale Floating Distant Hushed Still Weightless Glass Vapour Lunar Northern Submerged Slow".split()),
    "tech": tuple("Vector Modul Analog Kinetik Subrosa Oxide Reflex Array Tensor Hertz Voltage Relay Phase Circuit Delta Pulse Binary".split()),
    "code": ("01", "303", "4x4", "909", "A7", "B-Side", "K12", "IX", "Null", "R/W", "X", "22.5", "N+1", "707"),
    "nick": tuple("Big Slim Lucky Young Smokey Blind Sweet Fast Papa Lady Old Little Kid Doc".split()),
    "number": tuple(str(number) for number in range(2, 48)),
    "key": ("C Minor", "D Major", "E-Flat Major", "F-Sharp Minor", "G Major", "A Minor", "B-Flat Minor", "E Minor"),
}

# Words that go by language: names of people and places, and titles of songs sung in it.
FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "en": tuple("Ada Callum Della Ezra Faye Gideon Hattie Isaac June Kit Lena Miles Nora Otis Pearl Quinn Rosa Silas Thea Wyatt Maeve Jonah".split()),
    "de": tuple("Anke Bruno Clara Dieter Elke Falk Greta Henrik Ilse Jonas Käthe Lukas Mieke Nils Svea Uwe".split()),
    "fr": tuple("Amélie Bastien Céline Damien Élodie Fabrice Hélène Julien Lucie Mathis Noémie Océane Théo Zoé".split()),
    "pt": tuple("Adriana Bento Caetana Davi Elis Flávio Inês João Luísa Marisa Nando Tião Vitória".split()),
    "es": tuple("Alma Benito Carmen Diego Esperanza Fermín Inés Joaquín Lupita Marisol Natalia Rafael Ximena".split()),
    "sv": tuple("Astrid Björn Ebba Gustav Ingrid Kerstin Lennart Maja Oskar Siri Tove Åke".split()),
    "ja": tuple("Aiko Daichi Emi Haruki Kaori Kenji Mika Naoko Ren Sora Takeshi Yuki 翔太 美咲 陽菜".split()),
}
LAST_NAMES: dict[str, tuple[str, ...]] = {
    "en": tuple("Abbott Blackwood Calloway Dunmore Everhart Fairchild Grady Holloway Ives Jessup Kessler Lockhart Marlowe Nightly Oakes Prescott Rutledge Sterling Tolliver Vance Whitlock Yardley".split()),
    "de": tuple("Achterberg Brandt Dörfler Engelhardt Falkner Grünwald Hagen Kirchner Lindner Möwes Reuter Seidel Vogt Zander".split()),
    "fr": tuple("Aubert Beaumont Chevalier Delacour Fontaine Garnier Lemaire Marchand Noiret Perrault Rivière Vasseur".split()),
    "pt": tuple("Almeida Barros Cardoso Duarte Figueira Gouveia Moraes Nogueira Pires Ribeiro Salgado Teixeira".split()),
    "es": tuple("Aguilar Bravo Cisneros Delgado Fuentes Herrera Montoya Navarro Ortega Quiroga Salinas Vega".split()),
    "sv": tuple("Ahlgren Bergström Dahlin Ekdahl Forsberg Hedlund Lindqvist Nyström Sjögren Åkesson".split()),
    "ja": tuple("Arakawa Fujimori Hayashida Ishikura Kurosawa Minami Nakahara Okabe Shirai Tachibana 山本 佐藤".split()),
}
PLACES: dict[str, tuple[str, ...]] = {
    "en": tuple("Memphis Brighton Tulsa Glasgow Savannah Detroit Bristol Oakland Leeds Austin Marfa Portland Hull Reno Cardiff".split()),
    "de": tuple("Berlin Leipzig Köln Hamburg Bremen Dresden Kassel Lübeck Zwickau".split()),
    "fr": tuple("Marseille Lyon Nantes Paris Lille Rennes Toulouse Brest".split()),
    "pt": tuple("Salvador Recife Lisboa Belém Olinda Santos Niterói".split()),
    "es": tuple("Oaxaca Veracruz Puebla Mérida Habana Sonora Jalisco Tijuana".split()),
    "sv": tuple("Malmö Uppsala Göteborg Kiruna Visby Umeå Lund".split()),
    "ja": tuple("Osaka Kyoto Sapporo Nagano Kobe Yokohama 渋谷 京都".split()),
}
LOCAL_TITLE_PATTERNS: dict[str, tuple[str, ...]] = {
    "de": ("{thing} im {when}", "Kein {thing}", "{when} in {place}", "Mein {thing}", "Zwischen {thing} und {thing}", "Für {first}"),
    "fr": ("{thing} d'{when}", "Sans {thing}", "{when} à {place}", "Mon {thing}", "{thing} et {thing}", "Pour {first}"),
    "pt": ("{thing} de {when}", "Sem {thing}", "{when} em {place}", "Meu {thing}", "{thing} e {thing}", "Para {first}"),
    "es": ("{thing} de {when}", "Sin {thing}", "{when} en {place}", "Mi {thing}", "{thing} y {thing}", "Para {first}"),
    "sv": ("{thing} i {when}", "Ingen {thing}", "{when} i {place}", "Min {thing}", "{thing} och {thing}", "Till {first}"),
    "ja": ("{when}の{thing}", "{thing}と{thing}", "{place}の{thing}", "{thing}", "さよなら{thing}", "{when}、{place}"),
}
LOCAL_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {"thing": tuple("Regen Licht Schatten Sturm Nebel Zufall Mond Morgen Traum Spiegel Vogel Atem Hafen Garten Funke Winter".split()), "when": tuple("Herbst Sommer November Winter Frühling Dunkel".split())},
    "fr": {"thing": tuple("Soleil Miroir Orage Jardin Secret Silence Oiseau Velours Matin Navire Vertige Papier Chagrin Feu".split()), "when": ("automne", "été", "hiver", "avril", "octobre", "après-midi")},
    "pt": {"thing": tuple("Mar Sol Vento Caminho Segredo Samba Luar Espelho Jardim Silêncio Fogo Carnaval Abraço Tempo".split()), "when": ("Verão", "Janeiro", "Domingo", "Madrugada", "Abril")},
    "es": {"thing": tuple("Fuego Camino Corazón Espejo Viento Secreto Desierto Tequila Beso Mar Silencio Veneno Baile Cielo".split()), "when": ("Verano", "Enero", "Medianoche", "Domingo", "Abril")},
    "sv": {"thing": tuple("Regn Ljus Skugga Storm Dimma Sol Dröm Spegel Fågel Hamn Snö Eld Granskog".split()), "when": ("Juni", "Mörker", "Vinter", "Oktober", "Midnatt")},
    "ja": {"thing": tuple("雨 光 影 海 夢 風 花火 星 記憶 猫 電車 手紙 桜 約束".split()), "when": tuple("夜明け 夏 冬 真夜中 九月 日曜日".split())},
}
EDITIONS = ("{title} - Remastered {year}", "{title} (Deluxe Edition)", "{title} - {year} Remaster", "{title} (Single Version)", "{title} (Anniversary Edition)")
ALBUM_SUFFIXES = ("(Deluxe Edition)", "(Anniversary Edition)", "(Remastered)", "(Expanded Edition)")
