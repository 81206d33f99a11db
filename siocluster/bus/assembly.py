"""The room bus of one worker: its parts, put together and onto an app's Socket.IO server."""

from __future__ import annotations

import logging
import secrets
import string
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import flask_socketio
import gevent
from gevent.queue import Queue

from siocluster.bus import backend, leader, shared
from siocluster.bus.channels import Channels
from siocluster.bus.clients import Clients
from siocluster.bus.connecting import Connecting, Parts
from siocluster.bus.delivery import Delivery, Hooks
from siocluster.bus.eviction import Eviction
from siocluster.bus.flask_session import FlaskSession
from siocluster.bus.hearing import Hearing
from siocluster.bus.leader import Leadership
from siocluster.bus.link import Link, Listener
from siocluster.bus.manager import RoomBusManager
from siocluster.bus.membership import Membership
from siocluster.bus.names import Names
from siocluster.bus.outbox import Bounds
from siocluster.bus.outside import Outside
from siocluster.bus.packing import Packing
from siocluster.bus.presence import Presence
from siocluster.bus.reader import Reader
from siocluster.bus.replay import Replay
from siocluster.bus.resync import Resync
from siocluster.bus.road import Road
from siocluster.bus.scripts import Limits, load
from siocluster.bus.sessions import Sessions
from siocluster.bus.transports import Transports

log = logging.getLogger(__name__)
EPOCH_LETTERS = string.ascii_lowercase + string.digits
RENEW_SECONDS = 1800.0
NAMES_A_RENEWAL = 1000
SECONDS_TO_SETTLE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """`place` is node and slot; `channel` the one that stock processes emit to from outside."""

    url: str
    prefix: str
    place: str
    channel: str
    limits: Limits
    outbox: Bounds
    recovery: str = "auto"  # auto | on | off
    direct: str = "stored"  # stored | local
    volatile: frozenset[str] = frozenset()  # events, or namespaces with their slash


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say of an emit."""

    configuration: Configuration

    def is_stored(self, event: str, namespace: str) -> bool:
        volatile = self.configuration.volatile
        return event not in volatile and namespace not in volatile

    def token(self) -> str:
        return leader.token()

    @property
    def direct_is_local(self) -> bool:
        return self.configuration.direct == "local"


class Bus:
    """Takes over the client manager of `socketio` at once; `start` opens the link."""

    def __init__(self, socketio: flask_socketio.SocketIO, configuration: Configuration) -> None:
        server = socketio.server
        self.boot = secrets.token_hex(6)
        self._configuration = configuration
        self._names = names = Names(configuration.prefix)
        self._fresh_epoch = _new_epoch()
        self.clients = Clients()
        self.transports = transports = Transports(server)
        self.link = link = Link(
            configuration.url,
            root=names.root,
            scripts=load(configuration.limits),
            bounds=configuration.outbox,
        )
        place = configuration.place
        self.reader = reader = Reader(configuration.url, names)
        self.channels = Channels(link, names)
        self.delivery = Delivery(self.channels, self.clients)
        self.resync = Resync(
            link,
            reader,
            self.delivery,
            self.channels,
            self.clients,
            place=place,
            seconds=configuration.limits.seconds,
            give_up=transports.give_up,
        )
        self.membership = Membership(
            link,
            self.channels,
            self.clients,
            boot=self.boot,
            place=place,
            after=self.delivery.after,
            reached=self.delivery.reached,
            on_superseded=transports.supersede,
            fill=self.resync.room,
        )
        self.sessions = Sessions(link, boot=self.boot, place=place)
        self.leadership = Leadership()
        self.presence = Presence(
            link,
            reader,
            names,
            boot=self.boot,
            announce=shared.announce,
            write=self.sessions.save,
        )
        self.eviction = Eviction(
            link, names, self.clients, boot=self.boot, supersede=transports.supersede
        )
        self.manager = RoomBusManager()
        self._packing = Packing(server.packet_class)
        self._outside = Outside(self.manager, self.leadership)
        self._from_outside: Queue[bytes] = Queue()
        self._hearing = Hearing(
            link,
            names,
            boot=self.boot,
            channel=configuration.channel,
            delivery=self.delivery,
            resync=self.resync,
            eviction=self.eviction,
            leadership=self.leadership,
            presence=self.presence,
            manager=self.manager,
            outside=self._from_outside.put,
        )
        self._take_over(socketio)

    def _take_over(self, socketio: flask_socketio.SocketIO) -> None:
        server = socketio.server
        connecting = Connecting(server, self._parts(socketio))
        self.manager.attach(
            boot=self.boot,
            clients=self.clients,
            delivery=self.delivery,
            membership=self.membership,
            road=Road(self.link, self.delivery, boot=self.boot, place=self._configuration.place),
            packing=self._packing,
            policy=Policy(self._configuration),
            answer=self._hearing.answer,
            coming=connecting.client_for,
            gone=self.presence.gone,
            left_room=self.presence.left_room,
            hang_up=self.transports.close,
        )
        server.manager = self.manager
        self.manager.set_server(server)
        server.manager_initialized = True
        connecting.install()

    def _parts(self, socketio: flask_socketio.SocketIO) -> Parts:
        return Parts(
            link=self.link,
            clients=self.clients,
            channels=self.channels,
            delivery=self.delivery,
            membership=self.membership,
            sessions=self.sessions,
            replay=Replay(self.link, self.reader, self.channels, place=self._configuration.place),
            eviction=self.eviction,
            transports=self.transports,
            packing=self._packing,
            presence=self.presence,
            flask_session=FlaskSession(socketio, self.sessions.save),
            wants_recovery=self._wants_recovery,
        )

    def _wants_recovery(self, environ: dict[str, Any], namespace: str) -> bool:
        mode = self._configuration.recovery
        if mode != "auto":
            return mode == "on"
        return parse_qs(str(environ.get("QUERY_STRING", ""))).get("recovery") == ["1"]

    def start(self, *, seconds: float) -> bool:
        """Open the link; returns whether Redis was heard in time."""
        self.delivery.start(
            Hooks(
                put=self.transports.put,
                on_gap=self.resync.everything,
                on_epoch=self._on_epoch,
                control=self.manager.control,
                close=self.manager.closed,
                packets=self._packing.event,
                callback=self.manager.asking_packets,
            )
        )
        self.link.subscribe(self._names.place(self._configuration.place))
        self.link.subscribe(self._names.worker(self.boot))
        self.link.start(
            Listener(
                on_push=self._hearing.on_push,
                on_up=self.resync.everything,
                on_down=self.resync.stop,
                known=lambda: (self.delivery.epoch, self.delivery.seen),
                fresh_epoch=self._offered_epoch,
                beat=self._hearing.beat,
            )
        )
        gevent.spawn(self._hear_outside)
        gevent.spawn(self._renew_for_ever)
        return bool(self.link.live.wait(seconds))

    def backend(self) -> backend.Backend:
        """What `siocluster.rooms` works with."""
        found = shared.Shared(
            link=self.link,
            reader=self.reader,
            clients=self.clients,
            delivery=self.delivery,
            manager=self.manager,
            leadership=self.leadership,
            smallest_keep=self._configuration.limits.seconds,
        )
        found.presence = self.presence
        return found

    def stop(self) -> None:
        """After the last client has gone."""
        self._hearing.retires = True
        self.link.call("resign", self.boot)
        self.link.settle(SECONDS_TO_SETTLE)
        self.link.stop()

    def _offered_epoch(self) -> str:
        """For a Redis that has lost its own: never the one that is known already, or nobody would
        notice."""
        if self._fresh_epoch == self.delivery.epoch:
            self._fresh_epoch = _new_epoch()
        return self._fresh_epoch

    def _on_epoch(self) -> None:
        self.transports.give_up(self.clients, "Redis has lost what it had")
        self.presence.again(told=False)

    # Of long life

    def _hear_outside(self) -> None:
        while True:
            self._outside.heard(self._from_outside.get())

    def _renew_for_ever(self) -> None:
        """Sessions live on this worker's lease; this only keeps Redis from tidying them away."""
        while True:
            gevent.sleep(RENEW_SECONDS)
            recovering = [client for client in self.clients if client.pid]
            sessions = [f"session:{client.pid}" for client in recovering]
            homes = [f"home:{client.sid}" for client in recovering]
            self._renew("", [*sessions, *homes])
            self._renew("1", self.presence.kept_names())

    def _renew(self, people: str, names: list[str]) -> None:
        for start in range(0, len(names), NAMES_A_RENEWAL):
            self.link.call("renew", people, *names[start : start + NAMES_A_RENEWAL])


def _new_epoch() -> str:
    return "".join(secrets.choice(EPOCH_LETTERS) for _ in range(8))
