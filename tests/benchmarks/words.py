"""Recordings for the words of a playlist nobody has seen: recall against the most popular.

Run: .venv/bin/python -m tests.benchmarks.words DATA_DIR
DATA_DIR holds playlists, tracks and entries as Parquet, in the form of the playlist archive. One playlist in five is
hidden, five times; from its title and description alone the tracks are asked for that it holds and other playlists
hold too. recall@30 = hits over the smaller of 30 and their number; the mean over hidden playlists that have any.
Charts are left out by their titles, since their words say only that they are charts; the figure with them stands
beside. Then what is asked for by name, of the whole archive: a recording by its title, by title and artist, and an
artist's recordings by the artist's name. Below, how many tokens a second become vectors: by gensim itself on the same
sentences with the same settings, by training here, and from what was written to vectors of recordings in all. The last
line is for machines.
Belongs here: the protocol and the table. Does not: training, search (models_ml/text).
"""

import argparse
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gensim.models import Word2Vec

from models_ml.arrays import Ints
from models_ml.text.contexts import read_contexts
from models_ml.text.inputs import DOCUMENTS, TAGS, TextInputs
from models_ml.text.params import TextParams
from models_ml.text.sentences import sentences
from models_ml.text.tokens import tokens
from models_ml.text.training import sentence_lists, settings, token_names, train_tokens
from models_ml.text.vectors import train_text

FOLDS, CUT, SEED = 5, 30, 0
# Recordings, and artists, that are asked for by name.
NAMED = 300
CHART = re.compile(r"^top \d+\b", re.IGNORECASE)


class Archive:
    """Playlists with their words and tracks, tracks by position of their sorted ids."""

    def __init__(self, folder: Path) -> None:
        self.playlists = pq.read_table(folder / "playlists.parquet").sort_by("playlist_id")
        self.tracks = pq.read_table(folder / "tracks.parquet").sort_by("track_id")
        entries = pq.read_table(folder / "entries.parquet").group_by(["playlist_id", "track_id"])
        entries = entries.aggregate([("added_on", "min")]).sort_by(
            [("playlist_id", "ascending"), ("added_on_min", "ascending"), ("track_id", "ascending")]
        )
        place = {track: number for number, track in enumerate(self.tracks["track_id"].to_pylist())}
        held: dict[str, list[int]] = {}
        for playlist, track in zip(entries["playlist_id"].to_pylist(), entries["track_id"].to_pylist(), strict=True):
            held.setdefault(playlist, []).append(place[track])
        self.held = [np.array(held.get(name, []), dtype=np.int64) for name in self.playlists["playlist_id"].to_pylist()]
        self.titles = self.playlists["title"].to_pylist()
        self.descriptions = self.playlists["description"].to_pylist()

    def inputs(self, shown: Ints) -> TextInputs:
        """What is known while the other playlists are hidden."""
        lists = [self.held[row] for row in shown]
        playlists = pa.table(
            {
                "playlist_index": pa.array(np.arange(len(shown)), pa.int32()),
                "owner_id": pa.nulls(len(shown), pa.string()),
                "title": pa.array([self.titles[row] for row in shown], pa.string()),
                "description": pa.array([self.descriptions[row] for row in shown], pa.string()),
            }
        )
        entries = {
            "playlist_index": pa.array(np.repeat(np.arange(len(shown)), [len(held) for held in lists]), pa.int32()),
            "recording_index": pa.array(np.concatenate(lists), pa.int32()),
        }
        names = pa.table(
            {
                "recording_index": pa.array(np.arange(len(self.tracks)), pa.int32()),
                "title": self.tracks["title"],
                "artist_name": pa.array([names[0] for names in self.tracks["artist_names"].to_pylist()]),
                "album_title": self.tracks["album_title"],
                "artist_names": self.tracks["artist_names"],
            }
        )
        empty = DOCUMENTS.empty_table(), TAGS.empty_table()
        return TextInputs(playlists, pa.table(entries), *empty, names, len(self.tracks))


def recalls(archive: Archive, kept: Ints) -> tuple[float, float, int, float]:
    """(our recall, that of the most popular, playlists asked for, tokens a second) over the kept playlists."""
    order = np.random.default_rng(SEED).permutation(kept)
    ours, popular, seconds, tokens = [], [], 0.0, 0
    for fold in range(FOLDS):
        hidden = np.sort(order[fold::FOLDS])
        shown = np.setdiff1d(kept, hidden)
        started = time.perf_counter()
        vectors = train_text(archive.inputs(shown), TextParams(), seed=SEED)
        seconds += time.perf_counter() - started
        on_lists = np.bincount(np.concatenate([archive.held[row] for row in shown]), minlength=len(archive.tracks))
        tokens += int(on_lists.sum()) * TextParams().epochs
        most = np.argsort(-on_lists, kind="stable")[:CUT]
        for row in hidden:
            wanted = archive.held[row][on_lists[archive.held[row]] > 0]
            if not len(wanted):
                continue
            found = vectors.search(archive.titles[row], CUT, described=archive.descriptions[row] or "").recordings
            ours.append(len(np.intersect1d(found, wanted)) / min(CUT, len(wanted)))
            popular.append(len(np.intersect1d(most, wanted)) / min(CUT, len(wanted)))
    return float(np.mean(ours)), float(np.mean(popular)), len(ours), tokens / seconds


def by_name(archive: Archive) -> str:
    """How often a recording is found by its title, alone and with its artist, and how many of an artist's by the name.

    Of titles of two words or more that no other recording has, of artists with five recordings or more.
    """
    vectors = train_text(archive.inputs(np.arange(len(archive.titles))), TextParams(), SEED)
    titles, credits = archive.tracks["title"].to_pylist(), archive.tracks["artist_names"].to_pylist()
    titled = Counter(title.lower() for title in titles)
    single = [row for row, title in enumerate(titles) if titled[title.lower()] == 1 and len(tokens(title)) > 1]
    artists = sorted(name for name, times in Counter(names[0] for names in credits).items() if times >= 5)
    random = np.random.default_rng(SEED)
    asked = random.choice(single, NAMED, replace=False).tolist()
    lines = ["| asked for by | first | among ten |", "|---|---|---|"]
    for way in ("title", "title and artist"):
        words = [titles[row] if way == "title" else f"{titles[row]} {credits[row][0]}" for row in asked]
        found = [vectors.search(text, 10).recordings for text in words]
        first = np.mean([row == best[0] for row, best in zip(asked, found, strict=True)])
        ten = np.mean([row in best for row, best in zip(asked, found, strict=True)])
        lines.append(f"| {way} | {first:.3f} | {ten:.3f} |")
    own = np.zeros((NAMED, 5))
    for row, name in enumerate(random.choice(artists, NAMED, replace=False).tolist()):
        best = vectors.search(name, 5).recordings.tolist()
        own[row, : len(best)] = [name in credits[recording] for recording in best]
    lines.append(f"| artist: recordings that are theirs | {own[:, 0].mean():.3f} | {own.mean():.3f} of five |")
    return "\n".join(lines)


def speeds(archive: Archive) -> str:
    """Tokens a second over the whole archive, one thread each, in one process one after the other."""
    inputs, params = archive.inputs(np.arange(len(archive.titles))), TextParams()
    contexts = read_contexts(inputs, params)
    woven = sentences(contexts, params)
    names = token_names(woven, contexts.vocabulary, inputs.recording_count)
    told, token_count = sentence_lists(woven, names), len(woven.tokens.values) * params.epochs
    ways = {
        "gensim itself": lambda: Word2Vec(told, **settings(params, SEED)),
        "training here": lambda: train_tokens(woven, names, params, SEED),
        "from words to vectors of recordings": lambda: train_text(inputs, params, SEED),
    }
    lines = ["| | tokens a second, CPU |", "|---|---|"]
    for name, run in ways.items():
        started = time.process_time()
        run()
        lines.append(f"| {name} | {token_count / (time.process_time() - started):,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and the last line."""
    parser = argparse.ArgumentParser(description="Recall of tracks from the words of a hidden playlist.")
    parser.add_argument("folder", type=Path, help="playlists.parquet, tracks.parquet, entries.parquet")
    folder = parser.parse_args().folder
    if not (folder / "playlists.parquet").exists():
        raise SystemExit(f"{folder}: no playlists.parquet there")
    archive = Archive(folder)
    every = np.arange(len(archive.titles))
    without = np.array([row for row in every if not CHART.match(archive.titles[row])])
    print(f"Charts: titles that match {CHART.pattern!r}, {len(every) - len(without)} of {len(every)}.\n")
    print("| playlists | asked for | ours | most popular | ratio | entries a second |\n|---|---|---|---|---|---|")
    for name, kept in (("with charts", every), ("without charts", without)):
        ours, popular, count, speed = recalls(archive, kept)
        ratio = ours / popular if popular else float("inf")
        print(f"| {name} | {count} | {ours:.4f} | {popular:.4f} | {ratio:.2f} | {speed:,.0f} |", flush=True)
    print(f"\n{by_name(archive)}\n\n{speeds(archive)}")
    print(f"\nwords ours {ours:.4f} popular {popular:.4f} ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
