"""Stock JavaScript clients on the bundled chat, by every transport, through the whole cluster."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cluster import Cluster, Place, place_for, running
from tests.integration.conftest import Note
from tests.integration.javascript import run_script
from tests.integration.waiting import wait_until

CHAT = "siocluster.chatapp:socketio"
WORKERS = 4
PEOPLE = {"127.0.0.2": "ada", "127.0.0.3": "ben"}
TRIES = 10  # pairs until two people are on two workers; where workers take turns, the first is
SESSIONS, MESSAGES = 60, 10
NETWORKS = ["127.0.0.1", "127.0.1.1", "127.0.2.1", "127.0.3.1"]  # ip_hash: one hash for each /24

WEBSOCKET, POLLING, BOTH = ["websocket"], ["polling"], ["polling", "websocket"]
# For each: what the clients are told (the stock default is to upgrade), and the transport that
# they end on.
TRANSPORTS = {
    "websocket only": ({"transports": WEBSOCKET}, "websocket"),
    "polling only": ({"transports": POLLING}, "polling"),
    "polling then upgrade": ({}, "websocket"),
}
ADA_SAW = [
    ["join", "ada", None],
    ["join", "ben", None],
    ["broadcast_say", "ada", "hello from ada"],
    ["broadcast_say", "ben", "hello from ben"],
    ["broadcast_quit", "ben", None],
]
BEN_SAW = ADA_SAW[1:-1]


@pytest.fixture(scope="module")
def chat() -> Iterator[Cluster]:
    """Four workers, and an nginx that keeps an access log."""
    with place_for(workers=WORKERS) as place:
        log = str(place.scratch / "access.log")
        with running(place, CHAT, options=["--access-logfile", log]) as cluster:
            yield cluster
        assert "Traceback" not in cluster.log()


@pytest.mark.parametrize("way", TRANSPORTS)
def test_two_clients_on_two_workers_see_join_say_and_quit(
    chat: Cluster, way: str, note: Note
) -> None:
    options, transport = TRANSPORTS[way]
    for tries in range(1, TRIES + 1):
        pair = talk(chat.url, **options)
        assert [one["saw"] for one in pair] == [ADA_SAW, BEN_SAW]
        assert [one["transport"] for one in pair] == [transport, transport]
        if len(workers_of(pair)) == 2:
            note(tries=tries, workers=sorted(workers_of(pair)))
            return
    raise AssertionError(f"{TRIES} pairs met on one worker each")


@pytest.mark.parametrize(
    ("way", "switched"),
    [
        ("websocket only", {True}),
        ("polling only", {False}),
        ("polling then upgrade", {True, False}),
    ],
)
def test_each_client_comes_from_its_own_address_and_by_its_transports_alone(
    chat: Cluster, way: str, switched: set[bool]
) -> None:
    """As nginx tells it, which notes a request once it has ended."""
    before = len(requests(chat))
    talk(chat.url, **TRANSPORTS[way][0])
    expected = {(address, is_websocket) for address in PEOPLE for is_websocket in switched}
    wait_until(
        lambda: set(requests(chat)[before:]) >= expected,
        words=f"{expected} in the access log",
        log=lambda: str(requests(chat)[before:]),
    )
    assert set(requests(chat)[before:]) == expected


def test_sixty_polling_sessions_of_one_address_use_all_workers_and_none_breaks(
    chat: Cluster, note: Note
) -> None:
    sessions = visit(chat.url, sessions=SESSIONS, messages=MESSAGES, transports=POLLING)
    share = Counter(map(worker_of, sessions))
    note(share=share)
    assert len(sessions) == SESSIONS
    assert len(share) == WORKERS
    assert min(share.values()) >= SESSIONS / WORKERS / 3


def test_ip_hash_gives_all_clients_of_one_address_one_worker(four_workers: Place) -> None:
    with running(four_workers, CHAT, options=["--balance", "ip_hash"]) as cluster:
        met = {
            address: [
                worker_of(session)
                for transports in (POLLING, WEBSOCKET, BOTH)
                for session in visit(cluster.url, address=address, transports=transports)
            ]
            for address in NETWORKS
        }
    assert {address: len(set(workers)) for address, workers in met.items()} == dict.fromkeys(met, 1)
    assert len({workers[0] for workers in met.values()}) > 1, "the addresses share one worker"


def talk(url: str, **options: object) -> list[dict[str, Any]]:
    """Two people, each from an address of their own, in a room where nobody was before."""
    room = f"transports-{uuid.uuid4().hex}"
    addresses = list(PEOPLE)
    seen = run_script("chat_pair.mjs", urls=[url, url], addresses=addresses, room=room, **options)
    return [seen[name] for name in PEOPLE.values()]


def visit(
    url: str, *, sessions: int = 8, messages: int = 1, **options: object
) -> list[dict[str, Any]]:
    """Sessions that are open together; each hears all its messages, and nothing goes wrong."""
    visited = run_script("sessions.mjs", url=url, sessions=sessions, messages=messages, **options)[
        "sessions"
    ]
    assert [session["errors"] for session in visited if session["errors"]] == []
    assert [session["heard"] for session in visited] == [messages] * sessions
    return list(visited)


def workers_of(clients: list[dict[str, Any]]) -> set[str]:
    return set(map(worker_of, clients))


def worker_of(client: dict[str, Any]) -> str:
    """Node and slot, which both of a client's ids begin with."""
    of_session, of_engine = (str(client[key]).partition("-")[0] for key in ("sid", "engine"))
    assert of_session == of_engine
    return of_session


def requests(cluster: Cluster) -> list[tuple[str, bool]]:
    """Of those to Socket.IO: the client's address, and whether it was a WebSocket."""
    lines = (cluster.scratch / "access.log").read_text().splitlines()
    words = [line.split() for line in lines if "/socket.io/" in line]
    return [(address, status == "101") for address, _, _, _, status, *_ in words]
