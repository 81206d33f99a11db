"""python-socketio's client manager on the room bus: its methods mean the same over all workers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import gevent
import socketio
from engineio.packet import Packet as EnginePacket

from siocluster.bus import message as kinds
from siocluster.bus import names
from siocluster.bus.channels import Channel
from siocluster.bus.clients import Client, Clients
from siocluster.bus.delivery import Delivery
from siocluster.bus.membership import Membership
from siocluster.bus.message import Head, Message
from siocluster.bus.packing import Packing, event_parts
from siocluster.bus.positions import Position
from siocluster.bus.road import Road

log = logging.getLogger(__name__)


class Policy(Protocol):
    """What the settings say of an emit."""

    def is_stored(self, event: str, namespace: str) -> bool: ...
    def token(self) -> str: ...

    @property
    def direct_is_local(self) -> bool: ...


class RoomBusManager(socketio.Manager):  # type: ignore[misc]
    """`attach` gives it its parts, once the server is known."""

    name = "siocluster"

    def attach(
        self,
        *,
        boot: str,
        clients: Clients,
        delivery: Delivery,
        membership: Membership,
        road: Road,
        packing: Packing,
        policy: Policy,
        answer: Any,
        coming: Any,
        gone: Any,
        left_room: Any,
        hang_up: Any,
    ) -> None:
        """`coming(eio_sid, namespace)` makes the record of a client that connects, `gone(client)`
        hears of its end, `left_room(client, address)` that it left; `answer(boot, room, id,
        arguments)` brings an ack to another worker, `hang_up(eio_sid)` closes a transport."""
        self.host_id = boot
        self._timestamps: dict[str, float] = {}  # where python-socketio's admin keeps its own
        self._clients, self._delivery, self._membership = clients, delivery, membership
        self._road, self._packing, self._policy = road, packing, policy
        self._answer, self._coming, self._gone = answer, coming, gone
        self._left_room, self._hang_up = left_room, hang_up

    # Emits

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str | None = None,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Returns once it is stored; raises NotStoredError."""
        room, namespace = to or room, namespace or "/"
        if kwargs.get("ignore_queue"):
            stock = partial(super().emit, event, data, namespace, room=room, skip_sid=skip_sid)
            self._delivery.after(partial(stock, callback=callback))
            return
        reply_to = self._expected(room, namespace, callback)
        targets = tuple(self._targets(namespace, room))
        if not targets:
            return
        parts = event_parts(namespace, event, data)
        head = Head(
            targets=targets,
            namespace=namespace,
            skip=tuple(_listed(skip_sid)),
            sizes=tuple(map(len, parts)) if len(parts) > 1 else (),
            callback=reply_to,
            stored=callback is None and self._policy.is_stored(event, namespace),
        )
        self.send(head, parts)

    def send(self, head: Head, parts: tuple[bytes, ...], *, message_id: str = "") -> Position:
        """Down the road, or straight to a client here where the settings allow that."""
        if self._policy.direct_is_local and self._all_here(head):
            self._delivery.after(partial(self._send_local, head, parts))
            return Position(self._delivery.high, self._delivery.epoch)
        return self._road.send(head, parts, message_id=message_id, token=self._policy.token())

    def _all_here(self, head: Head) -> bool:
        return all(
            target.startswith("s:") and self._clients.get(target[2:]) for target in head.targets
        )

    def _send_local(self, head: Head, parts: tuple[bytes, ...]) -> None:
        message = Message(self._delivery.high, self._delivery.epoch, head, parts)
        for target in head.targets:
            client = self._clients.get(target[2:])
            if client is not None and client.namespace == head.namespace and not client.mute:
                self._delivery.send(client, message)

    def _targets(self, namespace: str, room: Any) -> Iterator[str]:
        """As stock: what has a length and is no text is several rooms."""
        rooms = room if hasattr(room, "__len__") and not isinstance(room, str) else [room]
        yield from dict.fromkeys(names.address(namespace, one) for one in rooms)

    def _expected(self, room: Any, namespace: str, callback: Any) -> tuple[Any, ...] | None:
        if callback is None:
            return None
        if room is None:
            raise ValueError("Cannot use callback without a room set.")
        return self.host_id, room, namespace, self._generate_ack_id(room, callback)

    # Acks of clients

    def asking_packets(self, message: Message, client: Client) -> list[EnginePacket]:
        """The event with an id of this worker's, whose ack goes back to who emitted."""
        callback = partial(self._return_callback, *(message.head.callback or ()))
        ack_id = self._generate_ack_id(client.sid, callback)
        return self._packing.asking(message, ack_id)

    def _return_callback(
        self, boot: str, room: Any, namespace: str, ack_id: int, *arguments: Any
    ) -> None:
        if boot == self.host_id:
            self.trigger_callback(room, ack_id, arguments)
        else:
            self._answer(boot, room, ack_id, arguments)

    # Rooms

    def enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        client = self._client(sid, namespace)
        if client is None:
            self._control(kinds.ENTER, sid, namespace, room)
        elif self._is_here(sid, namespace):
            self.basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
            self._join(client, namespace, room)

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        if sid != room and names.is_sid(room):
            raise ValueError("cannot enter a sid room")
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)

    def _join(self, client: Client, namespace: str, room: Any, since: int | None = None) -> None:
        if room is None or room == client.sid:
            return
        address = names.address(namespace, room)
        spelled = json.dumps(room) if "#" in address else ""
        self._membership.join(client, address, room=spelled, since=since)

    def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        client = self._client(sid, namespace)
        if client is None:
            self._control(kinds.LEAVE, sid, namespace, room)
            return
        self.basic_leave_room(sid, namespace, room)
        if self._is_here(sid, namespace):
            self._leave(client, names.address(namespace, room))

    def _leave(self, client: Client, address: str, *, till: int | None = None) -> None:
        self._left_room(client, address)
        self._membership.leave(client, address, till=till)

    def close_room(self, room: Any, namespace: str | None = None) -> None:
        namespace = namespace or "/"
        if names.is_sid(room):
            raise ValueError("cannot close a sid room")
        head = Head(
            kind=kinds.CLOSE,
            targets=(names.address(namespace, room),),
            namespace=namespace,
            room=room,
        )
        self._road.send(head, (), token=self._policy.token())

    def closed(self, message: Message, channel: Channel) -> None:
        """A room was closed, here or elsewhere: at this point of the order it has no members."""
        room, namespace = message.head.room, message.head.namespace
        for client, since in list(channel.members.items()):
            if client.replaying:
                client.disturbed = True
            elif since is not None and since < message.number:
                self.basic_leave_room(client.sid, namespace, room)
                self._leave(client, channel.address, till=message.number)

    # Clients

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """The record of a client that connects; one that comes back keeps its sid."""
        if self.sid_from_eio_sid(eio_sid, namespace) is not None:
            return None  # already connected
        client: Client = self._coming(eio_sid, namespace)
        self.basic_enter_room(client.sid, namespace, None, eio_sid=eio_sid)
        self.basic_enter_room(client.sid, namespace, client.sid, eio_sid=eio_sid)
        self.pending_connect.setdefault(namespace, []).append(client.sid)
        return client.sid

    def can_disconnect(self, sid: str, namespace: str) -> bool:
        if self._client(sid, namespace) is not None:
            return bool(self.is_connected(sid, namespace))
        self._control(kinds.DISCONNECT, sid, namespace or "/", None)
        return False

    def disconnect(self, sid: str, namespace: str | None = None, **kwargs: Any) -> None:
        namespace = namespace or "/"
        if not kwargs.get("ignore_queue"):
            self._control(kinds.DISCONNECT, sid, namespace, None)
            return
        client = self._client(sid, namespace)
        self.basic_disconnect(sid, namespace)
        if client is not None:
            self._gone(client)
            self._membership.end(client)

    def _control(self, kind: str, sid: str, namespace: str, room: Any) -> None:
        """Ask the worker where `sid` lives; nobody is asked for what can be no sid."""
        if kind == kinds.ENTER and names.is_sid(room) and room != sid:
            raise ValueError("cannot enter a sid room")
        if not names.is_sid(sid):
            log.debug("There is no client %r.", sid)
            return
        if room is not None:
            names.address(namespace, room)  # raises for what can be no room
        head = Head(kind=kind, targets=(names.sid_address(sid),), namespace=namespace, room=room)
        self._road.send(head, (), token=self._policy.token())

    def control(self, message: Message, client: Client) -> None:
        """Another worker asks for something for a client here. Runs where nothing may wait."""
        head = message.head
        if head.kind == kinds.DISCONNECT:
            client.mute = True  # what comes after it in the order must not slip in before
            gevent.spawn(self._disconnect_here, client)
        elif client.replaying:
            client.disturbed = True  # the log has it: the replay reads once more
        elif self._is_here(client.sid, client.namespace):
            if head.kind == kinds.ENTER:
                self.basic_enter_room(client.sid, client.namespace, head.room)
                self._join(client, client.namespace, head.room, since=message.number)
            else:
                self.basic_leave_room(client.sid, client.namespace, head.room)
                address = names.address(client.namespace, head.room)
                self._leave(client, address, till=message.number)

    def _disconnect_here(self, client: Client) -> None:
        """One that is still being connected is no client yet that stock would disconnect."""
        self.server.disconnect(client.sid, namespace=client.namespace)
        if not client.ended.is_set():
            client.may_return = False
            self._hang_up(client.eio_sid)

    def _client(self, sid: str, namespace: str) -> Client | None:
        client = self._clients.get(sid)
        return client if client is not None and client.namespace == namespace else None

    def _is_here(self, sid: str, namespace: str) -> bool:
        return bool(self.is_connected(sid, namespace) or self.is_pre_connected(sid, namespace))


def _listed(skip_sid: Any) -> list[str]:
    if skip_sid is None:
        return []
    return list(skip_sid) if isinstance(skip_sid, list | tuple | set) else [skip_sid]
