"""A worker whose hub is blocked is found out, says where it hangs, and is replaced."""

from __future__ import annotations

import time
from dataclasses import dataclass

import socketio

from tests.integration.client import client_at
from tests.integration.cluster import Cluster, place_for, running
from tests.integration.conftest import Note
from tests.integration.waiting import SCALE, accepts, is_ready, wait_until

HEARTBEAT_TIMEOUT = 2
SECONDS_BLOCKED = 5
SECONDS_TO_REPLACE = (HEARTBEAT_TIMEOUT + 5) * SCALE


@dataclass(slots=True)
class Hang:
    """One way to block a worker, and a name that its stack in the log must show."""

    event: str
    arguments: tuple[object, ...]
    guilty: str
    since: float = 0.0
    seconds: float = 0.0

    def begin(self, client: socketio.Client) -> None:
        client.emit(self.event, *self.arguments)
        self.since = time.monotonic()


HANGS = (
    Hang("spin", (), guilty="in count_for_ever"),
    Hang("block", (600,), guilty="in block"),
    Hang("grind", (), guilty="in grind"),
)


def asked(cluster: Cluster, slot: int) -> object:
    """The pid that a new session on this slot is told."""
    with client_at(cluster.place.slots[slot]) as client:
        return client.call("pid", timeout=5 * SCALE)


def test_blocked_workers_are_replaced_in_time_with_the_guilty_stack_in_the_log(note: Note) -> None:
    options = ["--heartbeat-timeout", str(HEARTBEAT_TIMEOUT), "--backoff", "0.05"]
    with (
        place_for(workers=4) as place,
        running(place, "broken.busy:app", options=options) as cluster,
        client_at(place.slots[0]) as spinning,
        client_at(place.slots[1]) as blocked,
        client_at(place.slots[2]) as grinding,
        client_at(place.slots[3]) as bystander,
    ):
        pids = {slot: cluster.worker_pid(slot) for slot in range(4)}
        for hang, client in zip(HANGS, (spinning, blocked, grinding), strict=True):
            hang.begin(client)
        for slot, hang in enumerate(HANGS):
            # First by title: a question to a port whose worker hangs would wait in vain.
            wait_until(
                lambda slot=slot: (
                    cluster.worker_pid(slot) not in (None, pids[slot])
                    and is_ready(place.slots[slot])
                ),
                words=f"slot {slot} to have another worker",
                log=cluster.log,
            )
            assert asked(cluster, slot) == cluster.worker_pid(slot)
            hang.seconds = time.monotonic() - hang.since
        note(**{hang.event: round(hang.seconds, 2) for hang in HANGS})
        assert [hang.guilty for hang in HANGS if hang.guilty not in cluster.log()] == []
        assert max(hang.seconds for hang in HANGS) < SECONDS_TO_REPLACE
        assert bystander.call("pid", timeout=5 * SCALE) == pids[3]


def test_new_sessions_pass_by_a_blocked_worker_and_come_back_when_it_answers() -> None:
    with (
        place_for(workers=2) as place,
        running(place, "broken.busy:app", options=["--heartbeat-timeout", "6"]) as cluster,
        client_at(place.slots[0]) as blocked,
    ):
        blocked.emit("block", SECONDS_BLOCKED)
        wait_until(lambda: not accepts(place.slots[0]), words="the blocked slot to refuse")
        for _ in range(10):
            begun = time.monotonic()
            with client_at(place.bind) as client:
                assert client.call("pid", timeout=5 * SCALE) == cluster.worker_pid(1)
            assert time.monotonic() - begun < 2 * SCALE
        wait_until(lambda: accepts(place.slots[0]), words="the slot to be back", log=cluster.log)
        assert asked(cluster, 0) == cluster.worker_pid(0)
        assert blocked.call("pid", timeout=5 * SCALE) == cluster.worker_pid(0)
        assert "Traceback" not in cluster.log()
