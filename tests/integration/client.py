"""A stock Python client on one certain worker, which the front is not asked about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import socketio

from tests.integration.waiting import SCALE

SECONDS = 10 * SCALE


@contextmanager
def client_at(port: int) -> Iterator[socketio.Client]:
    """Connected over WebSocket to whoever serves `port`; it does not come back when cut."""
    client = socketio.Client(reconnection=False)
    client.connect(f"http://127.0.0.1:{port}", transports=["websocket"], wait_timeout=SECONDS)
    try:
        yield client
    finally:
        client.disconnect()


@contextmanager
def client_on_slot(port: int, slot: int) -> Iterator[socketio.Client]:
    """Through the front at `port`; tries until the new session lives on that slot of node `a`."""
    for _ in range(60):
        with client_at(port) as client:
            if client.get_sid().startswith(f"a{slot}-"):
                yield client
                return
    raise AssertionError(f"no session came to slot {slot}")
