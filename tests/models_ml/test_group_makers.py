"""Tests of makers by group: a listener's list is what their group's maker makes, and tables keep their order."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from feature_worlds import random_world

from models_ml.assembly import AssemblyParams
from models_ml.candidates import find_candidates
from models_ml.evidence import Content
from models_ml.experiments.makers import GroupMaker, GroupMender
from models_ml.playlists import PlaylistMaker, build_playlists
from models_ml.pools import from_batch
from models_ml.retrieval import ExactRetriever
from models_ml.takedown import ListMender, concerned
from tests.models_ml.test_playlists import PARAMS, by_listener, in_blocks, trained_on

LISTENERS = 40
# With twenty artists no strict list can be filled, so that rules give way.
STRICT = replace(PARAMS, assembly=AssemblyParams(tracks_per_artist=1, new_artist_share=1.0))
GROUP = np.arange(LISTENERS) % 3 // 2


def world_of(artists: int = 60):
    world = random_world(11, listeners=LISTENERS, artists=artists)
    features, factors = world.features(), trained_on(world)
    found = find_candidates(
        features, factors, ExactRetriever(factors.recording_factors, factors.retrievable), PARAMS.candidates
    )
    return features, factors, found.table


def test_a_listeners_list_is_that_of_their_groups_maker() -> None:
    features, factors, candidates = world_of(artists=20)
    makers = [PlaylistMaker(features, factors, params) for params in (PARAMS, STRICT)]
    batches = in_blocks(candidates, PARAMS)
    alone = [build_playlists(maker, batches) for maker in makers]
    together = build_playlists(GroupMaker(makers, GROUP), batches)
    lists = [by_listener(playlists) for playlists in alone]
    found = by_listener(together)
    assert lists[0] != lists[1]
    assert found == {user: lists[GROUP[user]][user] for user in range(LISTENERS) if user in lists[GROUP[user]]}
    for name in ("slots", "relaxations", "mixes", "ranked"):
        users = getattr(together, name)["user_index"].to_numpy()
        assert (np.diff(users) >= 0).all(), name
        of = [np.isin(users, np.flatnonzero(group == GROUP)) for group in (0, 1)]
        for group, made in enumerate(alone):
            theirs = getattr(made, name)
            mine = np.isin(theirs["user_index"].to_numpy(), np.flatnonzero(group == GROUP))
            assert getattr(together, name).filter(pa.array(of[group])).equals(theirs.filter(pa.array(mine))), name
    assert len(together.relaxations)


def test_blocks_of_one_group_and_of_nobody_are_made_as_before() -> None:
    features, factors, candidates = world_of()
    maker = PlaylistMaker(features, factors, PARAMS)
    everyone = GroupMaker([maker, maker], np.zeros(LISTENERS, dtype=np.int64))
    batches = [*in_blocks(candidates, PARAMS), in_blocks(candidates, PARAMS)[0].slice(0, 0)]
    assert build_playlists(everyone, batches) == build_playlists(maker, batches)


def test_what_a_takedown_leaves_open_is_filled_as_the_listeners_group_has_it() -> None:
    features, factors, candidates = world_of(artists=20)
    params = (PARAMS, STRICT)
    makers = [PlaylistMaker(features, factors, one) for one in params]
    lists = build_playlists(GroupMaker(makers, GROUP), in_blocks(candidates, PARAMS))
    taken = np.zeros(len(features.editions), dtype=bool)
    taken[np.unique(lists.slots["edition_index"].to_numpy())[::4]] = True
    listeners = concerned(lists.slots, taken)
    menders = [ListMender(features, factors, one, taken, Content(), None) for one in params]
    rows = [table.filter(np.isin(table["user_index"].to_numpy(), listeners)) for table in (lists.slots, candidates)]

    def pool_of(users):
        theirs = candidates.filter(pa.array(np.isin(candidates["user_index"].to_numpy(), users)))
        return from_batch(theirs.combine_chunks().to_batches()[0])[1]

    mended = GroupMender(menders, GROUP).mended(rows[0], listeners, pool_of(listeners))
    assert set(GROUP[listeners]) == {0, 1}
    for group in (0, 1):
        mine = listeners[GROUP[listeners] == group]
        theirs = rows[0].filter(pa.array(np.isin(rows[0]["user_index"].to_numpy(), mine)))
        alone = menders[group].mended(theirs, mine, pool_of(mine))
        of = mended.slots.filter(pa.array(np.isin(mended.slots["user_index"].to_numpy(), mine)))
        assert of.equals(alone.slots)
