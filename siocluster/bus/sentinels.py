"""Redis Sentinels: which server is the primary, and when it is another.

The steps are those of "Guidelines for Redis clients with support for Redis Sentinel": ask the
Sentinels one after the other, connect, and have the server itself confirm that it is a primary
(primary_pool.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import gevent
import redis

SCHEME = "redis+sentinel"
FORM = f"{SCHEME}://user:password@host:26379,host:26379/service/0"
WATCH_SECONDS = 1.0

Address = tuple[str, int]


class NoPrimaryError(redis.exceptions.ConnectionError):
    """No Sentinel names a primary. The words are for a person; `hint` is what to do."""

    def __init__(self, words: str, *, hint: str = "") -> None:
        super().__init__(words)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """Where they are, the service they watch, and how to connect to each (of redis-py)."""

    places: tuple[Address, ...]
    service: str
    connection_class: type[redis.Connection] = redis.Connection
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def primary(self) -> Address:
        """As the first Sentinel has it that knows; raises NoPrimaryError."""
        errors: dict[str, redis.exceptions.RedisError | None] = {}
        for host, port in self.places:
            place = f"{host}:{port}"
            try:
                with self._asked(host, port) as ask:
                    if found := ask():
                        return found
                errors[place] = None
            except redis.exceptions.RedisError as error:
                errors[place] = error
        raise _no_primary(self.service, errors)

    def wait_for_another(self, known: Address) -> Address:
        """Ask until the first Sentinel that answers names another primary than the one `known`."""
        while True:
            for host, port in self.places:
                with suppress(redis.exceptions.RedisError), self._asked(host, port) as ask:
                    while (found := ask()) == known:
                        gevent.sleep(WATCH_SECONDS)
                    if found:
                        return found
            gevent.sleep(WATCH_SECONDS)

    @contextmanager
    def _asked(self, host: str, port: int) -> Iterator[Callable[[], Address | None]]:
        """Ask one of them, as often as wanted, on one connection."""
        connection: Any = self.connection_class(host=host, port=port, **self.options)

        def ask() -> Address | None:
            connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
            found = connection.read_response()
            return (found[0].decode(), int(found[1])) if found else None

        try:
            connection.connect()
            yield ask
        finally:
            connection.disconnect()


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
