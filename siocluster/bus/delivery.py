"""Delivery: what came back from Redis goes to the clients here, by number, each thing once.

Everything on the link comes in rising numbers, so one number, `high`, tells what was handled. While
`held` is a list nothing is delivered: a loss is being made good, and what comes meanwhile waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engineio.packet import Packet

from siocluster.bus import message as kinds
from siocluster.bus.channels import Channel, Channels
from siocluster.bus.clients import Client, Clients
from siocluster.bus.message import Message

log = logging.getLogger(__name__)
Action = Callable[[], None]
Held = Message | Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What delivery leaves to others. None of these may wait."""

    put: Callable[[Client, Iterable[Packet]], None]  # onto the client's transport
    on_gap: Callable[[], None]
    on_epoch: Callable[[], None]  # Redis has lost what it had
    control: Callable[[Message, Client], None]  # enter, leave or disconnect of a client here
    close: Callable[[Message, Channel], None]  # a room
    packets: Callable[[Message, bool], list[Packet]]  # the event; True: with its position
    callback: Callable[[Message, Client], list[Packet]]  # the event, asking for an ack


class Delivery:
    def __init__(self, channels: Channels, clients: Clients) -> None:
        self.epoch = ""
        self.high = 0
        self.seen = 0  # the highest number heard of, handled or not
        self.chain: int | None = None
        self.held: list[Held] | None = None
        self._channels = channels
        self._clients = clients
        self._hooks: Hooks

    def start(self, hooks: Hooks) -> None:
        self._hooks = hooks

    # What arrives

    def take(self, message: Message) -> None:
        """A message, from its channel or as the reply to its emit: whichever is first counts."""
        if self.epoch and message.epoch != self.epoch:
            self._turn(message.epoch, message.number - 1)
        self.epoch = message.epoch
        self.seen = max(self.seen, message.number)
        if message.number <= self.high:
            return
        if self.held is not None:
            self.held.append(message)
        elif self._has_gap(message):
            self.held = [message]
            self._hooks.on_gap()
        else:
            self._deliver(message)

    def reached(self, number: int, epoch: str) -> None:
        """All up to `number` that is for this worker has arrived."""
        if self.epoch and epoch != self.epoch:
            self._turn(epoch, number)
        self.epoch = epoch
        self.seen = max(self.seen, number)
        if self.held is None:
            self.high = max(self.high, number)

    def after(self, action: Action) -> None:
        """Run it now, or, while things are held, after what came before it."""
        if self.held is None:
            action()
        else:
            self.held.append(action)

    def _has_gap(self, message: Message) -> bool:
        chain, before = message.chain, self.chain
        if chain is not None and before is not None and chain not in (before, 0):
            return True
        return any(self._lacks(target, number) for target, number in message.previous.items())

    def _lacks(self, target: str, previous: int) -> bool:
        """Whether an entry before this one was never heard. 0: they are too old to be kept."""
        channel = self._channels.get(target)
        if channel is None or channel.last is None:
            return False
        return previous not in (channel.last, 0)

    def _turn(self, epoch: str, high: int) -> None:
        """Another epoch: what was counted so far means nothing any more."""
        log.error("Redis has lost what it had; all clients load afresh.")
        self.epoch, self.high, self.seen, self.chain = epoch, high, high, None
        for channel in self._channels:
            channel.last = None
        self._hooks.on_epoch()

    # Holding and letting go

    def hold(self) -> None:
        """From now on nothing is delivered."""
        if self.held is None:
            self.held = []

    def release(self, found: Iterable[Message]) -> None:
        """Deliver what was found and what is held, by number, each once; then all is live again.

        What is to run after a message keeps its place behind it. A message may put a client into a
        room whose log has to be read first: then the rest is held once more.
        """
        items, self.held = deque(_merged(found, self.held or [])), None
        while items:
            item = items.popleft()
            if not isinstance(item, Message):
                self._run(item)
            elif item.number > self.high:
                self._deliver(item)
            if self.held is not None:
                self.held.extend(items)
                return

    def _run(self, action: Action) -> None:
        try:
            action()
        except Exception:
            log.exception("Something that had to wait for its turn failed.")

    # To the clients

    def _deliver(self, message: Message) -> None:
        self.high = message.number
        if message.chain is not None:
            self.chain = max(self.chain or 0, message.number)
        for target in message.previous:
            channel = self._channels.get(target)
            if channel is not None:
                channel.heard(message.number)
        try:
            self._dispatch(message)
        except Exception:
            log.exception("A message could not be delivered.")

    def _dispatch(self, message: Message) -> None:
        kind = message.head.kind
        if kind == kinds.EMIT:
            for client in self.receivers(message):
                self.send(client, message)
        elif kind == kinds.CLOSE:
            channel = self._channels.get(message.head.targets[0])
            if channel is not None:
                self._hooks.close(message, channel)
        else:
            for client in self.receivers(message):
                self._hooks.control(message, client)

    def receivers(self, message: Message) -> list[Client]:
        """Each once, in whatever of the targets it is."""
        number, skip = message.number, message.head.skip
        found: dict[Client, None] = {}
        for target in message.head.targets:
            for client, since in self._members(target):
                if since is not None and number > since:
                    found[client] = None
        namespace = message.head.namespace
        return [
            client
            for client in found
            if client.sid not in skip and client.namespace == namespace and not client.mute
        ]

    def _members(self, target: str) -> Iterable[tuple[Client, int | None]]:
        if target.startswith("s:"):
            client = self._clients.get(target[2:])
            return () if client is None else ((client, client.start),)
        channel = self._channels.get(target)
        return () if channel is None else channel.members.items()

    def send(self, client: Client, message: Message) -> None:
        if message.head.callback is not None:
            packets = self._hooks.callback(message, client)
        else:
            packets = self._hooks.packets(message, bool(client.pid))
        self.put(client, packets)

    def put(self, client: Client, packets: Iterable[Packet]) -> None:
        if client.held is not None:
            client.held.extend(packets)
        else:
            self._hooks.put(client, packets)


def _merged(found: Iterable[Message], held: Iterable[Held]) -> Iterator[Held]:
    """By number; an action stays behind the message that it followed.

    Held messages mostly rise; an emit that was sent again may answer with an older number.
    """
    rising, late = _rising(held)
    rest = deque(sorted([*found, *late], key=lambda message: message.number))
    for item in rising:
        while isinstance(item, Message) and rest and rest[0].number <= item.number:
            yield rest.popleft()
        yield item
    yield from rest


def _rising(held: Iterable[Held]) -> tuple[list[Held], list[Message]]:
    """What is in order, and messages that came behind higher numbers."""
    rising: list[Held] = []
    late: list[Message] = []
    highest = 0
    for item in held:
        if isinstance(item, Message) and item.number < highest:
            late.append(item)
            continue
        if isinstance(item, Message):
            highest = item.number
        rising.append(item)
    return rising, late
