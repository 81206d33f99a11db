"""Redis is away or hung for long: nothing that was acknowledged is missing at any client.

The three outages run beside each other, each with a cluster and a Redis of its own, so that they
take as long as the longest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from tests.apps.checks.durable_redis import DurableRedis, durable_redis
from tests.apps.checks.puppets import RECOVERY, Puppet, Stage, order, stage
from tests.apps.checks.records import Told, check_heard, check_same_order, hush
from tests.integration.cluster import Cluster, start_cluster
from tests.integration.conftest import Note
from tests.integration.handshake import open_session
from tests.integration.waiting import SCALE, is_ready, wait_until

Fault = Callable[[DurableRedis], AbstractContextManager[None]]

OUTAGES: dict[str, tuple[Fault, float]] = {
    "killed for 10 s": (DurableRedis.away, 10),
    "hung for 10 s": (DurableRedis.hung, 10),
    "killed for 40 s": (DurableRedis.away, 40),
}
ROOM = "agora"
PAUSE_MS = 80  # between two of a speaker's emits: what both say in 30 s is kept of a room (1000)
SECONDS_WAITED = 30  # for which an emit waits before it raises
SECONDS_TO_COME_BACK = 3 * SCALE
LONG = 60 * SCALE


@dataclass(frozen=True, slots=True)
class Report:
    """Of one outage: who heard and said what, and how long the return took."""

    told: list[Told]
    logs: dict[str, list[list[str]]]
    seconds_to_serve: float
    seconds_to_be_ready: float
    handshakes: list[int]
    was_ready: bool


@dataclass(frozen=True, slots=True)
class Silent:
    """A client that has ended, with the log that it left."""

    name: str
    entries: list[list[str]]

    def heard(self, event: str) -> list[list[str]]:
        return [args for name, *args in self.entries if name == event]


def outage(fault: Fault, seconds: float) -> Report:
    with (
        durable_redis() as redis,
        start_cluster("switchboard.app:app", options=["--redis", redis.url]) as cluster,
        stage() as the_stage,
    ):
        return live_through(cluster, the_stage, redis=redis, fault=fault, seconds=seconds)


def live_through(
    cluster: Cluster, the_stage: Stage, *, redis: DurableRedis, fault: Fault, seconds: float
) -> Report:
    speakers, listeners = cast(cluster, the_stage)
    for listener in listeners:
        listener.wait("said", count=10)
    with fault(redis):
        let_pass(seconds)
        was_ready = any(map(is_ready, cluster.worker_ports))
        handshakes = [open_session(port).status for port in cluster.worker_ports]
    back = time.monotonic()
    for speaker in speakers:
        speaker.begin(order("emit", "back", to=ROOM))
    to_be_ready = wait_until(
        lambda: all(map(is_ready, cluster.worker_ports)), words="ready workers", log=cluster.log
    )
    for listener in listeners:
        listener.wait("back", count=len(speakers), seconds=LONG)
    to_serve = time.monotonic() - back
    told = hush(speakers, listeners)
    logs = {listener.name: listener.log() for listener in listeners}
    return Report(told, logs, to_serve, to_be_ready, handshakes, was_ready)


def cast(cluster: Cluster, the_stage: Stage) -> tuple[list[Puppet], list[Puppet]]:
    """A speaker on each worker, and on each two listeners, one of which asks for recovery."""
    urls = [f"http://127.0.0.1:{port}" for port in cluster.worker_ports]
    listeners = [
        the_stage.open(f"{kind} {slot}", url, query=query)
        for slot, url in enumerate(urls)
        for kind, query in (("plain", {}), ("recovering", RECOVERY))
    ]
    speakers = [the_stage.open(f"speaker {slot}", url) for slot, url in enumerate(urls)]
    for listener in listeners:
        listener.do(order("join", ROOM))
    for speaker in speakers:
        speaker.tell("talk", room=ROOM, event="said", every=PAUSE_MS)
    return speakers, listeners


def let_pass(seconds: float) -> None:
    """Time itself is what an outage is made of."""
    start = time.monotonic()
    wait_until(
        lambda: time.monotonic() > start + seconds,
        words=f"{seconds} s to pass",
        seconds=2 * seconds,
    )


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[str, Future[Report]]]:
    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(outage, *how) for name, how in OUTAGES.items()}


@pytest.fixture(params=OUTAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def report(reports: dict[str, Future[Report]], name: str) -> Report:
    return reports[name].result()


def test_nothing_acknowledged_is_missing_at_any_client(report: Report, note: Note) -> None:
    listeners = [Silent(name, entries) for name, entries in report.logs.items()]
    note(
        acked=sum(len(told.acked) for told in report.told),
        refused=sum(len(told.refused) for told in report.told),
        back=report.seconds_to_serve,
    )
    for told in report.told:
        assert len(told.acked) > 100
    for listener in listeners:
        check_heard(listener, report.told)
    check_same_order(listeners)


def test_clients_stay_connected(report: Report) -> None:
    heard = {name: {entry[0] for entry in entries} for name, entries in report.logs.items()}
    assert not [name for name, events in heard.items() if "disconnect" in events]


def test_service_is_back_soon_after_redis(report: Report) -> None:
    assert report.seconds_to_serve < SECONDS_TO_COME_BACK
    assert report.seconds_to_be_ready < SECONDS_TO_COME_BACK


def test_nobody_is_let_in_meanwhile(report: Report) -> None:
    assert not report.was_ready
    assert report.handshakes == [503, 503]


def test_emit_waits_for_redis_or_raises_what_says_that_it_is_not_stored(
    report: Report, name: str
) -> None:
    _, seconds = OUTAGES[name]
    reasons = {reason for told in report.told for _, reason in told.refused}
    assert reasons == ({"NotStoredError"} if seconds > SECONDS_WAITED else set())
