"""The chat's wire beyond one room: many on a connection, history, presence, a pace; two workers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from websocket import create_connection

from chatapp import rules
from tests.integration.chat_client import TIMEOUT, Client
from tests.integration.cluster import Cluster, start_cluster
from tests.integration.javascript import run_script
from tests.integration.waiting import wait_until

Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def chat() -> Iterator[Cluster]:
    with start_cluster("siocluster.chatapp:socketio") as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def silence(chat: Cluster) -> Iterator[None]:
    """Whatever a client does wrong, no traceback comes of it."""
    before = len(chat.log())
    yield
    assert "Traceback" not in chat.log()[before:]


@pytest.fixture
def room() -> str:
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def connect(chat: Cluster) -> Iterator[Connect]:
    """A client on the worker of a slot, past nginx."""
    clients: list[Client] = []

    def connected(*, slot: int = 0) -> Client:
        clients.append(Client(f"http://127.0.0.1:{chat.place.slots[slot]}"))
        return clients[-1]

    yield connected
    for client in clients:
        client.socket.disconnect()


def texts(answer: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    return [message["data"]["text"] for message in answer["messages"]]


def number_of(position: str) -> int:
    return int(position.split("-")[0])


def lines(start: int, end: int) -> list[str]:
    return [f"line {number}" for number in range(start, end + 1)]


def talk(connect: Connect, room: str, count: int) -> Client:
    """Somebody who has said so many lines; by as many connections as the pace asks for."""
    client = connect()
    for at, text in enumerate(lines(1, count)):
        if at % 20 == 0:
            client = connect()
            client.join("Ada", room, key="the-key-of-ada")
        client.say(text, room)
    return client


def test_one_connection_is_in_several_rooms_and_every_message_names_its_own(
    connect: Connect, room: str
) -> None:
    ada, ben = connect(), connect(slot=1)
    for name in ("one", "two"):
        ada.join("Ada", f"{room}-{name}")
    ben.join("Ben", f"{room}-two")
    answer = ben.say("only in two", f"{room}-two")
    ada.wait_for("broadcast_say", roomid=f"{room}-two")
    (message,) = ada.all("broadcast_say")
    assert message["position"] == answer["position"]
    assert message["data"]["time"] == answer["time"]
    ada.say("in one", f"{room}-one")
    ada.wait_for("broadcast_say", roomid=f"{room}-one")
    assert not ben.all("broadcast_say", roomid=f"{room}-one")


def test_without_a_room_in_the_query_every_event_names_one(connect: Connect) -> None:
    ada = connect()
    for event, fields in (("join", {"username": "Ada"}), ("say", {"text": "hi"}), ("leave", {})):
        assert ada.ask(event, fields)["code"] == "room_missing"


def test_leaving_one_room_is_told_there_and_keeps_the_other(connect: Connect, room: str) -> None:
    ada, ben = connect(), connect(slot=1)
    for name in ("one", "two"):
        ada.join("Ada", f"{room}-{name}")
        ben.join("Ben", f"{room}-{name}")
    assert ada.ask("leave", {"roomid": f"{room}-one"}) == {"ok": True, "roomid": f"{room}-one"}
    ben.wait_for("broadcast_quit", username="Ada", roomid=f"{room}-one")
    assert ada.ask("say", {"text": "?", "roomid": f"{room}-one"})["code"] == "not_joined"
    ben.say("unheard", f"{room}-one")
    ben.say("heard", f"{room}-two")
    ada.wait_for("broadcast_say", text="heard")
    assert not ada.all("broadcast_say", text="unheard")
    assert not ben.all("broadcast_quit", roomid=f"{room}-two")


def test_one_connection_is_in_fifty_rooms_and_no_more(connect: Connect, room: str) -> None:
    ada = connect()
    for number in range(rules.MAX_ROOMS):
        ada.join("Ada", f"{room}-{number}")
    one_more = {"username": "Ada", "roomid": f"{room}-more"}
    assert ada.ask("join", one_more)["code"] == "too_many_rooms"
    assert ada.ask("leave", {"roomid": f"{room}-0"})["ok"]
    assert ada.ask("join", one_more)["ok"]


def test_who_joins_gets_the_last_fifty_and_may_ask_for_those_before(
    connect: Connect, room: str
) -> None:
    talk(connect, room, 60)
    ben = connect(slot=1)
    joined = ben.join("Ben", room)
    assert (texts(joined), joined["more"]) == (lines(11, 60), True)
    positions = [message["position"] for message in joined["messages"]]
    assert sorted(positions, key=number_of) == positions
    assert joined["position"] == positions[-1]
    page = ben.ask("history", {"roomid": room, "before": positions[0], "limit": 4})
    assert (texts(page), page["more"]) == (lines(7, 10), True)
    rest = ben.ask("history", {"roomid": room, "before": page["messages"][0]["position"]})
    assert (texts(rest), rest["more"]) == (lines(1, 6), False)


def test_an_empty_room_says_so(connect: Connect, room: str) -> None:
    joined = connect().join("Ada", room)
    assert (joined["messages"], joined["more"], joined["position"]) == ([], False, None)


def test_coming_and_going_takes_no_place_in_the_history(connect: Connect, room: str) -> None:
    talk(connect, room, 3)
    for _ in range(5):
        guest = connect()
        guest.join("Guest", room)
        guest.socket.disconnect()
    assert texts(connect().join("Ben", room)) == lines(1, 3)


@pytest.mark.parametrize("before", ["-1", "x", "", "9" * 10_000, "1-", "\x00", "१-aaaaaaaa", 7, []])
def test_a_position_that_is_none_is_refused(connect: Connect, room: str, before: object) -> None:
    ada = connect()
    ada.join("Ada", room)
    answer = ada.ask("history", {"roomid": room, "before": before})
    assert (answer["ok"], answer["code"]) == (False, "position_unusable")
    assert ada.say("unharmed", room)


def test_a_position_of_another_epoch_has_nothing_before_it(connect: Connect, room: str) -> None:
    ada = talk(connect, room, 3)
    answer = ada.ask("history", {"roomid": room, "before": "99999999999999-aaaaaaaa"})
    assert (answer["ok"], answer["messages"], answer["more"]) == (True, [], False)


def test_a_message_sent_again_is_stored_and_shown_once(connect: Connect, room: str) -> None:
    ada, phone, ben = connect(), connect(slot=1), connect()
    for one in (ada, phone):
        one.join("Ada", room, key="the-key-of-ada")
    ben.join("Ben", room)
    first = ada.say("once", room, id="m-1")
    again = phone.say("once", room, id="m-1")
    assert first["position"] == again["position"]
    ada.say("after it", room)
    ben.wait_for("broadcast_say", text="after it")
    assert len(ben.all("broadcast_say", text="once")) == 1
    assert texts(connect().join("Eve", room)) == ["once", "after it"]


def test_the_same_message_id_of_another_is_another_message(connect: Connect, room: str) -> None:
    ada, eve = connect(), connect(slot=1)
    ada.join("Ada", room)
    eve.join("Eve", room)
    first = ada.say("mine", room, id="m-1")
    second = eve.say("not yours", room, id="m-1")
    assert first["position"] != second["position"]
    assert texts(connect().join("Ben", room)) == ["mine", "not yours"]


def test_a_person_is_here_once_by_however_many_connections(connect: Connect, room: str) -> None:
    ben = connect()
    ben.join("Ben", room)
    first, second = connect(), connect(slot=1)
    ada = first.join("Ada", room, key="the-key-of-ada")
    answer = second.join("Ada", room, key="the-key-of-ada")
    assert answer["here"] == 2
    assert {"id": ada["id"], "username": "Ada"} in answer["people"]
    first.socket.disconnect()
    second.say("still here", room)
    ben.wait_for("broadcast_say", text="still here")
    assert not ben.all("broadcast_quit")
    second.socket.disconnect()
    ben.wait_for("broadcast_quit", id=ada["id"])
    assert len(ben.all("join", id=ada["id"])) == 1
    assert connect(slot=1).join("Eve", room)["here"] == 2


def test_who_says_too_much_at_once_is_told_when_to_go_on(connect: Connect, room: str) -> None:
    ada = connect()
    ada.join("Ada", room)
    answers: list[dict[str, object]] = []
    for number in range(60):
        fields = {"text": str(number), "roomid": room}
        ada.socket.emit("say", fields, callback=answers.append)
    wait_until(lambda: len(answers) == 60, words="all answers")
    slowed = [answer for answer in answers if not answer["ok"]]
    assert {answer["code"] for answer in slowed} == {"too_fast"}
    assert 20 <= 60 - len(slowed) <= 40
    assert all(0 < float(str(answer["retry_after"])) <= 0.2 for answer in slowed)
    assert 1 <= len(ada.refusals) < len(slowed)


def test_ten_thousand_joins_of_one_client_disturb_nobody(
    chat: Cluster, connect: Connect, room: str
) -> None:
    ada = connect()
    ada.join("Ada", room)
    url = f"ws://127.0.0.1:{chat.place.slots[0]}/socket.io/?EIO=4&transport=websocket"
    flood = create_connection(url, timeout=TIMEOUT)
    try:
        flood.send("40")
        for number in range(10_000):
            flood.send(f'42["join",{{"username":"Eve","roomid":"{room}-{number}"}}]')
        for number in range(10):
            assert ada.say(f"calm {number}", room)
    finally:
        flood.close()


def test_a_client_that_comes_back_recovered_is_still_a_member(chat: Cluster, room: str) -> None:
    seen = run_script("chat_rooms.mjs", url=chat.url, room=room)
    assert seen["recovered"] is True
    assert seen["missed"] == ["in one, meanwhile", "in two, meanwhile"]
    assert seen["said"]["ok"] is True
    assert seen["here"] == 2
    assert seen["quits"] == []
