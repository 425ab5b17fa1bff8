"""Sound: what a recording says of itself, from its file to a vector.

Belongs here: decoding, spectrograms, attributes, what is kept of each file, and the network that learns from them.
Does not: which files land, which week a track is known in.
"""
