"""What the tracks of a demo world sound like: short pieces of synthesised music, one file a track.

Belongs here: what is heard of a track's latent attributes, instruments, styles, mixing, the files.
Does not: the attributes themselves (demo_world/catalogue.py), hearing anything in the files again.
"""
