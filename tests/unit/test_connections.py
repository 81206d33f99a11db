"""A stop waits for requests and for the first of a new connection, and for nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import gevent
import pytest

from siocluster.worker.connections import FIRST_REQUEST_SECONDS, Connections

NOW = 100.0


@dataclass(slots=True)
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connections(clock: Clock) -> Connections:
    return Connections(clock)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection at the server, and the client's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


@pytest.fixture
def connection(pair: tuple[socket.socket, socket.socket]) -> socket.socket:
    return pair[0]


def is_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_nobody_there_is_quiet_at_once(connections: Connections) -> None:
    assert connections.wait_until_quiet(deadline=NOW + 10) == 0


def test_a_request_is_waited_for(connections: Connections, connection: socket.socket) -> None:
    connections.opened(connection)
    connections.asked(connection)
    waiting = gevent.spawn(connections.wait_until_quiet, deadline=NOW + 10)
    gevent.sleep(0)
    assert not waiting.ready() and not is_hung_up(connection)
    connections.answered(connection)
    assert waiting.get(timeout=5) == 0
    assert is_hung_up(connection)


def test_a_request_that_never_ends_is_counted_at_the_deadline(
    connections: Connections, connection: socket.socket, clock: Clock
) -> None:
    connections.asked(connection)
    waiting = gevent.spawn(connections.wait_until_quiet, deadline=NOW + 0.01)
    gevent.sleep(0)
    clock.now = NOW + 0.01
    assert waiting.get(timeout=5) == 1
    assert not is_hung_up(connection)


def test_a_new_connection_may_have_its_request_on_the_way(
    connections: Connections, connection: socket.socket
) -> None:
    connections.opened(connection)
    waiting = gevent.spawn(connections.wait_until_quiet, deadline=NOW + 10)
    gevent.sleep(0)
    assert not waiting.ready() and not is_hung_up(connection)
    connections.asked(connection)
    connections.answered(connection)
    assert waiting.get(timeout=5) == 0


def test_a_connection_that_has_asked_nothing_for_long_is_hung_up(
    connections: Connections, connection: socket.socket, clock: Clock
) -> None:
    connections.opened(connection)
    clock.now += FIRST_REQUEST_SECONDS
    assert connections.wait_until_quiet(deadline=NOW + 10) == 0
    assert is_hung_up(connection)


def test_a_request_that_had_arrived_is_still_read_after_the_hang_up(
    connections: Connections, pair: tuple[socket.socket, socket.socket]
) -> None:
    connection, client = pair
    connections.answered(connection)
    client.sendall(b"GET")
    assert connections.wait_until_quiet(deadline=NOW + 10) == 0
    assert (connection.recv(16), connection.recv(16)) == (b"GET", b"")


def test_a_websocket_is_not_waited_for(connections: Connections, connection: socket.socket) -> None:
    connections.opened(connection)
    connections.asked(connection)
    connections.forget(connection)
    assert (connections.wait_until_quiet(deadline=NOW + 10), connections.asking) == (0, 0)
    assert not is_hung_up(connection)
