"""Requests for sessions that have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import engineio
import pytest
from engineio.socket import Socket

from siocluster.worker.engine import forgetting_closed_sessions

STOCK = engineio.Server.handle_request
MENDED = forgetting_closed_sessions(STOCK)


@pytest.fixture
def server() -> engineio.Server:
    """With one session that has ended and is still known, as after a ping timeout."""
    server = engineio.Server(async_mode="threading")
    session = Socket(server, "ended")
    session.connected = session.closed = True
    server.sockets["ended"] = session
    return server


def status(handle: Callable[..., Any], server: engineio.Server, method: str) -> str:
    told: list[str] = []
    query = "EIO=4&transport=polling&sid=ended"
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": query, "CONTENT_LENGTH": "0"}
    handle(server, environ, lambda line, _headers: told.append(line))
    return told[0]


def test_stock_still_raises_for_a_post_to_a_session_that_has_ended(
    server: engineio.Server,
) -> None:
    """When it does not any more, the mending can go."""
    with pytest.raises(KeyError):
        status(STOCK, server, "POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_for_a_session_that_has_ended_is_answered_400(
    server: engineio.Server, method: str
) -> None:
    assert status(MENDED, server, method).startswith("400")
    assert server.sockets == {}
