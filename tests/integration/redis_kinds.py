"""Real Redis servers of every kind that a cluster can live on: passwords, TLS, sockets, Valkey."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import redis

from siocluster.bus import permissions
from siocluster.master import embedded_redis
from tests.integration.app_server import SECONDS_TO_STOP
from tests.integration.waiting import accepts, free_ports, wait_until

NAME = "kinds"  # of the clusters that run on them
PREFIX = f"siocluster:{NAME}"
SECRET = "open/se:sa#me?"  # holds what must be encoded in a URL
ENCODED = quote(SECRET, safe="")


@dataclass(slots=True)
class Server:
    """One server process; it keeps its port and its folder over its lives."""

    command: tuple[str, ...]
    port: int
    folder: Path
    password: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        wait_until(self.answers, words="Redis to answer", log=self.log)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        """With all rights, by TCP."""
        return redis.Redis(
            "127.0.0.1",
            self.port,
            password=self.password,
            decode_responses=True,
            socket_timeout=20,
        )

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        assert self.process
        self.process.kill()
        self.process.wait(SECONDS_TO_STOP)


@contextmanager
def serving(
    *options: str,
    program: str | None = None,
    password: str | None = None,
    files: dict[str, str] | None = None,
) -> Iterator[Server]:
    """A server in memory; `files` are put into its folder, where it works."""
    (port,) = free_ports(1)
    own = (program or embedded_redis.find().path, *options, "--port", str(port))
    with TemporaryDirectory(prefix="redis-") as folder:
        for name, text in (files or {}).items():
            (Path(folder) / name).write_text(text)
        server = Server((*own, "--bind", "127.0.0.1"), port, Path(folder), password)
        try:
            server.start()
            yield server
        finally:
            if server.lives():
                server.kill()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a cluster is told, the server behind it, and what must not be seen anywhere."""

    url: str
    server: Server
    secrets: tuple[str, ...] = ()


MEMORY = ("--save", "")


@contextmanager
def plain() -> Iterator[Kind]:
    with serving(*MEMORY) as server:
        yield Kind(f"redis://127.0.0.1:{server.port}/0", server)


@contextmanager
def with_a_password() -> Iterator[Kind]:
    with serving(*MEMORY, "--requirepass", SECRET, password=SECRET) as server:
        url = f"redis://:{ENCODED}@127.0.0.1:{server.port}/3"
        yield Kind(url, server, (SECRET, ENCODED))


@contextmanager
def with_a_user() -> Iterator[Kind]:
    """Who may do what `permissions` says, and nothing else."""
    rules = permissions.rules(prefix=PREFIX, channel=PREFIX).split()
    with serving(*MEMORY) as server:
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "shop", "reset", "on", f">{SECRET}", *rules)
        url = f"redis://shop:{ENCODED}@127.0.0.1:{server.port}/0"
        yield Kind(url, server, (SECRET, ENCODED))


@contextmanager
def by_unix_socket() -> Iterator[Kind]:
    options = ("--unixsocket", "redis.sock", "--requirepass", SECRET)
    with serving(*MEMORY, *options, password=SECRET) as server:
        url = f"unix://:{ENCODED}@{server.folder}/redis.sock?db=1"
        yield Kind(url, server, (SECRET, ENCODED))


@contextmanager
def valkey() -> Iterator[Kind]:
    with serving(*MEMORY, program=valkey_program()) as server:
        yield Kind(f"redis://127.0.0.1:{server.port}/0", server)


def valkey_program() -> str | None:
    """The machine's valkey-server, or the wheel's; None where there is neither."""
    return shutil.which("valkey-server") or embedded_redis._wheel()


# TLS


@contextmanager
def by_tls() -> Iterator[Kind]:
    """With a certificate of a CA of our own, which is checked."""
    with tls_server() as (server, port):
        authority = server.folder / "ca.pem"
        url = f"rediss://:{ENCODED}@127.0.0.1:{port}/0?ssl_ca_certs={authority}"
        yield Kind(url, server, (SECRET, ENCODED))


@contextmanager
def by_unchecked_tls() -> Iterator[Kind]:
    with tls_server() as (server, port):
        url = f"rediss://:{ENCODED}@127.0.0.1:{port}/0?ssl_cert_reqs=none"
        yield Kind(url, server, (SECRET, ENCODED))


@contextmanager
def tls_server() -> Iterator[tuple[Server, int]]:
    """One that also takes TLS, with the port where; tests look into it without."""
    (port,) = free_ports(1)
    with TemporaryDirectory(prefix="tls-") as folder:
        certify(Path(folder))
        files = {file.name: file.read_text() for file in Path(folder).glob("*.pem")}
    options = ("--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", "ca.pem")
    options += ("--tls-cert-file", "server.pem", "--tls-key-file", "server-key.pem")
    options += ("--requirepass", SECRET)
    with serving(*MEMORY, *options, password=SECRET, files=files) as server:
        wait_until(lambda: accepts(port), words="TLS to listen", log=server.log)
        yield server, port


def certify(folder: Path) -> None:
    """A CA, ca.pem, and what it signed for 127.0.0.1: server.pem, server-key.pem."""
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    signed = "-CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2"
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for command in (
        f"req -x509 {key} -days 2 -subj /CN=ours -keyout ca-key.pem -out ca.pem",
        f"req {key} -subj /CN=redis -keyout server-key.pem -out request",
        f"x509 -req -in request {signed} -extfile names -out server.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
