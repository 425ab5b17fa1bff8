"""Which recordings a listener may be given: every filter, with its named reason.  None of them gives way.

Belongs here: the filters for candidates that were found, and the same filters as a mask before a search.
Does not: which edition an audience gets (catalogue.py), the soft rules of a list (assembly.py).
"""

import numpy as np

from models_ml.arrays import Bools, Ints, Pairs, spread
from models_ml.features import WeekFeatures
from models_ml.rules import FILTER_CODES


def editions_for(features: WeekFeatures, listeners: Ints, recordings: Ints) -> Ints:
    """The edition each listener would get of each recording, -1 where none."""
    return features.choice.edition[features.audience[listeners], recordings]


def filter_codes(features: WeekFeatures, listeners: Ints, recordings: Ints) -> Ints:
    """The code (rules.FILTER_CODES) of the rule that takes out each (listener, recording), 0 where it passes.

    listeners, recordings: same length.  Returns uint8.  Where several rules hold, the first in
    rules.FILTER_RULES is named.
    """
    codes = features.choice.rule[features.audience[listeners], recordings]
    place = features.exclusions.find(listeners, recordings)
    excluded = np.where(place >= 0, features.exclusion_code[place] if len(features.exclusion_code) else 0, 0)
    codes = np.where(codes > 0, codes, excluded).astype(np.uint8)
    passing = np.flatnonzero((codes == 0) & (features.blocked_artists.lengths(listeners) > 0))
    editions = editions_for(features, listeners[passing], recordings[passing])
    blocked = any_credit_among(features.blocked_artists, features.editions.credits, listeners[passing], editions)
    codes[passing[blocked]] = FILTER_CODES["blocked_artist"]
    return codes


def any_credit_among(owned: Pairs, credits: Pairs, listeners: Ints, editions: Ints) -> Bools:
    """Whether any credited artist of each edition is among its listener's artists."""
    rows, places = credits.positions(editions)
    hit = owned.find(listeners[rows], credits.values[places]) >= 0
    found = np.zeros(len(editions), dtype=bool)
    found[rows[hit]] = True
    return found


def forbidden(features: WeekFeatures, listeners: Ints) -> Bools:
    """(listeners, m) bool, True where any filter takes the recording out: filter_codes above 0."""
    mask = features.choice.edition[features.audience[listeners]] < 0
    rows, places = features.exclusions.positions(listeners)
    mask[rows, features.exclusions.values[places]] = True
    rows, places = features.blocked_artists.positions(listeners)
    if len(rows):
        blocked_rows, editions = _editions_crediting(features, rows, features.blocked_artists.values[places])
        recordings = features.editions.recording[editions]
        given = editions_for(features, listeners[blocked_rows], recordings) == editions
        mask[blocked_rows[given], recordings[given]] = True
    return mask


def _editions_crediting(features: WeekFeatures, rows: Ints, artists: Ints) -> tuple[Ints, Ints]:
    """(row, edition) for every edition that credits the row's artist."""
    credits = features.editions.credits
    order = np.argsort(credits.values, kind="stable")
    edition_of_credit = np.repeat(np.arange(len(features.editions)), np.diff(credits.indptr))[order]
    start = np.searchsorted(credits.values[order], artists, side="left")
    stop = np.searchsorted(credits.values[order], artists, side="right")
    return np.repeat(rows, stop - start), edition_of_credit[spread(start, stop - start)]
