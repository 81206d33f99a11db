"""What master and worker say to each other: values ↔ bytes.

One JSON object a line, over a socket pair that the worker inherits. The first field of each is
the protocol's version: after an upgrade of the package an old master may meet a new worker, and
both must be able to say so instead of guessing. The socket's end is a message, too: whoever
reads it knows that the other one is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, get_type_hints

from siocluster.errors import WireError

VERSION = 1
PIPE_VARIABLE = "SIOCLUSTER_PIPE"  # the descriptor of the worker's end
SLOT_VARIABLE = "SIOCLUSTER_SLOT"  # for apps that want to know which worker they are
LONGEST_LINE = 1 << 20  # a trimmed traceback is the longest thing said


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Master → worker, first and once: all that the worker has to know.

    `purpose` is "serve", or "inspect" to load the target, tell what it is, and exit.
    `redis` is None where the worker shall find out (inspect) or run alone (serve);
    `redis_origin` is the flag, variable or file that named it.
    Secrets travel here and not in arguments or the environment, which others can read.
    """

    kind: ClassVar[str] = "boot"
    purpose: str
    target: str
    folder: str
    name: str
    node: str
    slot: int = 0
    port: int = 0
    listener: int = -1
    redis: str | None = None
    redis_origin: str = ""
    redis_fallback: str | None = None
    redis_prefix: str = ""
    channel: str = ""
    recovery: str = "auto"
    recovery_seconds: int = 120
    recovery_events: int = 1000
    recovery_bytes: int = 1 << 20
    direct: str = "stored"
    volatile: tuple[str, ...] = ()
    outbox_seconds: float = 30
    outbox_emits: int = 1000
    outbox_bytes: int = 8 << 20
    cluster_key: str = ""
    owner: str = ""
    takes_name: bool = True
    trusted_peers: tuple[str, ...] = ()
    health_path: str = "/"
    graceful_timeout: float = 30
    heartbeat_seconds: float = 1
    log_format: str = "text"
    log_level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Worker → master: the interpreter runs, is patched, and loads the target now."""

    kind: ClassVar[str] = "hello"
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """Worker → master: what the target is and which Redis it can use.

    `redis` is None when neither the settings nor the app name one. `path` has slashes at both
    ends.
    """

    kind: ClassVar[str] = "inspected"
    path: str
    redis: str | None
    redis_origin: str
    redis_version: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Worker → master: app loaded, listening, Redis subscription live.

    `secret_digest` is a keyed digest of the app's secret key, or empty where it has none.
    """

    kind: ClassVar[str] = "ready"
    secret_digest: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Worker → master: it cannot boot; the worker exits with `exit_code` next."""

    kind: ClassVar[str] = "failed"
    message: str
    hint: str = ""
    detail: str = ""
    exit_code: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Worker → master: a sign of life from inside gevent's hub, with the clients' counts.

    Counts are totals since boot, so that a lost or late beat cannot make them drift.
    """

    kind: ClassVar[str] = "beat"
    connects: int = 0
    disconnects: int = 0


Message = Boot | Hello | Inspected | Ready | Failed | Beat
MESSAGES: dict[str, type[Message]] = {
    message.kind: message for message in (Boot, Hello, Inspected, Ready, Failed, Beat)
}


def encode(message: Message) -> bytes:
    """One line of UTF-8 JSON, newline included."""
    body = {"version": VERSION, "kind": message.kind, **asdict(message)}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message in one line; raises WireError for anything that is not ours."""
    try:
        body = json.loads(line)
        version, kind = body.pop("version"), body.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise WireError("What came over the worker's pipe is no message.") from None
    if version != VERSION:
        raise WireError(
            f"Master and worker speak different versions ({VERSION} and {version}).",
            hint="siocluster was upgraded while it ran: stop it and start it again.",
        )
    return _build(str(kind), body)


def _build(kind: str, body: dict[str, Any]) -> Message:
    if kind not in MESSAGES:
        raise WireError(f"What came over the worker's pipe is of no known kind: {kind}.")
    known = {item.name for item in fields(MESSAGES[kind])}
    values = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in body.items()
        if key in known
    }
    make: Callable[..., Message] = MESSAGES[kind]
    try:
        message = make(**values)
    except TypeError:
        raise WireError(f"A message of kind {kind} lacks a field.") from None
    for name, hint in _types(kind).items():
        if not _fits(getattr(message, name), hint):
            raise WireError(f"In a message of kind {kind}, {name} is of another type.")
    return message


@cache
def _types(kind: str) -> dict[str, Any]:
    hints = get_type_hints(MESSAGES[kind])
    return {item.name: hints[item.name] for item in fields(MESSAGES[kind])}


def _fits(value: object, hint: Any) -> bool:
    if hint == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    return isinstance(value, int | float if hint is float else hint)


@dataclass(slots=True)
class Reader:
    """Bytes in, messages out; keeps what is not a whole line yet."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> Iterator[Message]:
        """Messages that `data` completes; raises WireError."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise WireError("What came over the worker's pipe has no end.")
        for line in lines:
            yield decode(line)
