"""A worker that dies is replaced on its port, and those who talk to the others never notice."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from siocluster.master.slot import PATIENCE
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
CLIENTS = 30
PAUSE = 0.005
LONGEST_HANDSHAKE = 2.0 * SCALE
ADDRESSES = [f"127.0.{number}.1" for number in range(1, 21)]  # ip_hash: one hash for each /24


@dataclass(slots=True)
class Knocker:
    """Connects to a port over and over, and keeps the moments at which it was refused."""

    port: int
    knocks: int = 0
    refusals: list[float] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self.stop.wait(PAUSE):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)):
                    self.refusals.append(time.monotonic())
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


@dataclass(frozen=True, slots=True)
class Restart:
    """One worker killed and followed by another."""

    slot: int
    killed_at: float
    ready_at: float
    before: int | None
    after: int | None

    @property
    def seconds(self) -> float:
        return self.ready_at - self.killed_at

    def covers(self, moment: float) -> bool:
        """Whether somebody may be refused then: the worker is away, and has been for long."""
        return self.killed_at + PATIENCE <= moment <= self.ready_at


def kill_and_await(cluster: Cluster, slot: int, *, generation: int) -> Restart:
    before = cluster.worker_pid(slot)
    assert before
    killed_at = time.monotonic()
    kill(before)
    # Killed before the master has heard that it is ready, it would count as unable to boot.
    cluster.wait_for_log(f"Worker {slot} :{cluster.place.slots[slot]} is ready", count=generation)
    ready_at = time.monotonic()
    after = cluster.serving_pid(slot)
    assert after == cluster.worker_pid(slot)
    return Restart(slot, killed_at, ready_at, before, after)


def test_fifty_killed_workers_refuse_nobody_and_disturb_no_other_session(note: Note) -> None:
    """On a machine that is busy with other things a boot may outlast the patience: then alone
    may a connect be refused, so that a front moves on."""
    with (
        place_for(workers=3) as place,
        running(place, "broken.healthy:app", options=QUICK) as cluster,
        flood(cluster.url, clients=CLIENTS) as crowd,
        client_on_slot(place.bind, BYSTANDER) as bystander,
        knocking(*(place.slots[slot] for slot in VICTIMS)) as knockers,
    ):
        untouched = crowd.on_slot(BYSTANDER)
        own_pid = cluster.worker_pid(BYSTANDER)
        restarts = []
        for generation in range(1, ROUNDS + 1):
            for slot in VICTIMS:
                restarts.append(kill_and_await(cluster, slot, generation=generation))
                assert bystander.call("pid", timeout=5 * SCALE) == own_pid
                assert get(place.bind, "/pid")
        crowd.wait_for(
            lambda: len(crowd.saw("reconnect")) == len(crowd.saw("disconnect")),
            words="everybody to be back",
        )
        cut = {line["client"] for line in crowd.saw("disconnect")}
        note(
            kills=len(restarts),
            knocks=sum(knocker.knocks for knocker in knockers),
            refused=[len(knocker.refusals) for knocker in knockers],
            longest=max(restart.seconds for restart in restarts),
            slow=sum(restart.seconds > PATIENCE for restart in restarts),
            reconnects=len(crowd.saw("reconnect")),
        )
        assert len({restart.after for restart in restarts}) == 2 * ROUNDS
        for slot, knocker in zip(VICTIMS, knockers, strict=True):
            own = [restart for restart in restarts if restart.slot == slot]
            assert [when for when in knocker.refusals if not allowed(when, own)] == []
        assert sum(restart.seconds < PATIENCE for restart in restarts) > ROUNDS
        assert untouched and cut and not untouched & cut
        assert crowd.end()["connected"] == CLIENTS


def allowed(moment: float, restarts: list[Restart]) -> bool:
    return any(restart.covers(moment) for restart in restarts)


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
