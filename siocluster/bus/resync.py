"""Make good what was missed: read all heads, then what is missing from every log, and deliver it.

Runs after each loss of the link, after a number that does not fit, and for a room that another
worker put a client into. Meanwhile delivery holds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import gevent

from siocluster.bus.channels import Channels
from siocluster.bus.clients import Client, Clients
from siocluster.bus.delivery import Delivery
from siocluster.bus.link import Link
from siocluster.bus.message import Message
from siocluster.bus.names import sid_address
from siocluster.bus.reader import Reader

log = logging.getLogger(__name__)
LOGS_A_CALL = 300
NO_LOG = -1  # what heads.lua says of a key of another type


class Resync:
    """`seconds` is how long logs keep what recovery needs; `give_up` closes clients whose gap
    cannot be filled."""

    def __init__(
        self,
        link: Link,
        reader: Reader,
        delivery: Delivery,
        channels: Channels,
        clients: Clients,
        *,
        place: str,
        seconds: float,
        give_up: Callable[[Iterable[Client], str], None],
    ) -> None:
        self._link = link
        self._reader = reader
        self._delivery = delivery
        self._channels = channels
        self._clients = clients
        self._place = place
        self._seconds = seconds
        self._give_up = give_up
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._wanted: set[str] | None = set()  # addresses; None for all
        self.last_heard = time.monotonic()

    # When

    def everything(self) -> None:
        """The link has come back, or a number does not fit."""
        self._wanted = None
        self._start()

    def room(self, address: str) -> None:
        """This room's log alone, after the number that is handled now."""
        if self._wanted is not None:
            self._wanted.add(address)
        self._start()

    def stop(self) -> None:
        """The link is lost: hold, and read all once it is back."""
        self._delivery.hold()
        self._wanted = None
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def _start(self) -> None:
        self._delivery.hold()
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run)

    def _run(self) -> None:
        try:
            while self._wanted is None or self._wanted:
                wanted, self._wanted = self._wanted, set()
                self._once(wanted)
        except Exception as error:
            # Whatever it is: without another try nothing would ever be delivered again.
            log.warning("Could not read what was missed (%s); tries again.", error)
            self._reader.renew()
            self._wanted = None
            self._greenlet = gevent.spawn_later(0.2, self._run)
        else:
            self._greenlet = None

    # What

    def _once(self, wanted: set[str] | None) -> None:
        high = self._delivery.high
        found: dict[int, Message] = {}
        number, chain, heads = self._heads(self._addresses(wanted), first=wanted is None)
        if wanted is None and chain not in (self._delivery.chain, 0):
            sids = [sid_address(client.sid) for client in self._clients]
            heads |= self._heads(sids, first=True)[2]
        for address, newest in heads.items():
            if newest == NO_LOG:
                self._give_up(self._members(address), "a key of another type is in a log's place")
            elif newest > high:
                upto = self._lacking_upto(address, newest=newest, number=number)
                self._read(address, high, upto, found)
        if wanted is None and time.monotonic() - self.last_heard > 2 * self._seconds:
            self._give_up(self._clients, "the link was away for too long")
        if self._wanted is not None and not self._wanted:
            self._deliver(found, heads, number=number, chain=chain)
        else:
            self._wanted = _both(wanted, self._wanted)

    def _addresses(self, wanted: set[str] | None) -> list[str]:
        channels = [channel.address for channel in self._channels]
        return channels if wanted is None else [one for one in channels if one in wanted]

    def _heads(self, addresses: list[str], *, first: bool) -> tuple[int, int, dict[str, int]]:
        """Number, the place's chain, newest of each log: all as of one moment or later."""
        chunks = [addresses[at : at + LOGS_A_CALL] for at in range(0, len(addresses), LOGS_A_CALL)]
        # Not behind what waited for Redis: a whole outbox may be more than a log keeps.
        tickets = [
            self._link.call("heads", self._place, *chunk, first=first) for chunk in chunks or [[]]
        ]
        heads: dict[str, int] = {}
        numbers, chains = [], []
        for chunk, ticket in zip(chunks or [[]], tickets, strict=True):
            number, epoch, chain, *newest = ticket.wait()
            numbers.append(int(number))
            chains.append(int(chain))
            self._delivery.reached(int(number), epoch.decode())
            heads |= dict(zip(chunk, map(int, newest), strict=True))
        return min(numbers), min(chains), heads

    def _read(self, address: str, high: int, upto: int, found: dict[int, Message]) -> None:
        """What is above `upto` arrives by itself, in its order with that of other rooms."""
        if upto <= high:
            return
        complete = False
        epoch = self._delivery.epoch
        for index, entry in enumerate(self._reader.after(address, high, upto=upto, epoch=epoch)):
            complete = complete or (index == 0 and entry.previous <= high)
            found.setdefault(entry.message.number, entry.message)
        if not complete:
            self._give_up(self._members(address), "too much was missed")

    def _lacking_upto(self, address: str, *, newest: int, number: int) -> int:
        """The number up to which entries of this log have to be read.

        Held messages without a gap between them, up to the newest entry, need not be. One that was
        held before the link was lost once more may have a gap behind it.
        """
        run: int | None = None
        for item in reversed(self._delivery.held or []):
            if not isinstance(item, Message) or address not in item.previous:
                continue
            if run is None and item.number < newest:
                return number
            if run is None or item.number == run:
                run = item.previous[address]
            elif item.number < run:
                break
        return number if run is None else min(number, run)

    def _members(self, address: str) -> list[Client]:
        if address.startswith("s:"):
            client = self._clients.get(address[2:])
            return [client] if client is not None else []
        channel = self._channels.get(address)
        if channel is None:
            return []
        return [client for client, since in channel.members.items() if since is not None]

    def _deliver(
        self, found: dict[int, Message], heads: dict[str, int], *, number: int, chain: int
    ) -> None:
        if found:
            log.info("Made good %d events that were missed.", len(found))
        self._delivery.release(found.values())
        if self._delivery.held is None:
            self._delivery.high = max(self._delivery.high, number)
        self._delivery.chain = max(self._delivery.chain or 0, chain)
        for address, newest in heads.items():
            channel = self._channels.get(address)
            if channel is not None:
                channel.heard(newest)


def _both(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    return None if one is None or other is None else one | other
