"""Who is in which room, as Redis's order has it.

The app sees a join or a leave at once; what a client gets follows the number that Redis gave to it.
No join waits: one that yielded would let the client's next event overtake it. Only the ack does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from siocluster.bus.channels import Channels
from siocluster.bus.clients import Client, Clients
from siocluster.bus.link import Link
from siocluster.bus.names import namespace_address
from siocluster.bus.ticket import Reply, Ticket


class Membership:
    """`after` runs something behind what delivery holds; `reached` hears which number a reply has
    seen; `on_superseded` is told of a client whose session a later life has taken over; `fill`
    reads what a room's log has after a number, while nothing is delivered."""

    def __init__(
        self,
        link: Link,
        channels: Channels,
        clients: Clients,
        *,
        boot: str,
        place: str,
        after: Callable[[Callable[[], None]], None],
        reached: Callable[[int, str], None],
        on_superseded: Callable[[Client], None],
        fill: Callable[[str], None],
    ) -> None:
        self._link = link
        self._channels = channels
        self._clients = clients
        self._boot = boot
        self._place = place
        self._after = after
        self._reached = reached
        self._on_superseded = on_superseded
        self._fill = fill

    def begin(self, client: Client) -> Ticket:
        """A client connects; its pid, if it has one, is a session from now on."""
        self._clients.add(client)
        address = namespace_address(client.namespace)
        self._channels.enter(client, address, since=None)
        return self._link.call(
            "begin",
            address,
            client.pid,
            client.sid,
            client.namespace,
            self._place,
            self._boot,
            then=partial(self._begun, client, address),
        )

    def _begun(self, client: Client, address: str, reply: Reply) -> None:
        number, epoch, newest = reply
        self._reached(int(number), epoch.decode())
        client.start = int(number)
        self._entered(client, address, int(number), newest=int(newest))

    def _entered(self, client: Client, address: str, since: int, *, newest: int) -> None:
        channel = self._channels.get(address)
        if channel is not None and client in channel.members:
            channel.members[client] = since
            channel.heard(newest)

    def join(
        self, client: Client, address: str, *, room: str = "", since: int | None = None
    ) -> None:
        """`since` is the number of a join that another worker asked for; `room` the room as JSON
        where the address does not spell it."""
        if address in client.wanted:
            return
        client.wanted.add(address)
        channel = self._channels.get(address)
        if since is not None and (channel is None or channel.last is None):
            # What was emitted after it may have been published before we subscribe.
            self._channels.enter(client, address, since=since)
            self._fill(address)
        self._channels.enter(client, address, since=since)
        ticket = self._link.call(
            "join",
            address,
            client.pid,
            str(client.generation),
            "" if since is None else str(since),
            room,
            then=partial(self._joined, client, address),
        )
        client.settle(ticket)

    def _joined(self, client: Client, address: str, reply: Reply) -> None:
        since, _, newest, owned = reply
        if owned == b"0":
            self._on_superseded(client)
        self._entered(client, address, int(since), newest=int(newest))

    def leave(self, client: Client, address: str, *, till: int | None = None) -> None:
        if address not in client.wanted:
            return
        client.wanted.discard(address)
        ticket = self._link.call(
            "leave",
            address,
            client.pid,
            str(client.generation),
            "" if till is None else str(till),
            then=partial(self._left, client, address),
        )
        client.settle(ticket)
        if till is not None:
            self._remove(client, address)  # in its place of the order already

    def _left(self, client: Client, address: str, reply: Reply) -> None:
        if reply[3] == b"0":
            self._on_superseded(client)
        # What was emitted before it may be held.
        self._after(partial(self._remove, client, address))

    def _remove(self, client: Client, address: str) -> None:
        channel = self._channels.get(address)
        if channel is None:
            return
        if address in client.wanted:
            channel.members[client] = None  # it has joined again: the reply to that comes next
        else:
            self._channels.leave(client, address)

    def end(self, client: Client) -> None:
        """The client is gone; a superseded one touches nothing of the later life's."""
        self._after(partial(self._forget, client))
        if client.pid and not client.superseded:
            returns = "1" if client.may_return else "0"
            self._link.call("finish", client.pid, str(client.generation), returns)
        client.ended.set()

    def _forget(self, client: Client) -> None:
        self._channels.forget(client)
        self._clients.remove(client)
