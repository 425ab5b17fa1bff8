"""Off-policy evaluation: what lists would have brought under another policy over arms, from those that were given.

Belongs here: logged draws, policies that can be judged by them, estimators, intervals, when there is no number.
Does not: the draw itself (exploration/), what became of slots (the warehouse), whether a change goes live.
"""
