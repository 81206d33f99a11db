"""The room logs of a process that is alone: in memory, bounded, gone with the process."""

from __future__ import annotations

import secrets
import string
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from siocluster.bus.payload import plain
from siocluster.bus.positions import Position
from siocluster.bus.values import Event, Missed, Room

EVENTS, SECONDS = 1000, 120.0  # what recovery needs, and the defaults of the room bus
MOST_ROOMS = 10_000
MOST_MESSAGE_IDS = 100_000
SECONDS_OF_A_MESSAGE_ID = 24 * 3600.0
SECONDS_BETWEEN_SWEEPS = 60.0
Key = tuple[str, Room]  # namespace, room
Stored = tuple[int, Event]


class RoomLog:
    """The events of one room. `lost` is the number of the last one that is not kept any more."""

    __slots__ = ("events", "lost", "most", "seconds")

    def __init__(self, *, lost: int, most: int = EVENTS, seconds: float = SECONDS) -> None:
        self.events: deque[Stored] = deque()
        self.lost = lost
        self.most = most
        self.seconds = seconds

    def trim(self, now: float) -> None:
        while self.events and self._is_over(self.events[0][1], now):
            self.lost = max(self.lost, self.events.popleft()[0])

    def _is_over(self, event: Event, now: float) -> bool:
        return len(self.events) > self.most or event.time < now - self.seconds

    def last(self) -> int:
        return max(self.lost, self.events[-1][0]) if self.events else self.lost


class RoomLogs:
    """All rooms: those an app wants to keep, and the others, each kind bounded by itself.

    Not safe for several threads; the caller holds a lock.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.epoch = "".join(
            secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8)
        )
        self._clock = clock
        self._number = 0
        self._kept: OrderedDict[Key, RoomLog] = OrderedDict()
        self._others: OrderedDict[Key, RoomLog] = OrderedDict()
        # The last number of all logs that were dropped whole: who asks after an older one may
        # have a gap in any room that has no log.
        self._dropped = 0
        self._next_sweep = clock() + SECONDS_BETWEEN_SWEEPS

    def next_position(self) -> Position:
        self._number += 1
        return Position(self._number, self.epoch)

    def append(self, key: Key, position: Position, event: str, args: tuple[Any, ...]) -> None:
        now = self._clock()
        log = self._opened(key)
        log.events.append((position.number, Event(str(position), event, args, now)))
        log.trim(now)
        self._sweep(now)

    def lose(self, key: Key, position: Position) -> None:
        """This event of the room cannot be kept: whoever missed it has a gap."""
        self._opened(key).lost = position.number

    def history(self, key: Key, *, before: Position | None, limit: int) -> list[Event]:
        if before is not None and before.epoch != self.epoch:
            return []
        log = self._trimmed(key)
        stored = [event for number, event in log.events if before is None or number < before.number]
        return [_handed_out(event) for event in stored[-limit:]]

    def missed(self, key: Key, *, after: Position, limit: int) -> Missed:
        if after.epoch != self.epoch or after.number > self._number:
            return Missed(events=(), complete=False)
        log = self._trimmed(key)
        stored = [event for number, event in log.events if number > after.number]
        events = tuple(_handed_out(event) for event in stored[:limit])
        return Missed(events=events, complete=after.number >= log.lost)

    def keep(self, key: Key, *, events: int, seconds: float) -> None:
        log = self._kept.get(key) or self._others.pop(key, None) or RoomLog(lost=self._dropped)
        log.most, log.seconds = events, seconds
        self._kept[key] = log
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_ROOMS:
            self._fall_back(*self._kept.popitem(last=False))

    def _fall_back(self, key: Key, log: RoomLog) -> None:
        log.most, log.seconds = EVENTS, SECONDS
        self._others[key] = log
        self._bound_others()

    def _find(self, key: Key) -> RoomLog | None:
        for logs in (self._kept, self._others):
            if key in logs:
                logs.move_to_end(key)
                return logs[key]
        return None

    def _trimmed(self, key: Key) -> RoomLog:
        log = self._find(key) or RoomLog(lost=self._dropped)
        log.trim(self._clock())
        return log

    def _opened(self, key: Key) -> RoomLog:
        log = self._find(key)
        if log is None:
            log = self._others[key] = RoomLog(lost=self._dropped)
            self._bound_others()
        return log

    def _bound_others(self) -> None:
        while len(self._others) > MOST_ROOMS:
            _, log = self._others.popitem(last=False)
            self._dropped = max(self._dropped, log.last())

    def _sweep(self, now: float) -> None:
        """Quiet rooms are appended to no more, and would hold old events for ever."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + SECONDS_BETWEEN_SWEEPS
        for log in (*self._kept.values(), *self._others.values()):
            log.trim(now)


def _handed_out(event: Event) -> Event:
    """A copy: what the app does with it changes no history."""
    return replace(event, args=tuple(plain(list(event.args))))


@dataclass(frozen=True, slots=True)
class _Known:
    position: Position
    until: float


class MessageIds:
    """Which message ids were stored, for 24 h and not more than the last 100 000."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[Key, str], _Known] = OrderedDict()

    def find(self, key: Key, message_id: str) -> Position | None:
        self._forget()
        known = self._known.get((key, message_id))
        return known.position if known else None

    def remember(self, key: Key, message_id: str, position: Position) -> None:
        until = self._clock() + SECONDS_OF_A_MESSAGE_ID
        self._known[key, message_id] = _Known(position, until)
        if len(self._known) > MOST_MESSAGE_IDS:
            self._known.popitem(last=False)

    def _forget(self) -> None:
        now = self._clock()
        while self._known and next(iter(self._known.values())).until < now:
            self._known.popitem(last=False)
