"""A clean stop lets every request end, turns new sessions away, and waits for nothing else."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, Place, running
from tests.integration.conftest import Note
from tests.integration.handshake import open_session
from tests.integration.waiting import SCALE, wait_until

SLOW = 3.0
TOO_SLOW = 60.0
SOON = 3 * SCALE
SECONDS = 30 * SCALE
HANDSHAKES = 20

Answer = tuple[int, str]
WHOLE: Answer = (200, "slow and whole")
CUT: Answer = (0, "")


@contextmanager
def slow_app(place: Place, *options: str) -> Iterator[Cluster]:
    environ = {"BROKEN_LOG": str(place.scratch / "pid")}
    with running(place, "broken.slow_page:app", options=options, environ=environ) as cluster:
        yield cluster
        assert "Traceback" not in cluster.log()


@contextmanager
def asking(cluster: Cluster, seconds: float) -> Iterator[Future[Answer]]:
    """A slow page, asked for through the front and under way in its worker."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, cluster.place.bind, f"/slow/{seconds}")
        wait_until(lambda: pid_asked(cluster), words="the request to be under way", log=cluster.log)
        yield answer


def pid_asked(cluster: Cluster) -> int:
    """The worker that has the slow request, or 0 before."""
    file = Path(cluster.environ["BROKEN_LOG"])
    return int(file.read_text() or 0) if file.exists() else 0


def port_asked(cluster: Cluster) -> int:
    (slot,) = [slot for slot in range(2) if cluster.worker_pid(slot) == pid_asked(cluster)]
    return cluster.place.slots[slot]


def ask(port: int, path: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except http.client.RemoteDisconnected:
        return CUT
    finally:
        connection.close()


def test_request_under_way_is_served_to_its_end_while_new_sessions_are_turned_away(
    place: Place, note: Note
) -> None:
    with slow_app(place) as cluster, asking(cluster, SLOW) as answer:
        port = port_asked(cluster)
        start = time.monotonic()
        cluster.kill(signal.SIGTERM)
        cluster.wait_for_log("Drains 0 sessions", count=2)
        handshakes = [open_session(port) for _ in range(HANDSHAKES)]
        in_front = [open_session(place.bind) for _ in range(HANDSHAKES)]
        assert ask(port, "/slow/0.0") == WHOLE
        assert not answer.done()
        assert answer.result() == WHOLE
        assert cluster.wait() == 0
        seconds = time.monotonic() - start
        longest = max(handshake.seconds for handshake in handshakes + in_front)
        note(seconds=seconds, longest=longest)
        assert {handshake.status for handshake in handshakes} == {503}
        # The front has tried the slots that refuse, too: which of the two it says, chance decides.
        assert {handshake.status for handshake in in_front} <= {502, 503}
        assert longest < SOON
        assert seconds < SLOW + SOON


def test_request_that_takes_too_long_is_cut_off_at_the_graceful_timeout(
    place: Place, note: Note
) -> None:
    with (
        slow_app(place, "--graceful-timeout", "2") as cluster,
        asking(cluster, TOO_SLOW) as answer,
    ):
        start = time.monotonic()
        assert cluster.stop() == 0
        seconds = time.monotonic() - start
        note(seconds=seconds)
        # By the front, or with it: it ends as soon as the last worker has.
        assert answer.result()[0] in (502, CUT[0])
        assert 1 <= seconds < 2 + SOON
        assert "1 requests had not ended in time" in cluster.log()


@pytest.mark.parametrize("request_line", [b"", b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"])
def test_connections_without_a_request_do_not_hold_up_the_stop(
    place: Place, note: Note, request_line: bytes
) -> None:
    with slow_app(place) as cluster, ExitStack() as idle:
        for port in cluster.worker_ports:
            client = idle.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS))
            client.sendall(request_line)
            assert not request_line or client.recv(4096).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        assert cluster.stop() == 0
        seconds = time.monotonic() - start
        note(seconds=seconds)
        assert seconds < SOON
