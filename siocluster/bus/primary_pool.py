"""Connections to the primary of the moment, by a URL that names Sentinels."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import redis

from siocluster.bus.sentinels import FORM, SCHEME, Address, Sentinels

log = logging.getLogger(__name__)
PORT = 26379
# So strict that no piece of a password can be taken for a place or a service.
_URL = re.compile(
    rf"{re.escape(SCHEME)}://(?:(?P<login>[^/?#]*)@)?(?P<places>[^/?#@]+)"
    r"/(?P<service>[^/?#@]+)(?:/(?P<database>\d*))?/?(?:\?(?P<query>[^#]*))?"
)
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+]|[\w.-]+)(?::(\d{1,5}))?")
# Where each service was found last, for the connections of this process that are open already.
_latest: dict[tuple[tuple[Address, ...], str], Address] = {}


def pool(url: str, **options: Any) -> redis.ConnectionPool:
    """A pool of connections to the primary, whichever it is when each is made.

    After the `?` stand options of redis-py, and of ours `sentinel_username`, `sentinel_password`,
    and `ssl=true`: TLS to the primary and the Sentinels, with redis-py's `ssl_…`. Raises ValueError
    for a URL that is none.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError(f"it has not the form {FORM}")
    made = redis.ConnectionPool.from_url(_of_primary(parts), **options)
    given = made.connection_kwargs
    secure = str(given.pop("ssl", "")).lower() in ("true", "yes", "1")
    given["sentinels"] = Sentinels(
        places=tuple(map(_place, parts["places"].split(","))),
        service=parts["service"],
        connection_class=redis.SSLConnection if secure else redis.Connection,
        options=_of_sentinels(given),
    )
    made.connection_class = SecurePrimaryConnection if secure else PrimaryConnection
    return made


def _of_primary(parts: re.Match[str]) -> str:
    """What the URL says of the primary, as redis-py reads it; without a host."""
    return f"redis://{parts['login'] or ''}@/{parts['database'] or 0}?{parts['query'] or ''}"


def _of_sentinels(given: dict[str, Any]) -> dict[str, Any]:
    """Options for connections to the Sentinels; what is for them alone is taken out of `given`."""
    shared = {name: value for name, value in given.items() if name.startswith(("socket_", "ssl_"))}
    username, password = given.pop("sentinel_username", None), given.pop("sentinel_password", None)
    return {**shared, "username": username, "password": password, "protocol": 2}


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("one of its Sentinels is no host:port")
    return found[1].strip("[]"), int(found[2] or PORT)


class _ToPrimary:
    """Mixed into a connection of redis-py: asks for its server each time it is made."""

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**{**options, "redis_connect_func": _greet})
        self._sentinels = sentinels
        self._service = (sentinels.places, sentinels.service)
        self._watch: gevent.Greenlet[..., None] | None = None

    def connect(self) -> None:
        """Of one that is open, too, whenever a pool gives it out.

        The old primary of a planned failover serves for seconds more, and tells what is no more.
        """
        connection: Any = self
        if connection._sock and _latest.get(self._service) != (connection.host, connection.port):
            connection.disconnect()
        super().connect()  # type: ignore[misc]

    def _connect(self) -> Any:
        self.host, self.port = _latest[self._service] = self._sentinels.primary()
        return super()._connect()  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.exceptions.ReadOnlyError:
            # It was made a replica meanwhile: the next command is for another server.
            self.disconnect()
            raise

    def disconnect(self, *args: Any, **options: Any) -> None:
        super().disconnect(*args, **options)  # type: ignore[misc]
        watch, self._watch = self._watch, None
        if watch is not None and watch is not gevent.getcurrent():
            watch.kill(block=False)

    def leave_with(self, hang_up: Callable[[], None]) -> None:
        """Call it once the Sentinels name another primary.

        They tell an old one so only seconds later, and what it has stored until then is lost.
        """
        self._watch = gevent.spawn(self._watch_for_another, (self.host, self.port), hang_up)

    def _watch_for_another(self, here: Address, hang_up: Callable[[], None]) -> None:
        host, port = self._sentinels.wait_for_another(here)
        log.warning("The primary of %s is now %s:%d.", self._sentinels.service, host, port)
        with suppress(OSError):  # it has ended already
            hang_up()


class PrimaryConnection(_ToPrimary, redis.Connection):
    pass


class SecurePrimaryConnection(_ToPrimary, redis.SSLConnection):
    pass


PRIMARY = (PrimaryConnection, SecurePrimaryConnection)


def _greet(connection: Any) -> None:
    connection.on_connect()
    connection.send_command("ROLE")
    role = connection.read_response()[0]
    if role not in (b"master", "master"):
        raise redis.exceptions.ConnectionError(
            f"{connection.host}:{connection.port}, which the Sentinels name, is no primary yet"
        )
