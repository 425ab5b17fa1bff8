"""The plain job's vectors of words: gensim over what was written, and from words to recordings.

Belongs here: tokens, the sentences that recordings stand in, training, pooling with SIF weights, the common direction.
Does not: reading what was written (plain_written.py), what the vectors are good for (plain_fusion.py). Phrases, words
of scripts without spaces taken apart, and the index for search by words are left out.
"""

from dataclasses import dataclass

import gensim.models
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Floats, Ints
from models_ml.text.params import TextParams
from tests.benchmarks.plain_written import Written

PARAMS = TextParams()
# Words, and pictures.
TOKEN = r"[^\W_]+(?:&[^\W_]+)*|[\u2600-\u27bf\U0001f300-\U0001faff]"
DOCUMENT_STEP = 4
WORKERS = 2


@dataclass(frozen=True)
class Texts:
    """Texts of one kind.

    words: text, word, weight; in order.  about: text, recording, weight; how much each text says of whom.
    """

    words: pd.DataFrame
    about: pd.DataFrame


def text_vectors(written: Written, tracks: pd.DataFrame, count: int) -> Floats:
    """(count, d) float32 a unit vector of each recording that somebody wrote about or listed, else zero."""
    playlists, documents, tags = _playlists(written), _documents(written), _tags(written)
    artist = _artist_words(tracks, count)
    sentences = [
        *_playlist_sentences(written, playlists, artist, count),
        *_document_sentences(documents),
        *_tag_sentences(tags),
    ]
    if not sentences:
        return np.zeros((count, PARAMS.vector_size), dtype=np.float32)
    model = gensim.models.Word2Vec(
        sentences,
        vector_size=PARAMS.vector_size,
        window=PARAMS.window,
        epochs=PARAMS.epochs,
        alpha=PARAMS.learning_rate,
        negative=PARAMS.negative,
        sample=PARAMS.sampling_threshold,
        min_count=PARAMS.minimum_count,
        sg=int(PARAMS.skip_gram),
        workers=WORKERS,
        seed=1,
    )
    pooled = _pooled([playlists, documents, tags], artist, model.wv, count)
    return _without_common(pooled)


def _playlists(written: Written) -> Texts:
    """One owner's playlists whose titles differ in numbers only are one; three of an owner's say one recording."""
    playlists = written.playlists
    template = playlists["title"].str.lower().str.replace(r"\d+", "#", regex=True)
    owner = playlists["owner_id"].where(playlists["owner_id"].notna(), "alone " + playlists.index.astype("str"))
    group = pd.Series(pd.factorize(pd.MultiIndex.from_arrays([owner, template]))[0], index=playlists.index)
    words = _words(
        (playlists["title"], group, PARAMS.title_weight),
        (playlists["description"].dropna(), group, 1.0),
    )
    about = pd.DataFrame(
        {
            "text": group.reindex(written.entries["playlist"]).to_numpy(),
            "recording": written.entries["recording"].to_numpy(),
            "owner": owner.reindex(written.entries["playlist"]).to_numpy(),
        }
    ).drop_duplicates(["text", "recording"])
    turn = about.groupby(["owner", "recording"]).cumcount()
    about = about.assign(weight=(turn < PARAMS.owner_cap_per_recording).astype(float))
    return Texts(words.drop_duplicates(["text", "word"]), about.sort_values("text", kind="stable"))


def _documents(written: Written) -> Texts:
    documents = written.documents
    number = pd.Series(documents.index, index=documents.index)
    words = _words((documents["title"].dropna(), number, PARAMS.title_weight), (documents["body"], number, 1.0))
    return Texts(words, written.about.rename(columns={"document": "text"}).assign(weight=1.0))


def _tags(written: Written) -> Texts:
    """Each different tag is a text; all tags of a recording together weigh as one."""
    tags = written.tags
    code, texts = pd.factorize(tags["tag"])
    strength = np.log1p(tags["tag_count"])
    weight = strength / strength.groupby(tags["recording"]).transform("sum")
    named = pd.Series(texts, dtype="str")
    words = _words((named, pd.Series(named.index, index=named.index), 1.0))
    return Texts(words, pd.DataFrame({"text": code, "recording": tags["recording"], "weight": weight}))


def _words(*parts: tuple[pd.Series, pd.Series, float]) -> pd.DataFrame:
    """text, word, weight in order, of several columns of text.  Each: (texts, number of each text, weight)."""
    found = []
    for texts, number, weight in parts:
        code, different = pd.factorize(texts.astype("str").str.lower())
        tokens = pd.Series(different, dtype="str").str.findall(TOKEN)
        word = pd.Series(tokens.to_numpy()[code], index=texts.index, dtype="object").explode().dropna()
        found.append(pd.DataFrame({"text": number.reindex(word.index).to_numpy(), "word": word, "weight": weight}))
    return pd.concat(found).sort_values("text", kind="stable").reset_index(drop=True)


def _artist_words(tracks: pd.DataFrame, count: int) -> pd.Series:
    """By recording, its artist's name as one word; '' without one."""
    first = tracks.drop_duplicates("recording").set_index("recording")["artist_name"]
    code, names = pd.factorize(first.str.lower())
    joined = pd.Series(names, dtype="str").str.findall(TOKEN).str.join("_")
    return pd.Series(joined.to_numpy()[code], index=first.index, dtype="object").reindex(range(count)).fillna("")


def _playlist_sentences(written: Written, playlists: Texts, artist: pd.Series, count: int) -> list[list[str]]:
    """Each recording of a playlist, its artist's name, and one of the playlist's words in turn."""
    about = playlists.about
    place = about.groupby("text").cumcount().to_numpy()
    about, place = about[place < PARAMS.playlist_length_cap], place[place < PARAMS.playlist_length_cap]
    recording = about["recording"].to_numpy()
    known = np.bincount(recording, minlength=count) >= PARAMS.recording_minimum_count
    itself = np.where(known, _named(np.arange(count)), "")
    word, start, words = _by_text(playlists, int(about["text"].max()) + 1 if len(about) else 0)
    text = about["text"].to_numpy()
    turn = start[text] + place % np.maximum(words[text], 1)
    spoken = np.where(words[text] > 0, np.append(word, "")[np.where(words[text] > 0, turn, len(word))], "")
    return _sentences(np.stack([itself[recording], artist.to_numpy()[recording], spoken], axis=1), text)


def _document_sentences(documents: Texts) -> list[list[str]]:
    """The words of a document, and after every few of them one of the recordings it is about, in turn."""
    words, about = documents.words, documents.about
    text = words["text"].to_numpy()
    place = words.groupby("text").cumcount().to_numpy()
    last = np.diff(text, append=-1) != 0
    count = int(max(text.max(initial=-1), about["text"].max() if len(about) else -1)) + 1
    length = np.bincount(about["text"], minlength=count)
    start = np.append(0, length.cumsum())[:-1]
    due = ((place + 1) % DOCUMENT_STEP == 0) | last
    due &= length[text] > 0
    turn = np.where(due, start[text] + place // DOCUMENT_STEP % np.maximum(length[text], 1), 0)
    recording = about.sort_values("text", kind="stable")["recording"].to_numpy()
    named = np.where(due, _named(np.append(recording, 0)[turn]), "")
    return _sentences(np.stack([words["word"].to_numpy(), named], axis=1), text)


def _tag_sentences(tags: Texts) -> list[list[str]]:
    """The words of a recording's tags, and the recording after each."""
    words = tags.about.merge(tags.words[["text", "word"]], on="text").sort_values("recording", kind="stable")
    named = _named(words["recording"].to_numpy())
    return _sentences(np.stack([words["word"].to_numpy(), named], axis=1), words["recording"].to_numpy())


def _by_text(texts: Texts, count: int) -> tuple[Ints, Ints, Ints]:
    """(words, where those of each text start, how many each has)."""
    text = texts.words["text"].to_numpy()
    length = np.bincount(text, minlength=count)
    return texts.words["word"].to_numpy(dtype=object), np.append(0, length.cumsum())[:-1], length


def _named(recordings: Ints) -> Ints:
    """The token of each recording; no word begins with #."""
    return np.char.add("#", recordings.astype("str")).astype(object)


def _sentences(tokens: Ints, owner: Ints) -> list[list[str]]:
    """(r, k) tokens, '' for none, as one list an owner; rows of an owner stand together."""
    there = tokens != ""
    length = np.bincount(owner, there.sum(axis=1)).astype(int)
    flat = tokens[there].tolist()
    stops = length[length > 0].cumsum().tolist()
    return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _pooled(kinds: list[Texts], artist: pd.Series, known: gensim.models.KeyedVectors, count: int) -> Floats:
    """(count, d) mean of the texts about each recording, and its own vector and its artist's name beside."""
    vectors = np.vstack([known.vectors, np.zeros((1, PARAMS.vector_size), dtype=np.float32)]).astype(np.float64)
    place = pd.Series(known.key_to_index)
    weight = _word_weights(kinds, place, len(vectors))
    pooled, total, texts = np.zeros((count, vectors.shape[1])), np.zeros(count), np.zeros(count)
    for kind in kinds:
        words = kind.words.drop_duplicates(["text", "word"])
        word = place.reindex(words["word"]).fillna(len(vectors) - 1).astype(int).to_numpy()
        shape = (int(max(words["text"].max(), kind.about["text"].max())) + 1 if len(kind.about) else 1, len(vectors))
        says = scipy.sparse.csr_matrix((words["weight"] * weight[word], (words["text"], word)), shape=shape)
        about = scipy.sparse.csr_matrix(
            (kind.about["weight"], (kind.about["recording"], kind.about["text"])), shape=(count, shape[0])
        )
        mean = _unit(says @ vectors)
        pooled += about @ mean
        total += about @ mean.any(axis=1).astype(float)
        texts += np.bincount(kind.about["recording"], kind.about["weight"], minlength=count)
    own = place.reindex(pd.Series(_named(np.arange(count)))).fillna(len(vectors) - 1).astype(int).to_numpy()
    name = place.reindex(artist).fillna(len(vectors) - 1).astype(int).to_numpy()
    found = pooled / np.maximum(total, 1e-12)[:, None] + PARAMS.own_weight * _unit(vectors[own])
    found += PARAMS.artist_weight * weight[name][:, None] * _unit(vectors[name])
    found[texts == 0] = 0.0
    return found


def _word_weights(kinds: list[Texts], place: pd.Series, count: int) -> Floats:
    """(words,) a / (a + p(word)) (Arora et al. 2017); a tag is written as often as a recording has it."""
    written = np.zeros(count)
    for kind in kinds[:2]:
        word = place.reindex(kind.words.drop_duplicates(["text", "word"])["word"]).dropna().astype(int)
        written += np.bincount(word, minlength=count)
    tags = kinds[2]
    times = np.bincount(tags.about["text"], minlength=int(tags.words["text"].max()) + 1 if len(tags.words) else 0)
    word = place.reindex(tags.words["word"]).fillna(count - 1).astype(int)
    written += np.bincount(word, times[tags.words["text"]], minlength=count)
    return np.asarray(PARAMS.sif_weight / (PARAMS.sif_weight + written / max(written.sum(), 1.0)))


def _unit(vectors: Floats) -> Floats:
    """Rows at length 1; those without length stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 1e-6, length, np.inf))


def _without_common(pooled: Floats) -> Floats:
    """Unit rows without the direction that all of them share."""
    _, directions = np.linalg.eigh(pooled.T @ pooled)
    common = directions[:, -PARAMS.common_components :]
    return _unit(pooled - pooled @ common @ common.T).astype(np.float32)
