"""The learned ranker: features of candidates, boosters an outcome, tables that score as the boosters would.

Belongs here: from what is known of a candidate to log odds of its outcomes, and back to named contributions.
Does not: which rows are learnt from (the warehouse), the sum of all components (ranking.py), files.
"""
