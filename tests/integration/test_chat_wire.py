"""The chat's wire, as stock Python clients and as bare sockets see it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import socketio
from websocket import WebSocket, create_connection

from chatapp import rules
from tests.integration.app_server import ROOT, RunningApp
from tests.integration.chat_client import TIMEOUT, Client
from tests.integration.cluster import start_cluster
from tests.integration.waiting import wait_until

TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]]


Enter = Callable[..., Client]


@pytest.fixture(scope="module")
def chat_server() -> Iterator[RunningApp]:
    """The bundled chat on two workers, through nginx."""
    with start_cluster("siocluster.chatapp:socketio") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def chat_server_url(chat_server: RunningApp) -> str:
    return chat_server.url


@pytest.fixture(autouse=True)
def silence(chat_server: RunningApp) -> Iterator[None]:
    """Whatever a client does wrong, no traceback comes of it."""
    before = len(chat_server.log())
    yield
    assert "Traceback" not in chat_server.log()[before:]


@pytest.fixture
def room() -> str:
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def connect(chat_server_url: str, room: str) -> Iterator[Enter]:
    """Connects without a join."""
    clients: list[Client] = []

    def connected(*, roomid: str = room, transports: list[str] = TRANSPORTS[0]) -> Client:
        client = Client(f"{chat_server_url}?roomid={roomid}", transports=transports)
        clients.append(client)
        return client

    yield connected
    for client in clients:
        client.socket.disconnect()


@pytest.fixture
def enter(connect: Enter) -> Enter:
    """Connects and joins."""

    def entered(name: str, **more: Any) -> Client:
        client = connect(**more)
        assert client.ask("join", {"username": name})["ok"]
        return client

    return entered


@pytest.fixture
def bare(chat_server_url: str, room: str) -> Iterator[WebSocket]:
    """A WebSocket that has connected to the room and joined, to send any frame by."""
    url = chat_server_url.replace("http", "ws", 1)
    socket = create_connection(
        f"{url}/socket.io/?EIO=4&transport=websocket&roomid={room}", timeout=TIMEOUT
    )
    try:
        socket.send("40")
        socket.send('420["join",{"username":"Bare"}]')
        answer_of(socket, "430")
        yield socket
    finally:
        socket.close()


def answer_of(socket: WebSocket, prefix: str) -> Any:
    """What the first packet that begins so carries; "430" is the ack of the event with id 0."""
    while True:
        packet = socket.recv()
        assert isinstance(packet, str)
        if packet.startswith(prefix):
            return json.loads(packet[packet.index("[") :])[-1]


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_everyone_in_the_room_hears_join_say_and_quit(
    enter: Enter, room: str, transports: list[str]
) -> None:
    ada = enter("Ada", transports=transports)
    ben = enter("Ben", transports=transports)
    ada.wait_for("join", username="Ben", roomid=room)
    assert ada.ask("say", {"text": "Good morning"})["ok"]
    for one in (ada, ben):
        one.wait_for("broadcast_say", username="Ada", text="Good morning", roomid=room)
    ben.socket.disconnect()
    ada.wait_for("broadcast_quit", username="Ben", roomid=room)


def test_a_room_hears_nothing_of_another(enter: Enter, room: str) -> None:
    ada = enter("Ada")
    eve = enter("Eve", roomid=f"{room}-other")
    eve.ask("say", {"text": "elsewhere"})
    ada.ask("say", {"text": "here"})
    ada.wait_for("broadcast_say", text="here")
    assert {message["data"]["username"] for message in ada.heard} == {"Ada"}


def test_the_sid_of_another_is_no_room(enter: Enter, connect: Enter) -> None:
    ada = enter("Ada")
    eve = enter("Eve", roomid=ada.socket.get_sid())
    eve.ask("say", {"text": "psst"})
    ada.ask("say", {"text": "still alone"})
    ada.wait_for("broadcast_say", text="still alone")
    assert {message["data"]["username"] for message in ada.heard} == {"Ada"}


def test_who_only_connected_is_not_in_the_room(enter: Enter, connect: Enter) -> None:
    ada = enter("Ada")
    silent = connect()
    ada.ask("say", {"text": "anyone?"})
    silent.socket.disconnect()
    ada.ask("say", {"text": "no one"})
    ada.wait_for("broadcast_say", text="no one")
    assert silent.heard == []
    assert [message["event"] for message in ada.heard] == ["join", "broadcast_say", "broadcast_say"]


def test_the_id_follows_from_the_key_and_hides_it(connect: Enter) -> None:
    key = "a-secret-of-this-browser"
    first = connect().ask("join", {"username": "Ada", "key": key})
    again = connect().ask("join", {"username": "Ada from her phone", "key": key})
    other = connect().ask("join", {"username": "Ada", "key": "a-secret-of-that-browser"})
    assert first["id"] == again["id"] != other["id"]
    assert key not in first["id"]


def test_a_message_keeps_the_id_its_author_gave_it(enter: Enter) -> None:
    ada = enter("Ada")
    answer = ada.ask("say", {"text": "hello", "message_id": "0123-abcd"})
    data = ada.wait_for("broadcast_say", message_id="0123-abcd")
    assert answer["id"] == answer["message_id"] == "0123-abcd"
    assert answer["time"] == data["time"]
    assert ada.ask("say", {"text": "hello"})["message_id"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("roomid=", "room_missing"),
        ("roomid=%20%20", "room_missing"),
        ("roomid=" + "x" * 65, "room_too_long"),
        ("roomid=a%2Fb", "room_unusable"),
        ("roomid=..", "room_unusable"),
        ("roomid=a%00b", "room_unusable"),
    ],
)
def test_a_connection_with_an_unusable_room_is_refused_with_its_reason(
    chat_server_url: str, query: str, code: str
) -> None:
    refusals: list[dict[str, Any]] = []
    client = socketio.Client(reconnection=False)
    client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(f"{chat_server_url}?{query}", transports=["websocket"])
    client.disconnect()
    (refusal,) = refusals
    assert refusal["data"] == {"code": code}
    assert refusal["message"]


@pytest.mark.parametrize(
    ("event", "arguments", "code"),
    [
        ("join", [], "wrong_shape"),
        ("join", ["Ada"], "wrong_shape"),
        ("join", [{"username": "Ada"}, "more"], "wrong_shape"),
        ("join", [{}], "name_missing"),
        ("join", [{"username": 7}], "name_missing"),
        ("join", [{"username": " \u200b "}], "name_missing"),
        ("join", [{"username": "x" * 10_000}], "name_too_long"),
        ("join", [{"username": "A\x1b[31mda"}], "name_unusable"),
        ("join", [{"username": "A\nda"}], "name_unusable"),
        ("join", [{"username": "\u202eadA"}], "name_unusable"),
        ("join", [{"username": "Ada\ud800"}], "name_unusable"),
        ("join", [{"username": "Ada", "key": 5}], "wrong_shape"),
        ("join", [{"username": "Ada", "key": "short"}], "wrong_shape"),
        ("join", [{"username": "Ada", "roomid": "x" * 10_000}], "room_too_long"),
        ("join", [{"username": "Ada", "roomid": "a\x00b"}], "room_unusable"),
        ("say", [{"text": "hello"}], "not_joined"),
        ("history", [{}], "not_joined"),
        ("leave", [{}], "not_joined"),
        ("dance", [{"partner": "Ada"}], "unknown_event"),
    ],
)
def test_a_stranger_is_told_what_was_wrong(
    connect: Enter, event: str, arguments: list[object], code: str
) -> None:
    stranger = connect()
    answer = stranger.ask(event, *arguments)
    assert (answer["ok"], answer["code"]) == (False, code)
    assert answer["error"]
    wait_until(lambda: stranger.refusals == [answer], words="the event `refused`")
    assert stranger.ask("join", {"username": "Ada"})["ok"], "a mistake ended the connection"


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (None, "wrong_shape"),
        ([1, 2], "wrong_shape"),
        ({"text": None}, "text_missing"),
        ({"text": {"deep": "er"}}, "text_missing"),
        ({"text": " \n\t "}, "text_missing"),
        ({"text": "x" * 4001}, "text_too_long"),
        ({"text": "x" * (1 << 20)}, "text_too_long"),
        ({"text": "я" * (1 << 19)}, "text_too_long"),
        ({"text": "a\x00b"}, "text_unusable"),
        ({"text": "half \udc00"}, "text_unusable"),
        ({"text": "hello", "id": "../../x"}, "wrong_shape"),
        ({"text": "hello", "id": "x" * 65}, "wrong_shape"),
        ({"text": b"bytes"}, "unreadable"),
    ],
)
def test_a_text_that_cannot_be_said_disturbs_nobody(
    enter: Enter, argument: object, code: str
) -> None:
    ada = enter("Ada")
    ben = enter("Ben")
    ada.socket.emit("say", argument)
    wait_until(lambda: ada.refusals, words="the event `refused`")
    assert ada.refusals[0]["code"] == code
    assert ada.ask("say", {"text": "a proper one"})["ok"], "a mistake ended the connection"
    ben.wait_for("broadcast_say", text="a proper one")
    assert [message["event"] for message in ben.heard] == ["join", "broadcast_say"]


def test_a_text_of_the_greatest_length_is_said(enter: Enter) -> None:
    ada = enter("Ada")
    text = "🍅" * rules.MAX_TEXT
    assert ada.ask("say", {"text": text})["ok"]
    ada.wait_for("broadcast_say", text=text)


def test_a_second_join_changes_nothing(enter: Enter) -> None:
    ada = enter("Ada")
    assert ada.ask("join", {"username": "Ada"})["ok"]
    assert ada.ask("join", {"username": "Somebody"})["code"] == "already_joined"
    ada.ask("say", {"text": "still me"})
    ada.wait_for("broadcast_say", username="Ada", text="still me")
    assert [message["event"] for message in ada.heard] == ["join", "broadcast_say"]


@pytest.mark.parametrize(
    "frame",
    [
        "42{bad json",
        "42",
        "42[]",
        "42{}",
        "42[7]",
        "42" + "[" * 100_000,
        "4",
        "4x",
        '4["say"]',
        '42["connect",{}]',
        '42["disconnect"]',
        '451-["say",{"_placeholder":true,"num":0}]',
        '44{"message":"no"}',
        "49",
    ],
    ids=lambda frame: str(frame)[:20],
)
def test_a_frame_that_cannot_be_read_is_answered(enter: Enter, bare: WebSocket, frame: str) -> None:
    ada = enter("Ada")
    bare.send(frame)
    assert answer_of(bare, '42["refused"')["code"] == "unreadable"
    bare.send('421["say",{"text":"a proper one"}]')
    assert answer_of(bare, "431")["ok"]
    ada.wait_for("broadcast_say", username="Bare", text="a proper one")
    assert "broadcast_quit" not in {message["event"] for message in ada.heard}


@pytest.mark.parametrize("frame", ["40", '43999["an ack nobody waits for"]', "43[1]", "9"])
def test_a_frame_without_meaning_disturbs_nobody(bare: WebSocket, frame: str) -> None:
    bare.send(frame)
    bare.send('421["say",{"text":"a proper one"}]')
    assert answer_of(bare, "431")["ok"]


def test_a_frame_beyond_all_bounds_ends_its_connection_only(enter: Enter, bare: WebSocket) -> None:
    ada = enter("Ada")
    with suppress(ConnectionError):  # it may end before it has taken the whole frame
        bare.send("x" * (rules.MAX_FRAME_BYTES + 1))
    ada.wait_for("broadcast_quit", username="Bare")
    assert ada.ask("say", {"text": "calm"})["ok"]


@pytest.mark.parametrize("path", ["/", "/r/garden", "/r/花园", "/r/" + "x" * 500])
def test_the_page_lets_nothing_foreign_in(chat_server_url: str, path: str) -> None:
    answer = requests.get(chat_server_url + path, timeout=TIMEOUT)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_and_the_wire_have_the_same_bounds() -> None:
    html = (ROOT / "static" / "index.html").read_text()
    store = (ROOT / "static" / "js" / "store.js").read_text()
    limits = {
        name: int(limit)
        for name, limit in re.findall(r'<input id="(\w+)".*?maxlength="(\d+)"', html)
    }
    rooms = {"place": rules.MAX_ROOM, "another": rules.MAX_ROOM}
    assert limits == {"name": rules.MAX_NAME, **rooms}
    assert f"MAX_TEXT = {rules.MAX_TEXT};" in store
    assert f"MAX_ROOMS = {rules.MAX_ROOMS};" in store
