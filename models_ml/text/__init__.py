"""The text signal: what people write about music and how they group it, as one vector a recording.

Belongs here: cleaning and tokens, phrases, which text is about which recording, Word2Vec, pooling, query by words.
Does not: where the text is kept, listeners, the blend with other signals.
"""
