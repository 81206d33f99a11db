"""What a worker's delivery is tested with: clients, messages, and who got which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engineio.packet import MESSAGE, Packet

from siocluster.bus.channels import Channel, Channels
from siocluster.bus.clients import Client, Clients
from siocluster.bus.delivery import Delivery, Hooks
from siocluster.bus.message import EMIT, Head, Message
from siocluster.bus.names import Names
from tests.unit.bus.fake_link import FakeLink

EPOCH = "epoch000"
NAMES = Names("test")
AGORA, FORUM = 'r:/,"agora"', "r:/,42"


def message(
    number: int,
    *targets: str,
    kind: str = EMIT,
    previous: int | tuple[int, ...] | None = 0,
    chain: int | None = None,
    skip: tuple[str, ...] = (),
    namespace: str = "/",
    epoch: str = EPOCH,
    callback: tuple[object, ...] | None = None,
) -> Message:
    """`previous` for each target, or the same for all; None: not stored."""
    head = Head(kind=kind, targets=targets, skip=skip, namespace=namespace, callback=callback)
    several = previous if isinstance(previous, tuple) else (previous,) * len(targets)
    before = {
        target: number
        for target, number in zip(targets, several, strict=True)
        if number is not None
    }
    return Message(number, epoch, head, (b'2["event"]',), before, chain)


@dataclass(slots=True)
class World:
    """A worker's delivery; `got` is what each client was given, `told` what others were asked."""

    link: FakeLink = field(default_factory=FakeLink)
    clients: Clients = field(default_factory=Clients)
    got: list[tuple[str, int]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    waiting: list[tuple[Callable[..., object], tuple[object, ...]]] = field(default_factory=list)
    channels: Channels = field(init=False)
    delivery: Delivery = field(init=False)

    def __post_init__(self) -> None:
        self.channels = Channels(
            self.link,
            NAMES,
            later=lambda seconds, function, *args: self.waiting.append((function, args)),
        )
        self.delivery = Delivery(self.channels, self.clients)
        self.delivery.start(
            Hooks(
                put=self._put,
                on_gap=lambda: self.told.append("gap"),
                on_epoch=lambda: self.told.append("epoch"),
                control=lambda what, client: self.told.append(f"{what.head.kind} {client.sid}"),
                close=self._close,
                packets=lambda what, positioned: [_packet(what, "@" if positioned else "")],
                callback=lambda what, client: [_packet(what, "?")],
            )
        )

    def _put(self, client: Client, packets: Iterable[Packet]) -> None:
        self.got += [(client.sid, packet.data) for packet in packets]

    def _close(self, what: Message, channel: Channel) -> None:
        self.told.append(f"close {channel.address}")

    def client(
        self, sid: str, *rooms: str, since: int = 0, pid: str = "", namespace: str = "/"
    ) -> Client:
        """Connected, and a member of its rooms, since that number."""
        client = Client(sid, namespace, f"e-{sid}", pid=pid, start=since)
        self.clients.add(client)
        for room in rooms:
            client.wanted.add(room)
            self.channels.enter(client, room, since=since)
        return client

    def time_passes(self) -> None:
        """What was to run later, runs."""
        waiting, self.waiting = self.waiting, []
        for function, args in waiting:
            function(*args)


def _packet(what: Message, mark: str) -> Packet:
    """Its number, marked: with its position, or asking for an ack."""
    return Packet(MESSAGE, f"{what.number}{mark}")


def got(world: World) -> list[str]:
    """`Ann 12`, in the order in which it was given."""
    return [f"{sid} {number}" for sid, number in world.got]
