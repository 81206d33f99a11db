"""Several machines: two masters, one Redis, one nginx, one room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import socketio

from siocluster.front.binary import find
from tests.integration.app_server import APPS, ROOT, launched, start_redis
from tests.integration.cluster import Place, place_for, running
from tests.integration.waiting import SCALE, accepts, free_ports, wait_until

TICKER = APPS / "ticker"
PATH = "/live/socket.io"
HOSTS = {"a": "127.0.0.2", "b": "127.0.0.3"}
WHOLE_SECONDS = 20 * SCALE


@dataclass(frozen=True, slots=True)
class Machines:
    """Two clusters by node name, and the front before both."""

    places: dict[str, Place]
    url: str


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """All that the two masters are given to find each other is the app's own message queue."""
    with start_redis() as queue, ExitStack() as stack:
        places = {}
        for node in HOSTS:
            place = places[node] = stack.enter_context(place_for(workers=2))
            stack.enter_context(workers_alone(place, node=node, queue=queue))
        yield Machines(places, stack.enter_context(front(places, tmp_path)))


@contextmanager
def workers_alone(place: Place, *, node: str, queue: str) -> Iterator[None]:
    """One machine's master and workers, at the machine's own address, with no front."""
    options = ["--node", node, "--worker-bind", HOSTS[node], "--front", "none"]
    options += ["--forwarded-allow-ips", "127.0.0.1"]
    with launched(
        place.arguments("app:app", *options),
        scratch=place.scratch,
        folder=TICKER,
        environ=place.environ({"TICKER_QUEUE": queue}),
    ) as process:
        log = place.scratch / "log"
        wait_until(
            lambda: process.poll() is not None or log.read_text().count("ready after") == 2,
            words="both workers to be ready",
            log=log.read_text,
        )
        yield


@contextmanager
def front(places: dict[str, Place], folder: Path) -> Iterator[str]:
    """nginx, run on what `cluster.py nginx --nodes …` prints."""
    (port,) = free_ports(1)
    nodes = ",".join(
        f"{node}={HOSTS[node]}:{place.slots[0]}-{place.slots[-1]}" for node, place in places.items()
    )
    config = folder / "nginx.conf"
    config.write_text(printed("--nodes", nodes, "--bind", f"127.0.0.1:{port}", "--path", PATH))
    process = subprocess.Popen(find(None).arguments(prefix=folder, config=config))
    try:
        wait_until(lambda: accepts(port), words="nginx to listen")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def printed(*options: str) -> str:
    command = [sys.executable, str(ROOT / "cluster.py"), "nginx", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def clients_on_both_nodes(url: str) -> Iterator[dict[str, socketio.SimpleClient]]:
    """One client on each node; who lands on a node that has one already leaves again."""
    found: dict[str, socketio.SimpleClient] = {}
    with ExitStack() as stack:
        while len(found) < len(HOSTS):
            client = stack.enter_context(socketio.SimpleClient())
            client.connect(url, socketio_path=PATH)
            found.setdefault(client.sid[0], client)
        yield found


def price(client: socketio.SimpleClient) -> object:
    """The next price that the client hears, past the ticks."""
    while True:
        event, *data = client.receive(timeout=WHOLE_SECONDS)
        if event == "price":
            return data[0]


def test_room_reaches_over_both_nodes_by_the_apps_own_queue(machines: Machines) -> None:
    with clients_on_both_nodes(machines.url) as clients:
        for client in clients.values():
            client.call("watch", "ACME", timeout=WHOLE_SECONDS)
        clients["a"].call("trade", ("ACME", 12.5), timeout=WHOLE_SECONDS)
        expected = {"symbol": "ACME", "price": 12.5}
        assert [price(client) for client in clients.values()] == [expected, expected]


def test_call_reaches_a_client_of_the_other_node(machines: Machines) -> None:
    with clients_on_both_nodes(machines.url) as clients:
        asked = clients["b"]
        asked.client.on("question", lambda question: f"heard {question}")
        answer = clients["a"].call("survey", (asked.sid, "why?"), timeout=WHOLE_SECONDS)
        assert answer == {"answer": "heard why?"}


def test_second_machine_with_the_same_node_is_refused_and_told_where_the_first_is() -> None:
    with (
        start_redis() as redis,
        place_for() as first,
        place_for() as second,
        running(first, "broken.healthy:app", options=["--redis", redis]),
    ):
        ended = second.run_to_end("broken.healthy:app", "--redis", redis)
        assert ended.code == 4
        assert "Node a of broken.healthy runs already" in ended.output
        assert f"workers at 127.0.0.1:{first.slots[0]}" in ended.output
        assert "Traceback" not in ended.output


def test_two_apps_on_one_redis_do_not_hear_each_other(tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(start_redis())
        clients = []
        for name in ("one", "two"):
            place = stack.enter_context(place_for())
            cluster = stack.enter_context(
                running(
                    place,
                    "app:app",
                    folder=TICKER,
                    options=["--redis", redis, "--name", name],
                )
            )
            client = stack.enter_context(socketio.SimpleClient())
            client.connect(cluster.url, socketio_path=PATH)
            client.call("watch", "ACME", timeout=WHOLE_SECONDS)
            clients.append(client)
        one, two = clients
        one.call("trade", ("ACME", 1.0), timeout=WHOLE_SECONDS)
        two.call("trade", ("ACME", 2.0), timeout=WHOLE_SECONDS)
        assert price(one) == {"symbol": "ACME", "price": 1.0}
        assert price(two) == {"symbol": "ACME", "price": 2.0}
