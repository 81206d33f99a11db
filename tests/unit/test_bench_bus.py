"""The pure parts of the bus's bench: who sits where, what Redis counted, what is filled by whom."""

from __future__ import annotations

import contextlib
import select
import socket

import pytest

from bench.bus.loads import CLIENTS, LARGE, LOCAL, LONELY, SPREAD, Load, loads
from bench.bus.quantities import PROBES, QUICK, Plan, suites
from bench.bus.redis_counts import Counts, counts
from bench.bus.talks import Spoken, keys_of, readings_of
from bench.client import Client
from bench.crowd import Talk
from bench.frames import masked
from bench.summary import Row, Spread
from bench.table import render
from tests.integration.waiting import SCALE

PORTS = (1, 2, 3, 4)
SECONDS = 5 * SCALE


def ports_by_room(load: Load) -> list[set[int]]:
    members = CLIENTS // load.rooms
    port_of = load.port_of(PORTS)
    return [
        {port_of(client) for client in range(room * members, (room + 1) * members)}
        for room in range(load.rooms)
    ]


@pytest.mark.parametrize("load", [SPREAD, LARGE], ids=lambda load: load.key)
def test_a_room_that_is_spread_has_members_on_every_worker(load: Load) -> None:
    assert ports_by_room(load) == [set(PORTS)] * load.rooms


def test_a_room_that_is_local_lies_on_one_worker_and_each_worker_has_one() -> None:
    assert ports_by_room(LOCAL) == [{1}, {2}, {3}, {4}]


def test_a_lonely_worker_has_no_member() -> None:
    assert ports_by_room(LONELY) == [{1}] * LONELY.rooms


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_load_divides_its_clients_evenly(workers: int) -> None:
    assert [load.key for load in loads(workers) if CLIENTS % load.rooms] == []


def test_redis_is_asked_what_it_did_between_two_moments() -> None:
    def asked(publishes: int, bytes_in: int, bytes_out: int) -> Counts:
        stats = {"total_net_input_bytes": bytes_in, "total_net_output_bytes": bytes_out}
        return counts({"cmdstat_publish": {"calls": publishes}, "cmdstat_get": {"calls": 9}}, stats)

    assert asked(7, 900, 1200).since(asked(5, 100, 200)) == Counts(2, 800, 1000)


def test_a_redis_that_published_nothing_has_counted_nothing() -> None:
    stats = {"total_net_input_bytes": 1, "total_net_output_bytes": 2}
    assert counts({}, stats) == Counts(0, 1, 2)


def test_cpu_is_shared_by_deliveries_and_what_redis_does_by_messages() -> None:
    talk = Talk(expected=20, delivered=20, latencies=[0.5] * 20, acks=[0.25] * 2)
    spoken = Spoken(talk=talk, cpu={"app": 3.0, "redis": 1.0}, redis=Counts(2, 100, 300))
    found = {reading.quantity: reading for reading in readings_of("key", spoken)}
    assert (found["key_cpu"].value, found["key_cpu"].parts) == (0.2, {"app": 0.15, "redis": 0.05})
    assert (found["key_bytes"].value, found["key_bytes"].parts) == (200.0, {"in": 50, "out": 150})
    assert found["key_publishes"].value == 1.0
    assert (found["key_ack_p99"].value, found["key_shown_p50"].value) == (0.25, 0.5)


def test_readings_have_every_key_that_is_wanted_of_them() -> None:
    talk = Talk(expected=1, delivered=1, latencies=[0.5], acks=[0.25])
    spoken = Spoken(talk=talk, cpu={}, redis=Counts(1, 1, 1))
    for workers in (1, 2, 4):
        for load in loads(workers):
            found = {each.quantity for each in readings_of(f"{workers}_{load.key}", spoken)}
            assert set(keys_of(workers, load)) <= found


@pytest.mark.parametrize("plan", [Plan(), QUICK], ids=["whole", "quick"])
def test_every_quantity_of_the_bus_is_filled_by_one_probe(plan: Plan) -> None:
    chosen = suites(plan, PROBES)
    for suite in chosen:
        filled = [key for keys in suite.fills.values() for key in keys]
        assert sorted(filled) == sorted(quantity.key for quantity in suite.quantities)
        assert set(suite.fills) == set(suite.probes)
    keys = [quantity.key for suite in chosen for quantity in suite.quantities]
    assert len(keys) == len(set(keys))


def test_only_what_was_asked_for_is_measured() -> None:
    (suite,) = suites(Plan(), ["recovery"])
    assert set(suite.probes) == {"recovery"}


def test_a_probe_of_rooms_starts_each_number_of_workers() -> None:
    found = suites(Plan(sizes=(1, 4)), ["rooms"])
    assert [{server.workers for server in suite.servers} for suite in found] == [{1}, {4}]
    assert [[server.name for server in suite.servers] for suite in found] == [
        ["stock", "siocluster"]
    ] * 2


def test_parts_that_are_no_part_of_a_server_get_their_columns() -> None:
    quantity = next(one for one in suites(Plan(), ["rooms"])[0].quantities if "Bytes" in one.title)
    row = Row(server="stock", value=Spread(600, 600, 600), parts={"out": 400.0, "in": 200.0})
    head = render({quantity: [row]}, baseline="stock").splitlines()[1]
    assert head.split() == ["median", "spread", "in", "out"]


def test_a_client_that_asks_for_recovery_says_so_and_brings_its_secret() -> None:
    auth = '{"pid":"secret","offset":"1-epoch"}'
    opened = b'0{"sid":"x"}'
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname()[1], recovers=True, auth=auth)
        server, _ = listener.accept()
        with server, contextlib.closing(client):
            assert b"&transport=websocket&recovery=1 HTTP/1.1\r\n" in server.recv(4096)
            server.sendall(b"HTTP/1.1 101 Yes\r\n\r\n" + bytes((0x81, len(opened))) + opened)
            while not (frame := _sent_by(client, server)):
                pass
    assert masked(frame[6:], frame[2:6]).decode() == f"40{auth}"


def _sent_by(client: Client, server: socket.socket) -> bytes:
    """What it answers to what it has received, once that is here."""
    assert select.select([client], [], [], SECONDS)[0]
    client.receive()
    return server.recv(4096) if select.select([server], [], [], 0)[0] else b""
