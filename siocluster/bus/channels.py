"""Who listens where: the channels of rooms and namespaces that this worker has subscribed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import gevent

from siocluster.bus.clients import Client
from siocluster.bus.names import Names

LINGER_SECONDS = 5.0  # an empty room's channel is kept for so long: people reload pages


class Subscriptions(Protocol):
    def subscribe(self, channel: str) -> None: ...
    def unsubscribe(self, channel: str) -> None: ...


@dataclass(slots=True, eq=False)
class Channel:
    """One address with members here.

    `members` maps each to the number from which on it is one, None until Redis has said it.
    `last` is the number of the newest entry heard of, None before the first.
    """

    address: str
    last: int | None = None
    members: dict[Client, int | None] = field(default_factory=dict)

    def heard(self, number: int) -> None:
        self.last = max(self.last or 0, number)


class Channels:
    """`later` runs a function after so many seconds."""

    def __init__(
        self,
        link: Subscriptions,
        names: Names,
        *,
        later: Callable[..., object] = gevent.spawn_later,
    ) -> None:
        self._link = link
        self._names = names
        self._later = later
        self._by_address: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Channel]:
        return iter(list(self._by_address.values()))

    def get(self, address: str) -> Channel | None:
        return self._by_address.get(address)

    def open(self, address: str) -> Channel:
        """Subscribed from now on, if it was not."""
        channel = self._by_address.get(address)
        if channel is None:
            channel = self._by_address[address] = Channel(address)
            self._link.subscribe(self._names.channel(address))
        return channel

    def enter(self, client: Client, address: str, *, since: int | None) -> None:
        """A member from `since` on; None keeps what it is until Redis has said a number."""
        channel = self.open(address)
        client.channels.add(address)
        if since is not None or client not in channel.members:
            channel.members[client] = since

    def leave(self, client: Client, address: str) -> None:
        channel = self._by_address.get(address)
        if channel is None:
            return
        channel.members.pop(client, None)
        client.channels.discard(address)
        if not channel.members:
            self._later(LINGER_SECONDS, self._drop_if_empty, address)

    def _drop_if_empty(self, address: str) -> None:
        channel = self._by_address.get(address)
        if channel is not None and not channel.members:
            del self._by_address[address]
            self._link.unsubscribe(self._names.channel(address))

    def forget(self, client: Client) -> None:
        """The client is gone from all of them."""
        for address in list(client.channels):
            self.leave(client, address)
