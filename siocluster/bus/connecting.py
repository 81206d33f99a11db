"""How clients come and go: stock python-socketio's flow, with recovery in the places it leaves.

Stock asks the manager for a sid, runs the app's `connect`, and sends CONNECT. In the first place a
client that comes back gets its old sid, once its older life has ended and all that it missed is
read; in the last it gets CONNECT, then what it missed, then what has come meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import socketio
from engineio import packet as engineio
from socketio.packet import CONNECT, CONNECT_ERROR, Packet

from siocluster.bus import message as kinds
from siocluster.bus.channels import Channels
from siocluster.bus.clients import Client, Clients
from siocluster.bus.delivery import Delivery
from siocluster.bus.eviction import Eviction
from siocluster.bus.flask_session import FlaskSession
from siocluster.bus.link import Link
from siocluster.bus.membership import Membership
from siocluster.bus.message import Message
from siocluster.bus.packing import Packing
from siocluster.bus.presence import Presence
from siocluster.bus.replay import Incomplete, Replay
from siocluster.bus.sessions import Session, Sessions, new_pid, room_of
from siocluster.bus.ticket import Ticket
from siocluster.bus.transports import Transports
from siocluster.errors import NotStoredError

log = logging.getLogger(__name__)
UNREACHABLE = (NotStoredError, redis.exceptions.RedisError, OSError)


@dataclass(slots=True)
class Coming:
    """A client between its CONNECT packet and the answer."""

    recovers: bool = False
    pid: object = None
    offset: object = None
    session: Session | None = None
    missed: Iterable[Message] = ()
    begun: Ticket | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What connecting works with."""

    link: Link
    clients: Clients
    channels: Channels
    delivery: Delivery
    membership: Membership
    sessions: Sessions
    replay: Replay
    eviction: Eviction
    transports: Transports
    packing: Packing
    presence: Presence
    flask_session: FlaskSession
    wants_recovery: Callable[[dict[str, Any], str], bool]


class Connecting:
    """Takes the place of four methods of `server`."""

    def __init__(self, server: socketio.Server, parts: Parts) -> None:
        self._server = server
        self._parts = parts
        self._coming: dict[tuple[str, str], Coming] = {}
        self._stock_connect = server._handle_connect
        self._stock_send = server._send_packet
        self._stock_disconnect = server.disconnect
        self._stock_engine_end = server.eio.handlers["disconnect"]
        self._stock_handle_disconnect = server._handle_disconnect
        self._ending: set[str] = set()

    def install(self) -> None:
        self._server._handle_connect = self.connect
        self._server._send_packet = self.send_packet
        self._server._handle_event_internal = self.handle_event
        self._server._handle_disconnect = self.disconnected
        self._server.disconnect = self.disconnect
        self._server.eio.handlers["disconnect"] = self.engine_ended

    # Coming

    def connect(self, eio_sid: str, namespace: str | None, auth: Any) -> None:
        """A CONNECT packet. While Redis is away its answer waits, and is never CONNECT_ERROR:
        after that the stock JavaScript client would not try again."""
        namespace = namespace or "/"
        if (eio_sid, namespace) in self._coming:
            return  # a second CONNECT before the answer to the first: no client of ours does that
        coming = Coming()
        environ = self._server.environ.get(eio_sid)
        coming.recovers = environ is not None and self._parts.wants_recovery(environ, namespace)
        if coming.recovers and isinstance(auth, dict) and "pid" in auth:
            coming.pid, coming.offset = auth.pop("pid"), auth.pop("offset", None)
        self._coming[eio_sid, namespace] = coming
        try:
            self._stock_connect(eio_sid, namespace, auth or None)
        except UNREACHABLE as error:
            log.warning("A client could not be connected: %s", error)
            self._abandon(eio_sid, namespace)
        except KeyError:
            # Its transport ended meanwhile, and stock has forgotten its environment.
            if eio_sid in self._server.environ:
                self._abandon(eio_sid, namespace)
                raise
        except Exception:
            self._abandon(eio_sid, namespace)
            raise
        finally:
            self._coming.pop((eio_sid, namespace), None)
        if not self._parts.transports.is_open(eio_sid):
            self._abandon(eio_sid, namespace)

    def _abandon(self, eio_sid: str, namespace: str) -> None:
        """It went away, or has to, while it was being connected."""
        manager = self._server.manager
        sid = manager.sid_from_eio_sid(eio_sid, namespace)
        if sid is not None:
            if manager.is_connected(sid, namespace):
                self.disconnected(eio_sid, namespace, self._server.reason.TRANSPORT_CLOSE)
            else:
                manager.disconnect(sid, namespace, ignore_queue=True)
        self._parts.transports.close(eio_sid)

    def client_for(self, eio_sid: str, namespace: str) -> Client:
        """The manager's `pre_connect`: the record of a new client, or of one that comes back."""
        parts = self._parts
        coming = self._coming.setdefault((eio_sid, namespace), Coming())
        client = None
        if coming.recovers and isinstance(coming.pid, str):
            client = self._come_back(coming, coming.pid, eio_sid, namespace)
        if client is None:
            client = Client(self._server.eio.generate_id(), namespace, eio_sid)
            if coming.recovers:
                client.pid, client.held = new_pid(), []
            coming.begun = parts.membership.begin(client)
        if eio_sid not in self._server.environ:
            parts.membership.end(client)
            raise NotStoredError("it has gone meanwhile")
        return client

    def _come_back(self, coming: Coming, pid: str, eio_sid: str, namespace: str) -> Client | None:
        parts = self._parts
        session = parts.sessions.claim(pid, coming.offset, namespace=namespace)
        if session is None:
            return None
        if not parts.eviction.end_older_life(session):
            log.warning("A client comes back in vain: its older life does not end.")
            parts.sessions.discard(session)
            return None
        client = Client(
            session.sid, namespace, eio_sid, pid=pid, generation=session.generation, held=[]
        )
        client.may_return = True
        parts.clients.add(client)
        try:
            coming.missed = parts.replay.read(session, client)
        except Incomplete as incomplete:
            log.info("A client comes back in vain: %s.", incomplete)
            self._forget(client)
            parts.sessions.discard(session)
            return None
        except UNREACHABLE:
            self._forget(client)
            parts.sessions.leave_off(session)
            raise
        client.recovered = True
        client.wanted = set(session.open_rooms())
        coming.session = session
        return client

    def _forget(self, client: Client) -> None:
        """As if it had not come: the session stays as it is."""
        self._parts.channels.forget(client)
        self._parts.clients.remove(client)

    # Accepted

    def send_packet(self, eio_sid: str, packet: Packet) -> None:
        """What stock sends itself: after what was delivered before it."""
        namespace = packet.namespace or "/"
        if packet.packet_type == CONNECT:
            self._accept(eio_sid, namespace, packet)
            return
        encoded = packet.encode()
        pieces = encoded if isinstance(encoded, list) else [encoded]
        packets = [engineio.Packet(engineio.MESSAGE, piece) for piece in pieces]
        sid = self._server.manager.sid_from_eio_sid(eio_sid, namespace)
        client = self._parts.clients.get(sid) if sid else None
        if client is not None and packet.packet_type == CONNECT_ERROR:
            client.may_return = False  # refused
        if client is None or packet.packet_type == CONNECT_ERROR:
            self._parts.transports.send(eio_sid, packets)
        else:
            self._parts.delivery.after(lambda: self._parts.delivery.put(client, packets))

    def _accept(self, eio_sid: str, namespace: str, packet: Packet) -> None:
        """CONNECT, then what was missed, then what came meanwhile."""
        parts = self._parts
        coming = self._coming.get((eio_sid, namespace), Coming())
        client = parts.clients.get(packet.data["sid"])
        if client is None:
            raise NotStoredError("it has gone meanwhile")
        if coming.begun is not None:
            parts.link.wait(coming.begun)
        if client.pid:
            packet.data["pid"] = client.pid
        client.may_return = not client.mute
        self._stock_send(eio_sid, packet)
        environ = self._server.environ.get(eio_sid, {})
        parts.flask_session.begin(client, environ)
        if coming.session is not None:
            self._put_back(client, coming.session, environ)
        parts.transports.put(client, self._packets(client, coming.missed))
        held, client.held = client.held or [], None
        parts.transports.put(client, held)

    def _packets(self, client: Client, missed: Iterable[Message]) -> Iterable[engineio.Packet]:
        for message in missed:
            if message.head.kind == kinds.EMIT and client.sid not in message.head.skip:
                yield from self._parts.packing.event(message, True)

    def _put_back(self, client: Client, session: Session, environ: dict[str, Any]) -> None:
        """Rooms, what handlers had saved, and who it was for others."""
        parts = self._parts
        parts.sessions.note(session)
        for address in session.open_rooms():
            if address in client.wanted:
                room = room_of(address, session.names)
                self._server.manager.basic_enter_room(client.sid, client.namespace, room)
        parts.flask_session.put_back(client, environ, session.saved)
        parts.presence.put_back(client, session.people)

    # Events

    def handle_event(
        self, server: Any, sid: str, eio_sid: str, data: list[Any], namespace: str, id: int | None
    ) -> None:
        """As stock, but the ack goes out after what the handler did is stored."""
        client = self._parts.clients.get(sid)
        try:
            answer = server._trigger_event(data[0], namespace, sid, *data[1:])
        finally:
            if client is not None:
                environ = self._server.environ.get(eio_sid, {})
                self._parts.flask_session.save(client, environ)
        if answer is server.not_handled or id is None:
            return
        if client is not None and not self._is_settled(client):
            return
        arguments = answer if isinstance(answer, tuple) else [] if answer is None else [answer]
        packet = server.packet_class(3, namespace=namespace, id=id, data=list(arguments))
        server._send_packet(eio_sid, packet)

    def _is_settled(self, client: Client) -> bool:
        """Waits for what the client's joins and its session wait for; a client whose join Redis
        refused would be deaf in the room, and is closed instead."""
        due, client.due = client.due, None
        if due is None:
            return True
        try:
            self._parts.link.wait(due)
        except NotStoredError as error:
            self._parts.transports.give_up([client], f"a join was not confirmed: {error}")
            return False
        return True

    # Going

    def engine_ended(self, eio_sid: str, reason: str) -> Any:
        """The transport is gone, of itself: its clients may come back."""
        self._ending.add(eio_sid)
        try:
            return self._stock_engine_end(eio_sid, reason)
        finally:
            self._ending.discard(eio_sid)

    def disconnected(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        client = self._client(eio_sid, namespace or "/")
        if client is not None and eio_sid not in self._ending:
            client.may_return = reason == self._server.reason.TRANSPORT_CLOSE
        with self._ended_after(client):
            self._stock_handle_disconnect(eio_sid, namespace, reason)

    def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        client = self._parts.clients.get(sid)
        if client is not None:
            client.may_return = False
        with self._ended_after(client):
            self._stock_disconnect(sid, namespace=namespace, ignore_queue=ignore_queue)

    @contextmanager
    def _ended_after(self, client: Client | None) -> Iterator[None]:
        """Stock forgets nobody whose `disconnect` handler raises; here the sid may come back."""
        manager = self._server.manager
        connected = client is not None and manager.is_connected(client.sid, client.namespace)
        try:
            yield
        finally:
            if client is not None and connected and not client.ended.is_set():
                manager.disconnect(client.sid, client.namespace, ignore_queue=True)

    def _client(self, eio_sid: str, namespace: str) -> Client | None:
        sid = self._server.manager.sid_from_eio_sid(eio_sid, namespace)
        return self._parts.clients.get(sid) if sid else None
