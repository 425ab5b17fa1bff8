"""Ablations: the names of lists made from one family of the score alone, or from all families but one.

Belongs here: what such a model is called, and what a name says. Does not: making the lists (models_ml/ablated.py).
"""

from typing import Final

ALONE: Final = "alone_"
WITHOUT: Final = "without_"


def is_ablation(model: str) -> bool:
    """Whether a model is one family alone, or all but one."""
    return model.startswith((ALONE, WITHOUT))
