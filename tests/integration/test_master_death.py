"""When the master is killed, nobody who belonged to it outlives it by more than two seconds."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.integration.client import client_at
from tests.integration.cluster import Place, kill, place_for, running, spawned
from tests.integration.conftest import Note
from tests.integration.processes import is_guard, look
from tests.integration.waiting import is_ready, wait_until

WHILE_SERVING = 10
WHILE_STARTING = 10
LONGEST_START = 1.2


def test_killed_master_leaves_no_process_and_no_port(place: Place, note: Note) -> None:
    waits = []
    for _ in range(WHILE_SERVING):
        with running(place, "broken.healthy:app") as cluster:
            cluster.kill()
            waits.append(cluster.wait_until_gone())
    note(kills=len(waits), longest=max(waits))


def test_master_killed_at_any_moment_of_its_start_leaves_nothing(place: Place, note: Note) -> None:
    waits, seen = [], []
    for _ in range(WHILE_STARTING):
        with spawned(place, "broken.healthy:app") as cluster:
            moment = time.monotonic() + random.uniform(0.1, LONGEST_START)
            wait_until(lambda moment=moment: time.monotonic() > moment, words="a random moment")
            seen.append(len(cluster.members()))
            cluster.kill()
            waits.append(cluster.wait_until_gone())
    note(kills=len(waits), longest=max(waits), processes=seen)
    assert max(seen) > 1


@pytest.mark.parametrize("service", ["nginx: master process", "-server unixsocket"])
def test_service_killed_just_before_the_master_leaves_nothing(
    place: Place, note: Note, service: str
) -> None:
    with running(place, "broken.healthy:app") as cluster:
        (victim,) = [
            member
            for member in cluster.members()
            if service in member.title and is_guard(look(member.parent))
        ]
        kill(victim.pid)
        cluster.kill()
        note(longest=cluster.wait_until_gone())


def test_busy_and_stopped_workers_end_with_the_master(note: Note) -> None:
    with (
        place_for(workers=3) as place,
        running(place, "broken.busy:app", options=["--heartbeat-timeout", "60"]) as cluster,
        client_at(place.slots[0]) as spinning,
        client_at(place.slots[2]) as grinding,
    ):
        spinning.emit("spin")
        grinding.emit("grind")
        stopped = cluster.worker_pid(1)
        assert stopped
        kill(stopped, signal.SIGSTOP)
        for slot in (0, 2):
            wait_until(
                lambda slot=slot: not is_ready(place.slots[slot]), words=f"slot {slot} to hang"
            )
        cluster.kill()
        note(longest=cluster.wait_until_gone())
