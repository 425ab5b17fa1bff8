"""Exploration: slots given by chance, with the exact chance each track had.

Belongs here: arms and how likely each is best, random numbers that can be drawn again, the draw of a slot.
Does not: the rules a draw has to keep (assembly.py), what listeners made of it (the warehouse).
"""
