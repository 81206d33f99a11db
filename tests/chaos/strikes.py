"""The faults of a run as the checker sees them: what each hit, excuses and demands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from tests.chaos.says import Says

SECONDS_TO_BE_TOLD = 60.0  # from the end of a fault that loses data to a client's next connect
SECONDS_TO_NOTICE = 10.0  # who stays connected for longer after such a fault has not been told
SECONDS_LOST = 2.0  # what Redis may lose of the time before its kill, with `everysec`
SECONDS_OF_EFFECT = 0.25  # a blow is over at once; what is said so soon after it still meets it


@dataclass(slots=True, eq=False)
class Strike:
    """One fault. Times are seconds of the monotonic clock.

    `told`: the clients that have to be told. `excused`: others that may be. `certain_until`: what
    was acknowledged before survives it; None where nothing acknowledged is lost. `back_seconds`:
    from the end of its round to the first acknowledgement after that.
    """

    name: str
    began_at: float
    told: frozenset[int] = frozenset()
    excused: frozenset[int] = frozenset()
    certain_until: float | None = None
    detail: str = ""
    ended_at: float | None = None
    over_at: float | None = None  # when all of its round had ended
    in_flight: int = 0
    were_told: set[int] = field(default_factory=set)
    back_seconds: float | None = None

    @property
    def loses_data(self) -> bool:
        return self.certain_until is not None

    def loses(self, acked_at: float) -> bool:
        """Whether it may have taken what was acknowledged then."""
        ended_at = inf if self.ended_at is None else self.ended_at
        return self.certain_until is not None and self.certain_until <= acked_at <= ended_at

    @property
    def untold(self) -> frozenset[int]:
        return self.told - self.were_told

    @property
    def effect_until(self) -> float:
        return inf if self.ended_at is None else self.ended_at + SECONDS_OF_EFFECT

    def excuses(self, client: int) -> bool:
        return client in self.told or client in self.excused

    def is_noticed(self, cut_at: float) -> bool:
        over_at = self.over_at or self.ended_at
        return over_at is None or cut_at <= over_at + SECONDS_TO_NOTICE

    def covers(self, at: float) -> bool:
        """Whether a client that is told then may owe it to this fault."""
        ended_at = self.ended_at
        return at >= self.began_at and (ended_at is None or at <= ended_at + SECONDS_TO_BE_TOLD)


class Strikes:
    def __init__(self) -> None:
        self.all: list[Strike] = []
        self._under_way: list[Strike] = []
        self._waiting_since: float | None = None
        self._first_ack: float | None = None

    def begin(self, strike: Strike) -> None:
        self.all.append(strike)
        self._under_way.append(strike)

    def close(self, strike: Strike, says: Says) -> None:
        """Some time after its end, when the records of what it met have come in."""
        strike.in_flight += says.outstanding_since(strike.effect_until)
        self._under_way.remove(strike)

    def wait_for_ack(self, *, since: float) -> None:
        """Note the first acknowledgement that arrives from then on."""
        self._waiting_since, self._first_ack = since, None

    @property
    def first_ack(self) -> float | None:
        return self._first_ack

    def acked(self, *, said_at: float, at: float) -> None:
        for strike in self._under_way:
            strike.in_flight += at >= strike.began_at and said_at <= strike.effect_until
        if self._waiting_since is not None and at >= self._waiting_since:
            self._waiting_since, self._first_ack = None, at

    def tell(self, client: int, at: float, *, cut_at: float) -> str | None:
        """The faults by which a client may be told, by name; None when there is none.

        It counts as told of those after which it was cut soon.
        """
        causes = [strike for strike in self.all if strike.excuses(client) and strike.covers(at)]
        for strike in causes:
            if strike.is_noticed(cut_at):
                strike.were_told.add(client)
        return causes[-1].name if causes else None

    def survives(self, acked_at: float) -> bool:
        """Whether what was acknowledged then was there after all faults."""
        return not any(strike.loses(acked_at) for strike in self.all)

    def losing(self, at: float) -> Iterator[Strike]:
        return (strike for strike in self.all if strike.loses_data and strike.covers(at))
