"""Which worker gets a request, and what happens when that one cannot take it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from siocluster.front.binary import Binary
from tests.integration.nginx_world import (
    HANDSHAKE,
    Answer,
    Seen,
    Worker,
    World,
    free_port,
    full_backlog,
    node,
    world,
)


@pytest.fixture
def four(nginx: Binary, tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, nginx) as made:
        yield made


def is_handshake(seen: Seen) -> bool:
    return seen.path.startswith("/socket.io/") and "sid=" not in seen.path


def draining(seen: Seen) -> Answer:
    return Answer(503) if is_handshake(seen) else Answer(200, b"old session")


def upgrade_request(path: str) -> bytes:
    lines = ("Host: chat.example", "Upgrade: websocket", "Connection: Upgrade")
    return "\r\n".join((f"GET {path} HTTP/1.1", *lines, "", "")).encode()


def response_head(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(4096)
        assert more, f"nginx closed after {received!r}"
        received += more
    return received


def test_a_request_with_a_sid_reaches_its_owner_from_any_address(four: World) -> None:
    for slot in range(4):
        for source in ("127.0.0.1", "127.44.5.6"):
            for method in ("GET", "POST"):
                path = f"{HANDSHAKE}&sid=a{slot}-abcDEF_-0123456789"
                reply = four.ask(path, method=method, source=source, body=b"4hello")
                assert (reply.status, reply.body) == (200, f"a{slot}".encode())


def test_a_session_request_is_never_tried_on_another_worker(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, alive=3) as made:
        reply = made.ask(f"{HANDSHAKE}&sid=a3-abc")
        assert reply.status == 502
        assert reply.seconds < 2
        assert made.seen() == []


def test_a_session_request_keeps_its_owners_503(four: World) -> None:
    four.workers["a1"].answer = lambda _seen: Answer(503)
    assert four.ask(f"{HANDSHAKE}&sid=a1-abc").status == 503
    assert len(four.seen()) == 1


@pytest.mark.parametrize("sid", ["zz9-abc", "a99-abc", "abc", "a0", "%610-abc", "-", "../a0-x"])
def test_a_sid_of_nobody_reaches_exactly_one_worker(four: World, sid: str) -> None:
    for worker in four.workers.values():
        worker.answer = lambda _seen: Answer(400)
    assert four.ask(f"{HANDSHAKE}&sid={sid}").status == 400
    assert len(four.seen()) == 1


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_handshake_moves_on_from_workers_that_drain(four: World, transport: str) -> None:
    for slot in ("a0", "a1", "a3"):
        four.workers[slot].answer = draining
    path = f"/socket.io/?EIO=4&transport={transport}"
    for _ in range(12):
        if transport == "websocket":
            with four.raw(upgrade_request(path)) as connection:
                assert response_head(connection).startswith(b"HTTP/1.1 101")
        else:
            assert four.ask(path).body == b"a2"
    assert len(four.workers["a2"].seen) == 12
    assert four.ask(f"{HANDSHAKE}&sid=a0-abc").body == b"old session"


def test_a_round_of_503_leaves_no_grudge(four: World) -> None:
    for worker in four.workers.values():
        worker.answer = draining
    assert [four.ask(HANDSHAKE).status for _ in range(20)] == [503] * 20
    for worker in four.workers.values():
        worker.answer = lambda _seen: Answer(200)
    assert [four.ask(HANDSHAKE).status for _ in range(20)] == [200] * 20
    assert [four.ask("/page").status for _ in range(20)] == [200] * 20


def test_every_request_has_a_connection_of_its_own(four: World) -> None:
    """A kept connection that a worker closes at that moment would lose the request."""
    for number in range(12):
        assert four.ask(f"{HANDSHAKE}&sid=a{number % 4}-abc").status == 200
        assert four.ask(HANDSHAKE).status == 200
        assert four.ask("/").status == 200
    assert sum(worker.connections for worker in four.workers.values()) == 36


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
@pytest.mark.parametrize("path", ["/busy", "/busy?sid=a0-x", "/socket.iox", "/socket.io"])
def test_an_apps_own_503_runs_its_handler_once(four: World, method: str, path: str) -> None:
    for worker in four.workers.values():
        worker.answer = lambda _seen: Answer(503, b"" if method == "HEAD" else b"not now")
    reply = four.ask(path, method=method, body=b"x" if method in ("POST", "PUT") else None)
    assert reply.status == 503
    assert reply.body == (b"" if method == "HEAD" else b"not now")
    assert [seen.path for seen in four.seen()] == [path]


def test_a_post_that_a_worker_has_seen_is_not_repeated(four: World) -> None:
    for worker in four.workers.values():
        worker.answer = lambda _seen: Answer(hang_up=True)
    assert four.ask("/order", method="POST", body=b"one").status == 502
    assert len(four.seen()) == 1


@pytest.mark.parametrize("balance", ["auto", "ip_hash", "least_conn"])
def test_slots_that_refuse_are_passed_over_at_once(
    nginx: Binary, tmp_path: Path, balance: str
) -> None:
    with world(tmp_path, nginx, slots=16, alive=2, balance=balance) as made:
        for number in range(24):
            source = f"127.9.{number}.1"
            for reply in (
                made.ask(HANDSHAKE, source=source),
                made.ask("/", source=source),
                made.ask("/", source=source, method="POST", body=b"x"),
            ):
                assert reply.status == 200
                assert reply.seconds < 0.5
        assert len(made.seen()) == 72


def test_a_slot_that_begins_to_listen_is_used_without_a_reload(
    nginx: Binary, tmp_path: Path
) -> None:
    with world(tmp_path, nginx, alive=1) as made:
        assert {made.ask(HANDSHAKE).body for _ in range(8)} == {b"a0"}
        own = made.site.nodes[0]
        made.workers["a3"] = Worker(own.host, own.base_port + 3, "a3")
        assert {made.ask(HANDSHAKE).body for _ in range(8)} == {b"a0", b"a3"}


@pytest.mark.parametrize("balance", ["ip_hash", "least_conn"])
def test_a_slot_that_swallows_connections_holds_nobody_for_two_seconds(
    nginx: Binary, tmp_path: Path, balance: str
) -> None:
    with world(tmp_path, nginx, alive=3, balance=balance) as made:
        own = made.site.nodes[0]
        with full_backlog(own.host, own.base_port + 3):
            requests = [
                {"path": path, "source": f"127.9.{number}.1"}
                for path in (HANDSHAKE, "/")
                for number in range(8)
            ]
            for reply in made.ask_together(requests):
                assert reply.status == 200
                assert reply.seconds < 2
            lost = made.ask(f"{HANDSHAKE}&sid=a3-abc")
            assert lost.status == 504
            assert lost.seconds < 2


def test_ip_hash_gives_all_clients_of_one_address_one_worker(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, balance="ip_hash") as made:
        met = {
            source: {made.ask(HANDSHAKE, source=source).body for _ in range(6)}
            for source in (f"127.{number}.{number * 7 % 250}.1" for number in range(1, 25))
        }
    assert all(len(workers) == 1 for workers in met.values())
    assert len(set.union(*met.values())) > 1


def test_auto_spreads_sessions_from_the_loopback_over_all_workers(four: World) -> None:
    for _ in range(60):
        assert four.ask(HANDSHAKE).status == 200
    counts = sorted(len(worker.seen) for worker in four.workers.values())
    assert sum(counts) == 60
    assert counts[0] >= 10


def test_auto_spreads_handshakes_that_each_follow_a_page(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, slots=2) as made:
        met = []
        for _ in range(20):
            assert made.ask("/").status == 200
            met.append(made.ask(HANDSHAKE).body)
    assert sorted(met.count(worker) for worker in set(met)) == [10, 10]


def test_auto_keeps_other_clients_with_one_worker_each(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, forwarded_allow_ips=("127.0.0.1",)) as made:
        met = {
            client: {
                made.ask(HANDSHAKE, headers={"X-Forwarded-For": client}).body for _ in range(4)
            }
            for client in (f"203.0.{number}.7" for number in range(20))
        }
    assert all(len(workers) == 1 for workers in met.values())
    assert len(set.union(*met.values())) > 1


def test_a_websocket_passes_bytes_both_ways(four: World) -> None:
    path = "/socket.io/?EIO=4&transport=websocket&sid=a2-abc"
    with four.raw(upgrade_request(path)) as connection:
        assert response_head(connection).startswith(b"HTTP/1.1 101")
        connection.sendall(b"\x81\x05hello")
        assert connection.recv(64) == b"\x81\x05hello"
    assert [seen.path for seen in four.workers["a2"].seen] == [path]


def test_an_apps_own_socketio_path_is_routed(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, socketio_path="live/chat.v2") as made:
        made.workers["a0"].answer = lambda _seen: Answer(503)
        assert {made.ask("/live/chat.v2/?EIO=4").status for _ in range(8)} == {200}
        assert made.ask("/live/chat.v2/?EIO=4&sid=a2-x").body == b"a2"
        assert 503 in {made.ask("/live/chatxv2/").status for _ in range(8)}


def test_a_handshake_leaves_a_machine_that_swallows_it(nginx: Binary, tmp_path: Path) -> None:
    here, there = node("a", slots=2), node("b", slots=2)
    with (
        world(tmp_path, nginx, nodes=(here, there), balance="ip_hash", alive=0) as made,
        full_backlog(there.host, there.base_port),
        full_backlog(there.host, there.base_port + 1),
    ):
        made.workers["a0"] = Worker(here.host, here.base_port, "a0")
        requests = [
            {"path": path, "method": method, "source": f"127.9.{number}.1", "body": b"x"}
            for path, method in ((HANDSHAKE, "GET"), ("/page", "GET"), ("/order", "POST"))
            for number in range(8)
        ]
        for reply in made.ask_together(requests):
            assert (reply.status, reply.body) == (200, b"a0")
            assert reply.seconds < 2
        assert len(made.seen()) == 24


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_several_machines_do_not_repeat_what_a_worker_answers(
    nginx: Binary, tmp_path: Path, method: str
) -> None:
    with world(tmp_path, nginx, nodes=(node("a", slots=2), node("b", slots=2))) as made:
        for worker in made.workers.values():
            worker.answer = lambda _seen: Answer(504)
        assert made.ask("/slow", method=method, body=b"x").status == 504
        assert len(made.seen()) == 1


def test_several_machines_do_not_repeat_a_post_whose_worker_died(
    nginx: Binary, tmp_path: Path
) -> None:
    with world(tmp_path, nginx, nodes=(node("a", slots=2), node("b", slots=2))) as made:
        for worker in made.workers.values():
            worker.answer = lambda _seen: Answer(hang_up=True)
        assert made.ask("/order", method="POST", body=b"x").status == 502
        assert len(made.seen()) == 1


def test_nobody_at_home_is_said_at_once(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, nodes=(node("a", slots=2), node("b", slots=2)), alive=0) as made:
        for path in (HANDSHAKE, "/"):
            reply = made.ask(path)
            assert reply.status == 502
            assert reply.seconds < 1


def test_nginx_runs_in_the_foreground_and_leaves_its_port(nginx: Binary, tmp_path: Path) -> None:
    port = free_port()
    with world(tmp_path, nginx, bind_port=port) as made:
        assert made.process and made.process.poll() is None
        assert (tmp_path / "nginx.pid").read_text().strip() == str(made.process.pid)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
