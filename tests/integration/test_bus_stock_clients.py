"""Clients that know nothing of a cluster see in it what they see under `socketio.run()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import socketio

from tests.apps.checks.puppets import RECOVERY, Order, order
from tests.integration.app_server import APPS, start_stock
from tests.integration.cluster import start_cluster
from tests.integration.javascript import run_script
from tests.integration.waiting import SCALE, wait_until

SECONDS = 10 * SCALE
TRANSPORTS: dict[str, list[str]] = {
    "polling then upgrade": ["polling", "websocket"],
    "websocket": ["websocket"],
    "polling": ["polling"],
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the client under test connects, and where the one that speaks to it."""

    client: str
    speaker: str


@pytest.fixture(scope="module")
def stock() -> Iterator[Place]:
    with start_stock(["app.py"], folder=APPS / "switchboard") as app:
        yield Place(app.url, app.url)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Place]:
    """Two workers on default settings, with the two clients apart."""
    with start_cluster("switchboard.app:app") as cluster:
        first, second = (f"http://127.0.0.1:{port}" for port in cluster.worker_ports)
        yield Place(client=second, speaker=first)
        assert "Traceback" not in cluster.log()


@pytest.fixture(params=TRANSPORTS)
def transports(request: pytest.FixtureRequest) -> list[str]:
    return TRANSPORTS[request.param]


# A page


def page_at(place: Place, **options: object) -> dict[str, Any]:
    seen: dict[str, Any] = run_script(
        "page.mjs", url=place.client, speaker=place.speaker, **options
    )
    return seen


def test_page_sees_in_a_cluster_what_it_sees_without(
    stock: Place, cluster: Place, transports: list[str]
) -> None:
    alone, together = (page_at(place, transports=transports) for place in (stock, cluster))
    assert together == alone
    assert not [entry for entry in alone["seen"] if entry[0] == "threw"]
    assert len(alone["seen"]) > 50
    assert alone["answers"][-4:] == [["tea: yes", 2], "echo", None, None]
    assert together["state"] == {"recovered": False, "pid": None}


def test_such_a_page_is_told_apart_by_asking_for_recovery(cluster: Place) -> None:
    """Why it has to ask: a handler `(data, done) => done && done()` does not bear the position."""
    threw = [
        words for what, words, *_ in page_at(cluster, query=RECOVERY)["seen"] if what == "threw"
    ]
    assert threw and set(threw) == {"done is not a function"}


# A Python client


@dataclass(slots=True)
class Listener:
    """A stock client whose handlers have as many parameters as their events have arguments."""

    client: socketio.Client
    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client.on("one", self.on_one)
        self.client.on("nothing", self.on_nothing)
        self.client.on("several", self.on_several)
        self.client.on("question", self.on_question)
        self.client.on("*", self.on_any_other)

    def on_one(self, data: object) -> None:
        self.seen.append(("one", data))

    def on_nothing(self) -> None:
        self.seen.append(("nothing",))

    def on_several(self, first: object, second: object) -> None:
        self.seen.append(("several", first, second))

    def on_question(self, question: str) -> tuple[str, int]:
        self.seen.append(("question", question))
        return f"{question}: yes", 2

    def on_any_other(self, event: str, *args: object) -> None:
        self.seen.append((event, *args))


class Other(socketio.ClientNamespace):  # type: ignore[misc]
    """The same in a class, of a namespace of its own."""

    def __init__(self, seen: list[tuple[Any, ...]]) -> None:
        super().__init__("/other")
        self.seen = seen

    def on_one(self, data: object) -> None:
        self.seen.append(("one of /other", data))


@contextmanager
def connected(url: str, transports: list[str]) -> Iterator[Listener]:
    """Both namespaces, on one transport."""
    client = socketio.Client(reconnection=False)
    listener = Listener(client)
    client.register_namespace(Other(listener.seen))
    client.connect(url, namespaces=["/", "/other"], transports=transports, wait_timeout=SECONDS)
    try:
        yield listener
    finally:
        client.disconnect()


def orders_for(sid: str) -> list[Order]:
    """To a room, to the client itself, and to everybody; then what it has to answer."""
    ways: list[dict[str, object]] = [{"to": "room"}, {"to": sid}, {"broadcast": True}]
    emits = [
        order("emit", event, *args, **way)
        for way in ways
        for event, args in {
            "one": [{"a": 1}],
            "nothing": [],
            "several": ["x", b"\x00\xff"],
            "unknown": ["a text"],
        }.items()
    ]
    return [
        *emits,
        order("emit", "one", "o", namespace="/other", broadcast=True),
        order("call", "question", "tea", to=sid, timeout=10),
        order("emit", "last", to="room"),
    ]


def python_client_at(place: Place, transports: list[str]) -> tuple[list[str], list[Any]]:
    """What it saw, and what the orders gave, one by one: stock takes no more than 16 in one poll.

    Its handlers run in threads of their own, in any order.
    """
    answers = []
    with (
        connected(place.client, transports) as listener,
        connected(place.speaker, ["websocket"]) as speaker,
    ):
        client, seen = listener.client, listener.seen
        client.call("do", [order("join", "room")], timeout=SECONDS)
        for number, one in enumerate(orders_for(client.get_sid()), start=1):
            answers.append(speaker.client.call("do", [one], timeout=SECONDS))
            wait_until(lambda number=number: len(seen) >= number, words=f"{one}, saw {seen}")
    return sorted(map(repr, seen)), answers


def test_python_client_sees_in_a_cluster_what_it_sees_without(
    stock: Place, cluster: Place, transports: list[str]
) -> None:
    alone, together = (python_client_at(place, transports) for place in (stock, cluster))
    assert together == alone
    seen, answers = alone
    assert len(seen) == len(answers) == 15
    assert answers[-2] == [["tea: yes", 2]]


# How it ends


def end_by_the_server(place: Place) -> list[object]:
    """What the client is told when another one has it disconnected."""
    reasons: list[object] = []
    with (
        connected(place.client, ["websocket"]) as listener,
        connected(place.speaker, ["websocket"]) as speaker,
    ):
        listener.client.on("disconnect", reasons.append)
        sid = listener.client.get_sid()
        speaker.client.call("do", [order("disconnect", sid)], timeout=SECONDS)
        wait_until(lambda: reasons, words="the disconnect")
    return reasons


def refused_by(place: Place) -> object:
    client = socketio.Client(reconnection=False)
    told: list[object] = []
    client.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(place.client, auth={"refuse": True}, wait_timeout=SECONDS)
    client.disconnect()
    return told


Scene = Callable[[Place], object]


@pytest.mark.parametrize("scene", [end_by_the_server, refused_by])
def test_client_that_is_sent_away_is_told_as_without_a_cluster(
    stock: Place, cluster: Place, scene: Scene
) -> None:
    assert scene(cluster) == scene(stock) != []
