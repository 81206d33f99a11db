"""The leader dies, sleeps and is cut off: another follows soon, and no late word of it counts.

SIOCLUSTER_LEADER_ROUNDS says how often each befalls it.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import pairwise

import pytest

from tests.apps.checks.belfry import Node, Town, town
from tests.integration.cluster import kill
from tests.integration.conftest import Note
from tests.integration.waiting import SCALE, wait_until

Fault = Callable[[Node], AbstractContextManager[None]]

ROUNDS = int(os.environ.get("SIOCLUSTER_LEADER_ROUNDS", "2"))
FAULTS: dict[str, Fault] = {
    "killed": Node.dead,
    "paused": Node.paused,
    "link half-open": lambda node: node.cable.frozen(),
    "link cut": lambda node: node.cable.unplugged(),
}
LONGEST_REIGN = 10  # rings between two faults: they fall anywhere between two beats
SECONDS_WITHOUT_LEADER = 10 * SCALE
SECONDS_TO_HAND_OVER = 4 * SCALE  # a beat of 2 s, a ring, and a little
SEED = 7

pytestmark = pytest.mark.timeout(300 + 60 * SCALE * ROUNDS * len(FAULTS))


@pytest.fixture(scope="module")
def the_town() -> Iterator[Town]:
    with town() as found:
        yield found


@pytest.fixture(scope="module")
def troubled(the_town: Town) -> Town:
    """After all rounds of all faults, in a mixed order."""
    chance = random.Random(SEED)
    faults = [*FAULTS.values()] * ROUNDS
    chance.shuffle(faults)
    for fault in faults:
        the_town.tower.wait_for(chance.randint(1, LONGEST_REIGN), words="a leader that rings")
        befall(the_town, fault)
    the_town.tower.wait_for(LONGEST_REIGN, words="the last leader to ring on")
    return the_town


def befall(the_town: Town, fault: Fault) -> None:
    """It strikes the leader and ends once another leads; then both are well again."""
    leader = the_town.tower.rings[-1]
    with fault(the_town.node_of(leader)):
        the_town.tower.wait_for_successor(leader)
    the_town.wait_until_ready()


def test_each_fall_brought_a_successor(troubled: Town, note: Note) -> None:
    tokens = {ring.token for ring in troubled.tower.rings}
    note(
        falls=ROUNDS * len(FAULTS),
        leaders=len(tokens),
        rings=len(troubled.tower.rings),
        longest_silence=troubled.tower.longest_silence(),
        refused=troubled.log().count("FENCED"),
    )
    assert len(tokens) > ROUNDS * len(FAULTS)


def test_nothing_of_an_older_leader_follows_what_a_newer_one_wrote(troubled: Town) -> None:
    later = [(old, new) for old, new in pairwise(troubled.tower.rings) if new.token < old.token]
    assert not later


def test_each_token_was_one_workers_own(troubled: Town) -> None:
    owners = {(ring.token, ring.pid) for ring in troubled.tower.rings}
    assert len(owners) == len({token for token, _ in owners})


def test_writes_of_fallen_leaders_came_late_and_were_refused(troubled: Town) -> None:
    """Else the two above would hold without a fence."""
    assert "FENCED" in troubled.log()


def test_town_was_never_long_without_a_leader(troubled: Town) -> None:
    assert troubled.tower.longest_silence() <= SECONDS_WITHOUT_LEADER


def test_exactly_one_worker_over_all_nodes_leads(the_town: Town) -> None:
    leader = the_town.tower.look()[-1]
    wait_until(
        lambda: (
            [node.leads for node in the_town.nodes]
            == [node.pid == leader.pid for node in the_town.nodes]
        ),
        words="the one that rings to say so, and the other not",
    )


def test_leader_that_ends_in_good_order_hands_over_at_once(the_town: Town, note: Note) -> None:
    leader = the_town.tower.look()[-1]
    kill(leader.pid, signal.SIGTERM)
    successor = the_town.tower.wait_for_successor(leader)
    last = [ring for ring in the_town.tower.rings if ring.token == leader.token][-1]
    note(handed_over_in=successor.time - last.time)
    assert successor.pid != leader.pid
    assert successor.time - last.time < SECONDS_TO_HAND_OVER
    the_town.wait_until_ready()
