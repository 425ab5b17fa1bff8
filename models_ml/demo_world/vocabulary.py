"""The words that names and titles are made of.

Belongs here: word lists, some of them by language.
Does not: patterns (patterns.py), choosing among words (names.py).
"""


def split(text: str) -> tuple[str, ...]:
    """What stands between bars, line ends and repeated blanks taken for one blank."""
    return tuple(" ".join(part.split()) for part in text.split("|"))


WORDS: dict[str, tuple[str, ...]] = {
    "noun": split(
        """
        River | Window | Mirror | Engine | Garden | Satellite | Winter | Fever | Harbour | Lantern |
        Circus | Paper | Signal | Ocean | Velvet | Thunder | Shadow | Sugar | Diamond | Horizon | Static |
        Ghost | Ember | Rocket | Feather | Valley | Ladder | Machine | Orchard | Compass | Tiger |
        Mountain | Candle | Stranger | Pilot | Island | Bridge | Desert | Carousel | Magnet | Anchor |
        Balloon | Cathedral | Comet | Pocket | Needle | Parade | Silver | Telescope | Umbrella | Wolf |
        Arrow | Curtain | Market | Kingdom
        """
    ),
    "adjective": split(
        """
        Golden | Broken | Silent | Electric | Hollow | Wild | Crooked | Lonely | Burning | Gentle |
        Restless | Northern | Faded | Neon | Distant | Sleepless | Reckless | Tender | Bitter | Crystal |
        Endless | Foreign | Half-Lit | Honest | Lucky | Painted | Quiet | Rusty | Second | Shallow | Slow
        | Sudden | Tall | Unkind | Weightless | Young | Borrowed | Careless | Early
        """
    ),
    "verb": split(
        """
        Hold | Follow | Forget | Carry | Call | Leave | Remember | Believe | Catch | Wake | Find | Lose |
        Save | Chase | Shake | Trust | Wait | Fall | Burn | Run | Stay | Move | Dream | Whisper | Breathe
        """
    ),
    "time": split(
        """
        Midnight | Sunday | Monday | Dawn | October | Summer | Tonight | Yesterday | Noon | December |
        Friday
        """
    ),
    "dark": split(
        """
        Black | Crimson | Frozen | Iron | Infernal | Ashen | Blighted | Eternal | Forsaken | Rotten |
        Savage | Pale | Hollow | Obsidian
        """
    ),
    "grave": split(
        """
        Throne | Abyss | Plague | Crypt | Serpent | Wrath | Oblivion | Sorrow | Altar | Blood | Ruin |
        Tomb | Raven | Torment | Winter | Hammer
        """
    ),
    "bound": split("bound | fall | forge | storm | lux | form | wave | field | core | line"),
    "bird": split(
        """
        Sparrow | Heron | Wren | Swallow | Magpie | Nightingale | Starling | Owl | Lark | Kestrel | Finch
        | Robin | Crane | Thrush
        """
    ),
    "soft": split(
        """
        Drifting | Pale | Floating | Distant | Hushed | Still | Weightless | Glass | Vapour | Lunar |
        Northern | Submerged | Slow
        """
    ),
    "tech": split(
        """
        Vector | Modul | Analog | Kinetik | Subrosa | Oxide | Reflex | Array | Tensor | Hertz | Voltage |
        Relay | Phase | Circuit | Delta | Pulse | Binary
        """
    ),
    "code": split("01 | 303 | 4x4 | 909 | A7 | B-Side | K12 | IX | Null | R/W | X | 22.5 | N+1 | 707"),
    "nick": split(
        """
        Big | Slim | Lucky | Young | Smokey | Blind | Sweet | Fast | Papa | Lady | Old | Little | Kid |
        Doc
        """
    ),
    "number": split(
        """
        2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22 |
        23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38 | 39 | 40 | 41 | 42
        | 43 | 44 | 45 | 46 | 47
        """
    ),
    "key": split(
        """
        C Minor | D Major | E-Flat Major | F-Sharp Minor | G Major | A Minor | B-Flat Minor | E Minor
        """
    ),
}

# Names of people and places go by the language of the artist.
FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "en": split(
        """
        Ada | Callum | Della | Ezra | Faye | Gideon | Hattie | Isaac | June | Kit | Lena | Miles | Nora |
        Otis | Pearl | Quinn | Rosa | Silas | Thea | Wyatt | Maeve | Jonah
        """
    ),
    "de": split(
        """
        Anke | Bruno | Clara | Dieter | Elke | Falk | Greta | Henrik | Ilse | Jonas | Käthe | Lukas |
        Mieke | Nils | Svea | Uwe
        """
    ),
    "fr": split(
        """
        Amélie | Bastien | Céline | Damien | Élodie | Fabrice | Hélène | Julien | Lucie | Mathis | Noémie
        | Océane | Théo | Zoé
        """
    ),
    "pt": split(
        """
        Adriana | Bento | Caetana | Davi | Elis | Flávio | Inês | João | Luísa | Marisa | Nando | Tião |
        Vitória
        """
    ),
    "es": split(
        """
        Alma | Benito | Carmen | Diego | Esperanza | Fermín | Inés | Joaquín | Lupita | Marisol | Natalia
        | Rafael | Ximena
        """
    ),
    "sv": split(
        """
        Astrid | Björn | Ebba | Gustav | Ingrid | Kerstin | Lennart | Maja | Oskar | Siri | Tove | Åke
        """
    ),
    "ja": split(
        """
        Aiko | Daichi | Emi | Haruki | Kaori | Kenji | Mika | Naoko | Ren | Sora | Takeshi | Yuki | 翔太 |
        美咲 | 陽菜
        """
    ),
}
LAST_NAMES: dict[str, tuple[str, ...]] = {
    "en": split(
        """
        Abbott | Blackwood | Calloway | Dunmore | Everhart | Fairchild | Grady | Holloway | Ives | Jessup
        | Kessler | Lockhart | Marlowe | Nightly | Oakes | Prescott | Rutledge | Sterling | Tolliver |
        Vance | Whitlock | Yardley
        """
    ),
    "de": split(
        """
        Achterberg | Brandt | Dörfler | Engelhardt | Falkner | Grünwald | Hagen | Kirchner | Lindner |
        Möwes | Reuter | Seidel | Vogt | Zander
        """
    ),
    "fr": split(
        """
        Aubert | Beaumont | Chevalier | Delacour | Fontaine | Garnier | Lemaire | Marchand | Noiret |
        Perrault | Rivière | Vasseur
        """
    ),
    "pt": split(
        """
        Almeida | Barros | Cardoso | Duarte | Figueira | Gouveia | Moraes | Nogueira | Pires | Ribeiro |
        Salgado | Teixeira
        """
    ),
    "es": split(
        """
        Aguilar | Bravo | Cisneros | Delgado | Fuentes | Herrera | Montoya | Navarro | Ortega | Quiroga |
        Salinas | Vega
        """
    ),
    "sv": split(
        """
        Ahlgren | Bergström | Dahlin | Ekdahl | Forsberg | Hedlund | Lindqvist | Nyström | Sjögren |
        Åkesson
        """
    ),
    "ja": split(
        """
        Arakawa | Fujimori | Hayashida | Ishikura | Kurosawa | Minami | Nakahara | Okabe | Shirai |
        Tachibana | 山本 | 佐藤
        """
    ),
}
PLACES: dict[str, tuple[str, ...]] = {
    "en": split(
        """
        Memphis | Brighton | Tulsa | Glasgow | Savannah | Detroit | Bristol | Oakland | Leeds | Austin |
        Marfa | Portland | Hull | Reno | Cardiff
        """
    ),
    "de": split("Berlin | Leipzig | Köln | Hamburg | Bremen | Dresden | Kassel | Lübeck | Zwickau"),
    "fr": split("Marseille | Lyon | Nantes | Paris | Lille | Rennes | Toulouse | Brest"),
    "pt": split("Salvador | Recife | Lisboa | Belém | Olinda | Santos | Niterói"),
    "es": split("Oaxaca | Veracruz | Puebla | Mérida | Habana | Sonora | Jalisco | Tijuana"),
    "sv": split("Malmö | Uppsala | Göteborg | Kiruna | Visby | Umeå | Lund"),
    "ja": split("Osaka | Kyoto | Sapporo | Nagano | Kobe | Yokohama | 渋谷 | 京都"),
}

# Words of songs in other languages than English.
LOCAL_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "thing": split(
            """
            Regen | Licht | Schatten | Sturm | Nebel | Zufall | Mond | Morgen | Traum | Spiegel | Vogel |
            Atem | Hafen | Garten | Funke | Winter
            """
        ),
        "when": split("Herbst | Sommer | November | Winter | Frühling | Dunkel"),
    },
    "fr": {
        "thing": split(
            """
            Soleil | Miroir | Orage | Jardin | Secret | Silence | Oiseau | Velours | Matin | Navire |
            Vertige | Papier | Chagrin | Feu
            """
        ),
        "when": split("automne | été | hiver | avril | octobre | après-midi"),
    },
    "pt": {
        "thing": split(
            """
            Mar | Sol | Vento | Caminho | Segredo | Samba | Luar | Espelho | Jardim | Silêncio | Fogo |
            Carnaval | Abraço | Tempo
            """
        ),
        "when": split("Verão | Janeiro | Domingo | Madrugada | Abril"),
    },
    "es": {
        "thing": split(
            """
            Fuego | Camino | Corazón | Espejo | Viento | Secreto | Desierto | Tequila | Beso | Mar |
            Silencio | Veneno | Baile | Cielo
            """
        ),
        "when": split("Verano | Enero | Medianoche | Domingo | Abril"),
    },
    "sv": {
        "thing": split(
            """
            Regn | Ljus | Skugga | Storm | Dimma | Sol | Dröm | Spegel | Fågel | Hamn | Snö | Eld |
            Granskog
            """
        ),
        "when": split("Juni | Mörker | Vinter | Oktober | Midnatt"),
    },
    "ja": {
        "thing": split("雨 | 光 | 影 | 海 | 夢 | 風 | 花火 | 星 | 記憶 | 猫 | 電車 | 手紙 | 桜 | 約束"),
        "when": split("夜明け | 夏 | 冬 | 真夜中 | 九月 | 日曜日"),
    },
}
