"""Landing: what may arrive, and reading each file that does, once, into the lake.

Belongs here: the contract, one reader a format, and intake of new files.
Does not: judging rows (quarantine, duplicates, pending are the warehouse's), choosing a week's files.
"""
