"""Open connections to Redis by URL: plain, TLS, unix socket, or by way of Sentinels.

What a user with an ACL of its own must be allowed stands in permissions.py.
"""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import Any

import redis

from siocluster.bus import primary_pool, sentinels

SECONDS_TO_ANSWER = 1.5
OPTIONS: dict[str, Any] = {"socket_timeout": SECONDS_TO_ANSWER}
TCP_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": SECONDS_TO_ANSWER,
    "socket_keepalive": True,
}
# Nothing that a URL says may change what the bus reads.
FIXED: dict[str, Any] = {"protocol": 3, "decode_responses": False}


def pool(url: str, **options: Any) -> redis.ConnectionPool:
    """A pool for the Redis that `url` names; of Sentinels, for the primary of each moment.

    `options` of redis-py win over those in the URL. Nothing connects yet. Raises ValueError for a
    URL that names none.
    """
    fixed = FIXED | options
    defaults = OPTIONS | ({} if url.startswith("unix:") else TCP_OPTIONS) | fixed
    by_sentinels = url.startswith(f"{sentinels.SCHEME}://")
    make = primary_pool.pool if by_sentinels else redis.ConnectionPool.from_url
    made = make(url, **defaults)
    made.connection_kwargs.update(fixed)
    return made


def connected_socket(url: str) -> tuple[Any, socket.socket]:
    """A connection that has greeted Redis (HELLO 3, AUTH, SELECT), and its socket.

    The caller speaks on the socket alone; the connection is only there to be closed. Sentinels that
    name another primary end both. Raises redis.exceptions.RedisError, OSError.
    """
    connection: Any = pool(url).make_connection()
    connection.connect()
    bare: socket.socket = connection._sock
    bare.settimeout(None)
    if isinstance(connection, primary_pool.PRIMARY):
        connection.leave_with(partial(hang_up, bare))
    return connection, bare


def hang_up(bare: socket.socket) -> None:
    """End both directions, so that whoever reads meets the end of the stream; raises OSError.

    By way of a twin: the socket's own `shutdown` fails its reader, and takes TLS away under it.
    """
    with socket.socket(fileno=os.dup(bare.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)
