"""Seeds: every random draw starts from the name of its step and the week it is for."""

import datetime as dt
import hashlib


def seed_for(step: str, week: dt.date, base: int = 0) -> int:
    """A 32-bit seed that depends on nothing but its arguments, the same on every machine.

    step: name of the step that draws, for instance "collaborative_factors".
    week: the Monday it draws for.  base: the configured seed of the installation.
    """
    digest = hashlib.sha256(f"{base}:{step}:{week.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
