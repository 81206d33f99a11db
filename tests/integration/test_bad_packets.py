"""Bytes that are no packet: their session is closed at once, and nobody else notices."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import socketio
import websocket

from tests.integration.cluster import Cluster, start_cluster
from tests.integration.waiting import SCALE, wait_until

GOODBYE = "goodbye"
LARGEST = 1_000_000  # python-engineio's default for one message
PIECE = 100_000
EVENT = '42["say","%s"]'
TEXT, CONTINUATION, PING = 0x1, 0x0, 0x9  # RFC 6455, section 5.2
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


def send_piece(connection: websocket.WebSocket, text: str, *, fin: int, opcode: int) -> None:
    """One frame of a message; an error of the socket once the server has hung up."""
    connection.send_frame(websocket.ABNF(fin, 0, 0, 0, opcode, 1, text))


def send_largest(connection: websocket.WebSocket, *, fin: int) -> None:
    """An event of the largest size in many frames, a ping between them; the last one has `fin`."""
    event = EVENT % ("x" * (LARGEST - len(EVENT % "")))
    starts = range(0, LARGEST, PIECE)
    for start in starts:
        if start:
            send_piece(connection, "still there?", fin=1, opcode=PING)
        piece = event[start : start + PIECE]
        opcode = CONTINUATION if start else TEXT
        send_piece(connection, piece, fin=fin if start == starts[-1] else 0, opcode=opcode)


def test_message_of_many_frames_over_the_limit_ends_its_session_before_it_is_whole(
    cluster: Cluster,
) -> None:
    before = goodbyes(cluster)
    with websocket_session(cluster) as connection:
        send_largest(connection, fin=0)
        with suppress(OSError):
            send_piece(connection, "x", fin=0, opcode=CONTINUATION)
        assert is_ended(connection)
    wait_until(lambda: goodbyes(cluster) == before + 1, words="disconnect", seconds=SECONDS)


def test_message_of_many_frames_within_the_limit_is_read_whole(cluster: Cluster) -> None:
    before = goodbyes(cluster)
    with websocket_session(cluster) as connection:
        for _ in range(2):
            send_largest(connection, fin=1)
        connection.send("40/nowhere,")
        assert connection.recv().startswith("44/nowhere,")
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
