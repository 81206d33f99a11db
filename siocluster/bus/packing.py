"""Socket.IO packets on the bus: always in the standard encoding, whatever the app's serializer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engineio import packet as engineio
from socketio.packet import ACK, EVENT, Packet

from siocluster.bus.message import Message


def arguments_of(data: Any) -> list[Any]:
    """As stock: a tuple is several arguments, None is none."""
    if isinstance(data, tuple):
        return list(data)
    return [] if data is None else [data]


def event_parts(namespace: str, event: str, data: Any) -> tuple[bytes, ...]:
    """The packet of an event; raises TypeError, ValueError for what JSON cannot carry."""
    return _parts(Packet(EVENT, namespace=namespace, data=[event, *arguments_of(data)]))


def ack_parts(arguments: Sequence[Any]) -> tuple[bytes, ...]:
    return _parts(Packet(ACK, id=0, data=list(arguments)))


def _parts(packet: Packet) -> tuple[bytes, ...]:
    encoded = packet.encode()
    pieces = encoded if isinstance(encoded, list) else [encoded]
    return tuple(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces)


def decoded(parts: Sequence[bytes]) -> list[Any]:
    """The data of a packet: event and arguments, or an ack's arguments; raises ValueError."""
    packet = Packet(encoded_packet=parts[0].decode())
    for part in parts[1:]:
        packet.add_attachment(part)
    return list(packet.data or [])


class Packing:
    """Makes the packets for clients, in the app's own serializer, `packet_class`."""

    def __init__(self, packet_class: type[Packet]) -> None:
        self._packet_class = packet_class
        self._is_standard = packet_class.encode is Packet.encode

    def event(self, message: Message, with_position: bool) -> list[engineio.Packet]:
        if self._is_standard:
            return message.positioned if with_position else message.packets
        return self._encoded(message, with_position=with_position, ack_id=None)

    def asking(self, message: Message, ack_id: int) -> list[engineio.Packet]:
        """The event, with an id for its ack; such a one carries no position."""
        return self._encoded(message, with_position=False, ack_id=ack_id)

    def _encoded(
        self, message: Message, *, with_position: bool, ack_id: int | None
    ) -> list[engineio.Packet]:
        data = decoded(message.parts)
        position = f"{message.number}-{message.epoch}"
        if message.head.stamped:
            data[-1] = {**data[-1], "position": position}
        if with_position:
            data.append(position)
        namespace = message.head.namespace
        encoded = self._packet_class(EVENT, namespace=namespace, data=data, id=ack_id).encode()
        pieces = encoded if isinstance(encoded, list) else [encoded]
        return [engineio.Packet(engineio.MESSAGE, piece) for piece in pieces]
