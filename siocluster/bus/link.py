"""The Redis link: one RESP3 connection for subscriptions and scripts, which comes back by itself.

Replies and messages arrive in Redis's order because they share the connection. What was sent and
not answered when it breaks is sent again, in the same order; what is called meanwhile waits.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
import hiredis
import redis
from gevent.event import Event

from siocluster.bus import dial
from siocluster.bus.outbox import Bounds, Outbox
from siocluster.bus.scripts import Script
from siocluster.bus.ticket import Reply, Ticket
from siocluster.errors import NotStoredError

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
BEAT_SECONDS = 2.0
MOST_MISSED = 3  # beats that did not come back, after which the link is dead
SECONDS_TO_PREPARE = 2.0
CHANNELS_A_COMMAND = 500
# Answers that a reconnect mends: scripts are gone, or this is no longer the primary.
MENDABLE = (
    *("NOSCRIPT", "READONLY", "LOADING", "MASTERDOWN", "MOVED", "UNBLOCKED", "NOPERM"),
    *("NOREPLICAS", "BUSY", "TRYAGAIN", "CLUSTERDOWN"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What the link tells, in its own greenlet: none of these may wait for anything."""

    on_push: Callable[[str, bytes], None]  # channel, data
    on_up: Callable[[], None]  # subscribed and sending again
    on_down: Callable[[], None]
    known: Callable[[], tuple[str, int]]  # epoch and highest number seen
    fresh_epoch: Callable[[], str]
    beat: Callable[[], None]  # call the script that publishes on the own channel


class Link:
    """`live` is set while what is published arrives here."""

    def __init__(
        self, url: str, *, root: str, scripts: Mapping[str, Script], bounds: Bounds
    ) -> None:
        self.live = Event()
        self.last_error = ""
        self._why = ""  # this side's own reason to end the connection
        self._url = url
        self._root = root
        self._scripts = scripts
        self._outbox = Outbox(bounds)
        self._channels: set[str] = set()
        self._wake = Event()
        self._socket: Any = None
        self._missed = 0
        self._pause = FIRST_PAUSE
        self._tell: Listener
        self._greenlets: list[gevent.Greenlet[..., Any]] = []
        self._connected = False

    def start(self, listener: Listener) -> None:
        self._tell = listener
        self._greenlets = [gevent.spawn(self._stay_connected), gevent.spawn(self._beat_for_ever)]

    def stop(self) -> None:
        gevent.killall(self._greenlets)
        self._close()

    def settle(self, seconds: float) -> None:
        """Wait until all that was called is answered, but no longer."""
        last = self._outbox.last()
        if last is not None and self._connected:
            last.join(seconds)

    def catch_up(self) -> None:
        """Wait for all that was called before: who reads next, reads what it has written.

        Raises NotStoredError when Redis does not answer in time.
        """
        last, seconds = self._outbox.last(), self._outbox.bounds.seconds
        if last is not None:
            last.join(seconds)
            if not last.done:
                raise NotStoredError(f"Redis has not answered for {seconds:g} s.")

    # What the worker asks for

    def call(
        self,
        name: str,
        *arguments: Any,
        then: Callable[[Reply], None] | None = None,
        first: bool = False,
    ) -> Ticket:
        """Run a script; `then` gets its reply in Redis's order. Never waits.

        `first`: before all that waits to be sent.
        """
        ticket = Ticket(name, arguments, then)
        self._outbox.add(ticket, first=first)
        self._wake.set()
        return ticket

    def admit(self, size: int) -> None:
        """Raise NotStoredError when Redis is away and too much waits for it already."""
        if not self.live.is_set():
            self._outbox.check_room(size)

    def wait(self, ticket: Ticket) -> Reply:
        """The reply; raises NotStoredError when none came in the time of the outbox."""
        seconds = self._outbox.bounds.seconds
        try:
            return ticket.wait(seconds)
        except gevent.Timeout:
            self._outbox.give_up(ticket)
            raise NotStoredError(
                f"Redis has not answered for {seconds:g} s ({self.last_error or 'no error'}).",
                hint="Whether it was stored is not known; with a message id it can be sent again.",
            ) from None

    def subscribe(self, channel: str) -> None:
        if channel not in self._channels:
            self._channels.add(channel)
            self._queue("SUBSCRIBE", channel)

    def unsubscribe(self, channel: str) -> None:
        if channel in self._channels:
            self._channels.discard(channel)
            self._queue("UNSUBSCRIBE", channel)

    def publish(
        self, channel: str, text: str | bytes, *, then: Callable[[Reply], None] | None = None
    ) -> None:
        """Without a place in the order, and lost while Redis is away. The reply is how many hear
        it."""
        if self._connected:
            # As a script it has a reply, like all that is in flight.
            self.call("tell", channel, text, then=then)

    def _queue(self, *command: str) -> None:
        if self._connected:
            self._outbox.add_bare(packed(*command))
            self._wake.set()

    # Staying connected

    def _stay_connected(self) -> None:
        while True:
            try:
                self._session()
            except (OSError, redis.exceptions.RedisError, hiredis.HiredisError, Lost) as error:
                self._lost(error)
            except Exception as error:
                log.exception("The Redis link failed.")
                self._lost(error)
            except gevent.Timeout:
                self._lost(Lost(f"no answer for {SECONDS_TO_PREPARE:g} s"))
            gevent.sleep(self._pause * random.uniform(0.5, 1.0))
            self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _session(self) -> None:
        """One connection, from the greeting to its loss; always raises."""
        connection, self._socket = dial.connected_socket(self._url)
        writer = None
        try:
            reader = hiredis.Reader(notEnoughData=Ellipsis)
            with gevent.Timeout(SECONDS_TO_PREPARE):
                self._load_scripts(reader)
                # From here on a new subscription is queued; those of before are in what is sent.
                self._connected = True
                self._socket.sendall(b"".join(self._subscriptions()))
            self._outbox.greet(Ticket("greet", (), None))
            self._missed = 0
            self._tell.on_up()
            self._tell.beat()
            writer = gevent.spawn(self._write, self._socket)
            self._read(reader)
        finally:
            self._connected = False
            gevent.killall([writer] if writer else [])
            connection.disconnect()

    def _load_scripts(self, reader: hiredis.Reader) -> None:
        scripts = self._scripts.values()
        self._socket.sendall(b"".join(packed("SCRIPT", "LOAD", script.text) for script in scripts))
        missing = len(scripts)
        while missing:
            while (reply := reader.gets()) is not Ellipsis:
                missing -= 1
                if isinstance(reply, hiredis.ReplyError):
                    raise Lost(str(reply))
            if missing:
                reader.feed(self._received())

    def _subscriptions(self) -> Iterable[bytes]:
        """Before what is sent again, for it may be published only now."""
        channels = sorted(self._channels)
        for start in range(0, len(channels), CHANNELS_A_COMMAND):
            yield packed("SUBSCRIBE", *channels[start : start + CHANNELS_A_COMMAND])

    def _lost(self, error: Exception) -> None:
        self.last_error, self._why = self._why or str(error) or type(error).__name__, ""
        if self.live.is_set():
            words = self.last_error
            log.error("Lost Redis (%s); new sessions are refused until it is back.", words)
        self.live.clear()
        self._outbox.lost()
        self._tell.on_down()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _beat_for_ever(self) -> None:
        """Beats are counted and not seconds: a handler that blocks here is not Redis's silence."""
        while True:
            gevent.sleep(BEAT_SECONDS)
            if not self._connected:
                continue
            self._missed += 1
            if self._missed > MOST_MISSED:
                self._shut()
            else:
                self._tell.beat()

    def _shut(self) -> None:
        """A half-open link delivers nothing and closes nothing: end it, so that reading ends."""
        self._why = f"silent for {MOST_MISSED * BEAT_SECONDS:g} s"
        self._missed = 0
        try:
            dial.hang_up(self._socket)
        except OSError:
            self._close()

    def heard(self) -> None:
        """The own beat has arrived."""
        self._missed = 0
        self._pause = FIRST_PAUSE
        if not self.live.is_set():
            level, again = (logging.INFO, " again") if self.last_error else (logging.DEBUG, "")
            log.log(level, "Hears Redis%s.", again)
            self.live.set()

    # Bytes

    def _write(self, sock: Any) -> None:
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                while batch := self._outbox.batch(self._packed):
                    sock.sendall(batch)
        except OSError:
            pass  # the reader meets the same end, and says so

    def _packed(self, ticket: Ticket) -> bytes:
        epoch, number = self._tell.known()
        fresh = self._tell.fresh_epoch()
        digest = self._scripts[ticket.name].digest
        known = (epoch, str(number), fresh)
        return packed("EVALSHA", digest, "1", self._root, *known, *ticket.arguments)

    def _received(self) -> bytes:
        data: bytes = self._socket.recv(65536)
        if not data:
            raise Lost("it hung up")
        return data

    def _read(self, reader: hiredis.Reader) -> None:
        while True:
            while (reply := reader.gets()) is not Ellipsis:
                if isinstance(reply, hiredis.PushNotification):
                    self._pushed(reply)
                else:
                    self._answered(reply)
            reader.feed(self._received())

    def _pushed(self, reply: list[Any]) -> None:
        if reply[0] == b"message":
            self._tell.on_push(reply[1].decode(errors="replace"), reply[2])

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._refused(str(reply))
            return
        ticket = self._outbox.answered()
        try:
            ticket.answer(reply)
        except Exception as error:
            # One reply that cannot be used must not make the worker deaf.
            log.exception("Cannot use what Redis answered to %s.", ticket.name)
            ticket.fail(NotStoredError(f"Redis's answer cannot be used: {error!r}"))
        if self._outbox.waits:
            self._wake.set()

    def _refused(self, words: str) -> None:
        if words.startswith(MENDABLE):
            raise Lost(words)
        ticket = self._outbox.answered()
        log.error("Redis refused %s: %s", ticket.name, words)
        ticket.fail(NotStoredError(f"Redis refused it: {words}"))


def packed(*command: Any) -> bytes:
    """A command as Redis reads it."""
    data: bytes = hiredis.pack_command(command)
    return data


class Lost(Exception):
    """The connection is of no use any more."""
