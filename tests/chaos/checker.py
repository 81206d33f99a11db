"""Checks every client's record against what was acknowledged, while it comes in. Pure.

A record is what `chaos.mjs` prints: `[kind, client, seconds, …]`, in order for each client, in any
order between clients. All of it is judged by one rule: a number names one thing for everybody, and
rises at each client over all its rooms; what a client has passed without seeing it is a silent gap.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Any

from tests.chaos import says
from tests.chaos.lives import Life
from tests.chaos.order import Order
from tests.chaos.positions import NUMBER_BITS, BadPosition
from tests.chaos.room_book import Acked, Entry, Missing, RoomBook, Stretch
from tests.chaos.strikes import Strike, Strikes
from tests.chaos.violations import Kind, Violations

SECONDS_TO_ARRIVE = 10.0  # a record of one client may be read so much later than another's
MARGIN_SECONDS = 2.0  # how late a client may notice that it was cut


class Checker:
    """`rooms`: the clients in each; T and N (`recovery_…`) are the promise's."""

    def __init__(
        self,
        rooms: Mapping[str, Sequence[int]],
        *,
        recovery_seconds: float,
        recovery_events: int,
        seconds_to_serve: float = 5.0,
    ) -> None:
        self.seconds_to_serve = seconds_to_serve
        self.recovery_seconds = recovery_seconds
        self.recovery_events = recovery_events
        self.strikes = Strikes()
        self.violations = Violations()
        self.order = Order(rooms, strikes=self.strikes, violations=self.violations)
        self.says, self.books = self.order.says, self.order.books
        self.lives = {client: Life(client, homes) for client, homes in _homes(rooms).items()}
        self.counts: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self._lost: set[str] = set()
        self.lost_by_redis: set[str] = set()  # what it may lose by its settings
        self.catch_ups: list[float] = []
        self.ack_seconds = array("d")
        self._handlers: dict[str, Callable[..., None]] = {
            "connected": self._connected,
            "disconnected": self._disconnected,
            "refused": self._refused,
            "joined": self._joined,
            "message": self._message,
            "say": self._say,
            "said": self._said,
            "strange": self._strange,
        }

    def see(self, record: list[Any]) -> None:
        """Take in one record; kinds without a rule (`again`, `unsaid`, …) are only counted."""
        kind, client, at, *facts = record
        self.counts[kind] += 1
        handler = self._handlers.get(kind)
        if handler is None:
            return
        try:
            handler(self.lives[client], at, *facts)
        except BadPosition as error:
            self._violate(Kind.STRANGE, at, f"{self.lives[client].name}: {kind}: {error}")

    def sweep(self, now: float) -> None:
        """Find gaps; call it every few seconds."""
        cursors = {client: life.cursor for client, life in self.lives.items()}
        self._judge(cursors, now=now, learnt_before=now - SECONDS_TO_ARRIVE)

    def close(self, strike: Strike, *, served_since: float | None, now: float) -> None:
        """Judge a fault some seconds after its end; `served_since`: when its round was over."""
        self.strikes.close(strike, self.says)
        if not strike.in_flight:
            self._violate(Kind.IDLE, now, f"{strike.name} hit with nothing in flight")
        if served_since is None:
            return
        first_ack = self.strikes.first_ack
        strike.back_seconds = inf if first_ack is None else first_ack - served_since
        if strike.back_seconds > self.seconds_to_serve:
            words = (
                f"{strike.name}: no acknowledgement within {self.seconds_to_serve:g} s of its end"
            )
            self._violate(Kind.DEAF, now, words)

    def unsettled(self) -> int:
        """Entries that somebody has still to see."""
        return sum(map(len, self.books.values()))

    def away(self) -> list[str]:
        """Clients that are not connected, or not in all their rooms."""
        return [life.name for life in self.lives.values() if not life.is_back]

    def finish(self, now: float) -> None:
        """The end: nothing more comes, so whatever is not seen is missing."""
        self._judge(dict.fromkeys(self.lives, inf), now=now, learnt_before=inf, final=True)
        for name in self.away():
            self._violate(Kind.STUCK, now, f"{name} has not come back by the end")
        for words in self.says.invented():
            self._violate(Kind.STRANGE, now, words)
        if self.says.acked < 0.99 * self.says.made or not self.says.made:
            words = f"{self.says.acked} of {self.says.made} says were acknowledged in the end"
            self._violate(Kind.UNACKED, now, words)
        for strike in self.strikes.all:
            self._judge_told(strike.name, sorted(strike.untold), now)

    # What clients saw

    def _connected(self, life: Life, at: float, sid: str, recovered: bool) -> None:
        if not recovered and life.met:
            self._tell(life, at)
        elif recovered and sid != life.sid:
            words = f"{life.name} was recovered under another id: {life.sid}, then {sid}"
            self._violate(Kind.STRANGE, at, words)
        self.counts["recovered"] += recovered
        life.target = self.order.highest if life.met else None
        life.connected = life.met = True
        life.sid, life.heard_at, life.connected_at = sid, at, at

    def _disconnected(self, life: Life, at: float, reason: str) -> None:
        life.cut(at)
        if reason == "io server disconnect":
            self._violate(Kind.REFUSED, at, f"{life.name} was disconnected for good")

    def _refused(self, life: Life, at: float, message: str, for_good: bool) -> None:
        if for_good:
            self._violate(Kind.REFUSED, at, f"{life.name} got CONNECT_ERROR: {message}")

    def _joined(
        self,
        life: Life,
        at: float,
        room: str,
        position: object,
        history: list[tuple[object, str]],
        more: bool,
    ) -> None:
        book = self.books[room]
        shown = [(self.order.rank(place, at), message) for place, message in history]
        self._check_history(life, at, book, shown)
        life.joined.add(room)
        life.heard_at = at
        if not book.is_open(life.client):
            book.open(life.client, Stretch(shown[0][0] - 1 if shown and more else None))
            life.fresh.add(room)
        for rank, message in shown:
            if entry := self.order.learn(book, rank, message, at):
                book.mark_seen(life.client, entry)

    def _check_history(
        self, life: Life, at: float, book: RoomBook, shown: Sequence[tuple[int, str]]
    ) -> None:
        if any(later <= earlier for (earlier, _), (later, _) in pairwise(shown)):
            words = f"{life.name}: the history of {book.name} is out of order"
            self._violate(Kind.ORDER, at, words)
        for acked in book.absent_from(shown, read_after=life.connected_at):
            self._lose(book, acked, at)

    def _lose(self, book: RoomBook, acked: Acked, at: float) -> None:
        """It is not in the room's history: Redis does not have it."""
        if not self.strikes.survives(acked.at):
            self.lost_by_redis.add(acked.message)
        elif acked.message not in self._lost:
            self._lost.add(acked.message)
            words = f"{acked.message}, acknowledged, is not in the history of {book.name}"
            self._violate(Kind.LOSS, at, words)

    def _message(self, life: Life, at: float, room: str, position: object, message: str) -> None:
        book = self.books[room]
        rank = self.order.rank(position, at)
        entry = self.order.learn(book, rank, message, at)
        life.heard_at = at
        self._check_epoch(life, rank, at)
        self._begin(life, rank)
        if rank > life.cursor:
            life.cursor = rank
        else:
            self._backwards(life, at, book, rank, entry)
        if entry:
            book.mark_seen(life.client, entry)
        if (took := life.catch_up(rank, at)) is not None:
            self.catch_ups.append(took)

    def _begin(self, life: Life, rank: int) -> None:
        """The first live event tells where the rooms begin that it has just joined."""
        for room in life.fresh:
            self.books[room].begin(life.client, rank)
        life.fresh.clear()

    def _check_epoch(self, life: Life, rank: int, at: float) -> None:
        """One life, one epoch: who meets another has to be told first."""
        epoch = rank >> NUMBER_BITS
        if life.epoch is not None and life.epoch != epoch:
            words = f"{life.name} met {self.order.text(rank)} without being told"
            self._violate(Kind.EPOCH, at, words)
        life.epoch = epoch

    def _backwards(
        self, life: Life, at: float, book: RoomBook, rank: int, entry: Entry | None
    ) -> None:
        again = entry is None or book.has_seen(life.client, entry)
        place, last = self.order.text(rank), self.order.text(life.cursor)
        words = f"{life.name} got {place} of {book.name} {'again ' * again}after {last}"
        self._violate(Kind.DOUBLE if again else Kind.ORDER, at, words)

    # What clients said

    def _say(self, life: Life, at: float, message: str) -> None:
        said = says.read(message)
        assert said, message
        self.says.make(said, at=at)

    def _said(self, life: Life, at: float, message: str, position: object) -> None:
        said = says.read(message)
        assert said, message
        first_said_at = self.says.ack(said)
        book, rank = self.order.room_of(said), self.order.rank(position, at)
        self.order.learn(book, rank, message, at)
        if first_said_at is not None:
            self.strikes.acked(said_at=first_said_at, at=at)
            self.ack_seconds.append(at - first_said_at)
            book.ack(rank, message, at)

    def _strange(self, life: Life, at: float, words: str) -> None:
        self._violate(Kind.STRANGE, at, f"{life.name}: {words}")

    # Verdicts

    def _tell(self, life: Life, at: float) -> None:
        """It was told that something is missing: by which fault, or for no reason?"""
        cause = self.strikes.tell(life.client, at, cut_at=life.cut_at or at)
        self.told[cause or "no fault"] += 1
        if cause is None:
            self._violate(Kind.TOLD, at, self._told_in_vain(life, at))
        for room in life.rooms:
            self.books[room].close(life.client, high=life.cursor)
        life.begin_anew()

    def _told_in_vain(self, life: Life, at: float) -> str:
        away = at - min(life.heard_at, life.cut_at or at)
        missed = max(self.books[room].count_after(life.cursor) for room in life.rooms)
        words = f"{life.name} was told after {away:.1f} s and at most {missed} events of a room"
        short = away < self.recovery_seconds - MARGIN_SECONDS and missed < self.recovery_events
        return words if short else f"{words}, more than promised, but no fault took so long"

    def _judge(
        self, cursors: Mapping[int, float], *, now: float, learnt_before: float, final: bool = False
    ) -> None:
        for book in self.books.values():
            for missing in book.judge(cursors, learnt_before=learnt_before, final=final):
                self._charge(book, missing, now)

    def _charge(self, book: RoomBook, missing: Missing, now: float) -> None:
        entries = missing.entries
        places = [self.order.text(rank) for rank, _ in entries]
        where = places[0] if len(places) == 1 else f"{places[0]} … {places[-1]}"
        acked = sum(entry.acked_at is not None for _, entry in entries)
        name = self.lives[missing.client].name
        words = (
            f"{name} has not seen {len(entries)} of {book.name}, {acked} of them acknowledged: "
            f"{where} ({entries[0][1].message})"
        )
        self._violate(Kind.GAP, now, words)
        for _, entry in entries:
            if entry.acked_at is not None and entry.message not in self._lost:
                self._lost.add(entry.message)
                self._violate(Kind.LOSS, now, f"{entry.message} of {book.name} missing at {name}")

    def _judge_told(self, fault: str, clients: Sequence[int], now: float) -> None:
        if clients:
            names = ", ".join(self.lives[client].name for client in clients[:5])
            words = f"{fault}: {len(clients)} clients were never told, among them {names}"
            self._violate(Kind.UNTOLD, now, words)

    def _violate(self, kind: Kind, at: float, words: str) -> None:
        self.violations.add(kind, at, words)


def _homes(rooms: Mapping[str, Sequence[int]]) -> dict[int, frozenset[str]]:
    clients = sorted({client for members in rooms.values() for client in members})
    return {
        client: frozenset(room for room, members in rooms.items() if client in members)
        for client in clients
    }
