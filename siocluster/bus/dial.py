"""Open connections to Redis by URL: plain, TLS, unix socket, or by way of Sentinels."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.sentinel import Sentinel

from siocluster.errors import RedisError

SENTINEL = "redis+sentinel"
SECONDS_TO_ANSWER = 1.5
OPTIONS: dict[str, Any] = {"protocol": 3, "socket_timeout": SECONDS_TO_ANSWER}
TCP_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": SECONDS_TO_ANSWER,
    "socket_keepalive": True,
}


def pool(url: str, **options: Any) -> redis.ConnectionPool:
    """A pool for the Redis that `url` names now; of a Sentinel's, for its present primary.

    Raises RedisError for a URL that names none, redis.exceptions.RedisError when no Sentinel knows.
    """
    options = OPTIONS | ({} if url.startswith("unix:") else TCP_OPTIONS) | options
    if not url.startswith(f"{SENTINEL}://"):
        return redis.ConnectionPool.from_url(url, **options)
    found = _Sentinels.parse(url)
    host, port = found.primary()
    return redis.ConnectionPool(
        host=host, port=port, db=found.database, **found.credentials, **options
    )


def connected_socket(url: str) -> tuple[Any, socket.socket]:
    """A connection that has greeted Redis (HELLO 3, AUTH, SELECT), and its socket.

    The caller speaks on the socket alone; the connection is only there to be closed. Raises
    redis.exceptions.RedisError, OSError.
    """
    connection: Any = pool(url).make_connection()
    connection.connect()
    bare: socket.socket = connection._sock
    bare.settimeout(None)
    return connection, bare


class _Sentinels:
    """`redis+sentinel://user:password@host:port,host:port/service/database`."""

    def __init__(self, *, hosts: list[tuple[str, int]], service: str, database: int) -> None:
        self.hosts = hosts
        self.service = service
        self.database = database
        self.credentials: dict[str, Any] = {}
        self.sentinel_password: str | None = None

    @classmethod
    def parse(cls, url: str) -> _Sentinels:
        parts = urlsplit(url)
        login, _, places = parts.netloc.rpartition("@")
        service, _, database = parts.path.strip("/").partition("/")
        try:
            hosts = [_host_and_port(place) for place in places.split(",")]
            found = cls(hosts=hosts, service=service, database=int(database or 0))
        except ValueError:
            raise _no_sentinel_url() from None
        if not service:
            raise _no_sentinel_url()
        user, _, password = login.partition(":")
        if user:
            found.credentials["username"] = unquote(user)
        if password:
            found.credentials["password"] = unquote(password)
        found.sentinel_password = parse_qs(parts.query).get("sentinel_password", [None])[0]
        return found

    def primary(self) -> tuple[str, int]:
        options: dict[str, Any] = {"password": self.sentinel_password} | TCP_OPTIONS
        options["socket_timeout"] = SECONDS_TO_ANSWER
        sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
            self.hosts, sentinel_kwargs=options
        )
        host, port = sentinel.discover_master(self.service)
        return str(host), int(port)


def _host_and_port(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    if not host:
        return place, 26379
    return host.strip("[]"), int(port)


def _no_sentinel_url() -> RedisError:
    return RedisError(
        "That is no Sentinel URL.",
        hint="redis+sentinel://user:password@host:26379,host:26379/service/0",
    )
