"""Connections to the primary that Redis Sentinels name, asked again for each connection.

The steps are those of "Guidelines for Redis clients with support for Redis Sentinel": ask the
Sentinels one after the other, connect, and have the server itself confirm that it is a primary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

SCHEME = "redis+sentinel"
FORM = f"{SCHEME}://user:password@host:26379,host:26379/service/0"
PORT = 26379
# So strict that no piece of a password can be taken for a place or a service.
_URL = re.compile(
    rf"{re.escape(SCHEME)}://(?:(?P<login>[^/?#]*)@)?(?P<places>[^/?#@]+)"
    r"/(?P<service>[^/?#@]+)(?:/(?P<database>\d*))?/?(?:\?(?P<query>[^#]*))?"
)
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+]|[\w.-]+)(?::(\d{1,5}))?")


class NoPrimaryError(redis.exceptions.ConnectionError):
    """No Sentinel names a primary. The words are for a person; `hint` is what to do."""

    def __init__(self, words: str, *, hint: str = "") -> None:
        super().__init__(words)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """Where they are, the service they watch, and how to connect to each (of redis-py)."""

    places: tuple[tuple[str, int], ...]
    service: str
    connection_class: type[redis.Connection] = redis.Connection
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def primary(self) -> tuple[str, int]:
        """Host and port as the first Sentinel has it that knows; raises NoPrimaryError."""
        errors: dict[str, redis.exceptions.RedisError | None] = {}
        for host, port in self.places:
            place = f"{host}:{port}"
            try:
                if answer := self._ask(host, port):
                    return answer
                errors[place] = None
            except redis.exceptions.RedisError as error:
                errors[place] = error
        raise _no_primary(self.service, errors)

    def _ask(self, host: str, port: int) -> tuple[str, int] | None:
        connection: Any = self.connection_class(host=host, port=port, **self.options)
        try:
            connection.connect()
            connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
            found = connection.read_response()
        finally:
            connection.disconnect()
        return (found[0].decode(), int(found[1])) if found else None


def pool(url: str, **options: Any) -> redis.ConnectionPool:
    """A pool of connections to the primary, whichever it is when each is made.

    After the `?` stand options of redis-py, and of ours `sentinel_username`, `sentinel_password`,
    and `ssl=true`: TLS to the primary and the Sentinels, with redis-py's `ssl_…`. Raises ValueError
    for a URL that is none.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError(f"it has not the form {FORM}")
    places = tuple(map(_place, parts["places"].split(",")))
    made = redis.ConnectionPool.from_url(_of_primary(parts), **options)
    given = made.connection_kwargs
    secure = str(given.pop("ssl", "")).lower() in ("true", "yes", "1")
    credentials = {
        "username": given.pop("sentinel_username", None),
        "password": given.pop("sentinel_password", None),
    }
    shared = {name: value for name, value in given.items() if name.startswith(("socket_", "ssl_"))}
    given["sentinels"] = Sentinels(
        places=places,
        service=parts["service"],
        connection_class=redis.SSLConnection if secure else redis.Connection,
        options={**shared, **credentials, "protocol": 2},
    )
    made.connection_class = SecurePrimaryConnection if secure else PrimaryConnection
    return made


def _of_primary(parts: re.Match[str]) -> str:
    """What the URL says of the primary, as redis-py reads it; without a host."""
    return f"redis://{parts['login'] or ''}@/{parts['database'] or 0}?{parts['query'] or ''}"


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("one of its Sentinels is no host:port")
    return found[1].strip("[]"), int(found[2] or PORT)


class _ToPrimary:
    """Mixed into a connection of redis-py."""

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**{**options, "redis_connect_func": _greet})
        self._sentinels = sentinels

    def _connect(self) -> Any:
        self.host, self.port = self._sentinels.primary()
        return super()._connect()  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.exceptions.ReadOnlyError:
            # It was made a replica meanwhile: the next command is for another server.
            self.disconnect()  # type: ignore[attr-defined]
            raise


class PrimaryConnection(_ToPrimary, redis.Connection):
    pass


class SecurePrimaryConnection(_ToPrimary, redis.SSLConnection):
    pass


def _greet(connection: Any) -> None:
    connection.on_connect()
    connection.send_command("ROLE")
    role = connection.read_response()[0]
    if role not in (b"master", "master"):
        raise redis.exceptions.ConnectionError(
            f"{connection.host}:{connection.port}, which the Sentinels name, is no primary yet"
        )


def _no_primary(
    service: str, errors: Mapping[str, redis.exceptions.RedisError | None]
) -> NoPrimaryError:
    reasons = "; ".join(f"{place}: {_words(error)}" for place, error in errors.items())
    if None in errors.values():
        return NoPrimaryError(
            f"No Sentinel knows a primary of the name {service} ({reasons})",
            hint="The name is that of `sentinel monitor NAME …` in their configuration.",
        )
    if any(isinstance(error, redis.exceptions.AuthenticationError) for error in errors.values()):
        return NoPrimaryError(
            f"The Sentinels want a password, and not this one ({reasons})",
            hint=f"It stands after the ?: {FORM}?sentinel_password=…",
        )
    return NoPrimaryError(
        f"No Sentinel can be asked for the primary ({reasons})",
        hint=f"Its URL names them: {FORM}",
    )


def _words(error: redis.exceptions.RedisError | None) -> str:
    if error is None:
        return "does not know it"
    words = str(error).rstrip(".")
    return "is no Sentinel" if "unknown command 'SENTINEL'" in words else words
