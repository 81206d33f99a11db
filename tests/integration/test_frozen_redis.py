"""A Redis that freezes closes no connection: it is found out, and heard again when it wakes up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import socketio

from tests.integration.client import client_at
from tests.integration.cluster import Cluster, Place, kill, running
from tests.integration.conftest import Note
from tests.integration.handshake import open_session
from tests.integration.test_services import of_redis, only
from tests.integration.waiting import SCALE, is_ready, wait_until

SECONDS_TO_NOTICE = 10 * SCALE
SECONDS_TO_HEAR = 6 * SCALE
SECONDS_TO_SAY = 30 * SCALE


@dataclass(slots=True)
class Talker:
    """A client of one worker, and what it has heard."""

    client: socketio.Client
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client.on("said", self.heard.append)

    def say(self, text: str) -> None:
        """Returns when the handler has."""
        self.client.call("say", text, timeout=SECONDS_TO_SAY)

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.heard, words=text, seconds=SECONDS_TO_HEAR)


@pytest.fixture
def cluster(place: Place) -> Iterator[Cluster]:
    with running(place, "broken.loud:app") as cluster:
        yield cluster
        assert "Traceback" not in cluster.log()


@contextmanager
def talkers(cluster: Cluster) -> Iterator[list[Talker]]:
    """One on each worker."""
    first, second = cluster.worker_ports
    with client_at(first) as one, client_at(second) as other:
        yield [Talker(one), Talker(other)]


@contextmanager
def frozen_redis(cluster: Cluster) -> Iterator[int]:
    pid = only(cluster, of_redis).pid
    kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        kill(pid, signal.SIGCONT)


def ports(cluster: Cluster) -> tuple[int, ...]:
    """The front's and the workers'."""
    return (cluster.place.bind, *cluster.worker_ports)


def wait_until_noticed(cluster: Cluster) -> float:
    return wait_until(
        lambda: not any(map(is_ready, ports(cluster))),
        words="nobody to be ready",
        seconds=SECONDS_TO_NOTICE,
        log=cluster.log,
    )


def wait_until_back(cluster: Cluster) -> float:
    return wait_until(
        lambda: all(map(is_ready, ports(cluster))),
        words="all to be ready",
        seconds=SECONDS_TO_HEAR,
        log=cluster.log,
    )


def test_frozen_redis_refuses_new_sessions_until_it_is_heard_again(
    cluster: Cluster, note: Note
) -> None:
    with talkers(cluster) as (one, other):
        with frozen_redis(cluster):
            noticed = wait_until_noticed(cluster)
            assert [open_session(port).status for port in cluster.worker_ports] == [503, 503]
            # The front has tried the spare slots, too: what it says is what the last one said.
            assert open_session(cluster.place.bind).status in (502, 503)
        back = wait_until_back(cluster)
        note(noticed=noticed, back=back)
        assert open_session(cluster.place.bind).status == 200
        one.say("after")
        other.wait_for("after")
        assert one.client.connected and other.client.connected
        assert "Lost Redis" in cluster.log() and "Hears Redis again" in cluster.log()


def test_emit_into_a_frozen_redis_waits_and_reaches_everyone_once(cluster: Cluster) -> None:
    with talkers(cluster) as (one, other), ThreadPoolExecutor() as pool:
        with frozen_redis(cluster):
            saying = pool.submit(one.say, "meanwhile")
            wait_until_noticed(cluster)
            assert not saying.done()
            assert one.heard == other.heard == []
        saying.result(SECONDS_TO_SAY)
        one.say("after")
        other.wait_for("after")
        assert one.heard == other.heard == ["meanwhile", "after"]
