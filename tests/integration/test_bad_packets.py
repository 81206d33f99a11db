"""Bytes that are no packet: their session is closed at once, and nobody else notices."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import socketio
import websocket

from tests.integration.cluster import Cluster, start_cluster
from tests.integration.waiting import SCALE, wait_until

GOODBYE = "goodbye"
SECONDS = 10 * SCALE  # far less than the ping timeout, by which stock would notice
DEEP = "4" + "[" * 100_000
FRAMES = {"no digit": "x", "empty": "", "too deep": DEEP}
BODIES = {
    "bad UTF-8": b"\xff\xfe",
    "no digit": b"x",
    "form": b"d=x",
    "too many packets": b"\x1e".join([b'42["say"]'] * 40),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An app that writes a line for each `disconnect`."""
    log = tmp_path_factory.mktemp("counted") / GOODBYE
    with start_cluster("broken.counted:app", environ={"BROKEN_LOG": str(log)}) as running:
        yield running
        assert "Traceback" not in running.log()


def goodbyes(cluster: Cluster) -> int:
    log = Path(cluster.environ["BROKEN_LOG"])
    return log.read_text().count("disconnect ") if log.exists() else 0


@contextmanager
def websocket_session(cluster: Cluster) -> Iterator[websocket.WebSocket]:
    url = cluster.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(url, timeout=SECONDS)
    try:
        assert connection.recv().startswith("0")
        connection.send("40")
        assert connection.recv().startswith("40")
        yield connection
    finally:
        connection.shutdown()  # close() leaves the socket open once the server has closed


def is_ended(connection: websocket.WebSocket) -> bool:
    """Whether the server closes the connection, with or without an Engine.IO close packet."""
    try:
        return connection.recv() in ("", "1")
    except websocket.WebSocketConnectionClosedException:
        return True


def ask(cluster: Cluster, method: str, query: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(cluster.url).netloc, timeout=SECONDS)
    try:
        connection.request(method, f"/socket.io/?EIO=4&transport=polling{query}", body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def polling_session(cluster: Cluster) -> str:
    _, opened = ask(cluster, "GET", "")
    query = f"&sid={json.loads(opened[1:])['sid']}"
    assert ask(cluster, "POST", query, b"40")[0] == 200
    assert ask(cluster, "GET", query)[1].startswith(b"40")
    return query


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_frame_that_is_no_packet_closes_its_session_at_once(cluster: Cluster, frame: str) -> None:
    before = goodbyes(cluster)
    with websocket_session(cluster) as connection:
        connection.send(frame)
        assert is_ended(connection)
    wait_until(lambda: goodbyes(cluster) == before + 1, words="disconnect", seconds=SECONDS)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_body_that_is_no_packets_is_answered_400_and_closes_its_session(
    cluster: Cluster, body: bytes
) -> None:
    before = goodbyes(cluster)
    query = polling_session(cluster)
    assert ask(cluster, "POST", query, body)[0] == 400
    wait_until(lambda: goodbyes(cluster) == before + 1, words="disconnect", seconds=SECONDS)


def test_body_over_the_limit_is_answered_without_a_poll_that_waits(cluster: Cluster) -> None:
    query = polling_session(cluster)
    assert ask(cluster, "POST", query, b"4" + b"x" * 1_500_000)[0] == 400


def test_neighbour_of_a_bad_client_goes_on(cluster: Cluster) -> None:
    with socketio.SimpleClient() as good:
        good.connect(cluster.url)
        sid = good.sid
        for frame in FRAMES.values():
            with websocket_session(cluster) as bad:
                bad.send(frame)
                assert is_ended(bad)
        assert (good.sid, good.connected) == (sid, True)
