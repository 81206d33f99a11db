"""A worker that dies is replaced on its port, and those who talk to the others never notice."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from tests.integration.client import client_on_slot
from tests.integration.cluster import Cluster, Place, get, kill, place_for, running
from tests.integration.conftest import Note
from tests.integration.flood import flood
from tests.integration.handshake import Opened, open_session
from tests.integration.waiting import SCALE, accepts

QUICK = ("--backoff", "0.05", "--backoff-max", "0.1")
VICTIMS = (0, 1)
BYSTANDER = 2
ROUNDS = 25  # two kills each
PAUSE = 0.005
LONGEST_HANDSHAKE = 2.0 * SCALE
ADDRESSES = [f"127.0.{number}.1" for number in range(1, 21)]  # ip_hash: one hash for each /24


@dataclass(slots=True)
class Knocker:
    """Connects to a port over and over, and counts how often it was refused."""

    port: int
    knocks: int = 0
    refused: int = 0
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self.stop.wait(PAUSE):
            with socket.socket() as client:
                self.refused += client.connect_ex(("127.0.0.1", self.port)) != 0
            self.knocks += 1


@contextmanager
def knocking(*ports: int) -> Iterator[list[Knocker]]:
    knockers = [Knocker(port) for port in ports]
    threads = [Thread(target=knocker.run) for knocker in knockers]
    for thread in threads:
        thread.start()
    try:
        yield knockers
    finally:
        for knocker in knockers:
            knocker.stop.set()
        for thread in threads:
            thread.join()


def kill_and_await(cluster: Cluster, *, generation: int) -> list[int]:
    """Kill all victims at once; returns who serves their ports afterwards."""
    before = {slot: cluster.worker_pid(slot) for slot in VICTIMS}
    for pid in before.values():
        assert pid
        kill(pid)
    for slot in VICTIMS:
        # Killed before the master has heard that it is ready, it would count as unable to boot.
        cluster.wait_for_log(
            f"Worker {slot} :{cluster.place.slots[slot]} is ready", count=generation
        )
    after = [cluster.serving_pid(slot) for slot in VICTIMS]
    assert after == [cluster.worker_pid(slot) for slot in VICTIMS]
    assert not set(after) & set(before.values())
    return [pid for pid in after if pid]


def test_fifty_killed_workers_refuse_nobody_and_disturb_no_other_session(note: Note) -> None:
    with (
        place_for(workers=3) as place,
        running(place, "broken.healthy:app", options=QUICK) as cluster,
        flood(cluster.url, clients=30) as crowd,
        client_on_slot(place.bind, BYSTANDER) as bystander,
        knocking(*(place.slots[slot] for slot in VICTIMS)) as knockers,
    ):
        untouched = crowd.on_slot(BYSTANDER)
        own_pid = cluster.worker_pid(BYSTANDER)
        served = []
        for generation in range(1, ROUNDS + 1):
            served += kill_and_await(cluster, generation=generation)
            assert bystander.call("pid", timeout=5 * SCALE) == own_pid
            assert get(place.bind, "/pid")
        crowd.wait_for(
            lambda: len(crowd.saw("reconnect")) == len(crowd.saw("disconnect")),
            words="everybody to be back",
        )
        cut = {line["client"] for line in crowd.saw("disconnect")}
        note(
            kills=len(served),
            knocks=sum(knocker.knocks for knocker in knockers),
            refused=[knocker.refused for knocker in knockers],
            reconnects=len(crowd.saw("reconnect")),
        )
        assert len(set(served)) == 2 * ROUNDS
        assert [knocker.refused for knocker in knockers] == [0, 0]
        assert untouched and cut and not untouched & cut
        assert crowd.end()["connected"] == 30


def test_new_sessions_from_everywhere_pass_by_a_slot_that_never_boots(
    four_workers: Place, note: Note
) -> None:
    with running(
        four_workers,
        "broken.one_bad_slot:app",
        options=["--balance", "ip_hash", *QUICK],
        environ={"BROKEN_SLOTS": "1"},
        ready=[0, 2, 3],
    ) as cluster:
        tries = cluster.log().count("Worker 1 cannot boot")
        opened = open_until(
            lambda: cluster.log().count("Worker 1 cannot boot") > tries + 2, port=four_workers.bind
        )
        note(sessions=len(opened), longest=longest(opened))
        assert {session.slot for session in opened} == {0, 2, 3}
        assert longest(opened) < LONGEST_HANDSHAKE


def test_new_sessions_pass_by_a_slot_whose_next_worker_hangs_at_import(
    four_workers: Place, note: Note, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with running(
        four_workers,
        "broken.hangs_later:app",
        options=["--balance", "ip_hash"],
        environ={"BROKEN_GATE": str(gate)},
    ) as cluster:
        gate.touch()
        victim = cluster.worker_pid(1)
        assert victim
        kill(victim)
        cluster.wait_for_log("Worker 1 died")
        # ip_hash sends some of them to slot 1 first, while it still has a backlog and after.
        opened = open_until(lambda: not accepts(four_workers.slots[1]), port=four_workers.bind)
        note(sessions=len(opened), longest=longest(opened))
        assert {session.slot for session in opened} == {0, 2, 3}
        assert longest(opened) < LONGEST_HANDSHAKE
        gate.unlink()
        cluster.wait_for_log(f"Worker 1 :{four_workers.slots[1]} is ready")
        assert cluster.serving_pid(1) == cluster.worker_pid(1)


def open_until(condition: Callable[[], object], *, port: int) -> list[Opened]:
    """Sessions from all addresses, all of them again and again until `condition`, and once more."""
    opened: list[Opened] = []
    last_round = False
    while not last_round:
        last_round = bool(condition())
        opened += [open_session(port, address=address) for address in ADDRESSES]
    return opened


def longest(opened: list[Opened]) -> float:
    assert {session.status for session in opened} == {200}
    return max(session.seconds for session in opened)


def test_slot_that_has_had_enough_is_tried_ever_more_rarely(place: Place) -> None:
    """The waits that the log names double up to the cap, jitter of a quarter left aside."""
    with running(
        place,
        "broken.one_bad_slot:app",
        options=["--backoff", "0.1", "--backoff-max", "0.4"],
        environ={"BROKEN_SLOTS": "1"},
        ready=[0],
    ) as cluster:
        cluster.wait_for_log("Worker 1 cannot boot", count=4)
        waits = [
            float(line.split("next try in ")[1].split()[0])
            for line in cluster.log().splitlines()
            if "Worker 1 cannot boot" in line
        ]
        assert 0.1 <= waits[0] < 0.2 <= waits[1] < 0.4 <= waits[2] <= 0.5
