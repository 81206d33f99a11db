"""What a person sees while a run goes on: a line for each round of faults."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from siocluster.logs import DIM, PLAIN, colourful
from tests.chaos.checker import Checker
from tests.chaos.plan import Plan
from tests.chaos.strikes import Strike

RED, GREEN, YELLOW, BOLD = "\033[31m", "\033[32m", "\033[33m", "\033[1m"


class Screen:
    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._colour = colourful(stream)
        self._began_at = time.monotonic()
        self._shown = 0  # violations

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colour else text

    def line(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def begin(self, plan: Plan) -> None:
        size = f"{plan.workers} workers, {plan.clients} clients, {plan.rooms} rooms"
        self.line(
            f"{self.paint(BOLD, 'chaos')}  seed {plan.seed}, {plan.minutes:g} min, {size}, "
            f"{plan.rate:g} says/s, appendfsync {plan.fsync}, T {plan.recovery_seconds:g} s"
        )

    def talking(self, checker: Checker) -> None:
        self.line(f"{self._clock()}  all {len(checker.lives)} clients have joined and talk")

    def round(self, number: int, strikes: Sequence[Strike], checker: Checker) -> None:
        """`number` 0: one that went on beside others."""
        head = f"#{number}" if number else "··"
        hits = " + ".join(f"{one.name} {self.paint(DIM, one.detail)}".strip() for one in strikes)
        says = checker.says
        facts = f"in flight {sum(one.in_flight for one in strikes)}{_back(strikes)}"
        counts = f"acked {says.acked}/{says.made}, seen {checker.counts['message']}"
        self.line(f"{self._clock()}  {head:<4} {hits}  {self.paint(DIM, f'{facts}  {counts}')}")
        self._new_violations(checker)

    def _new_violations(self, checker: Checker) -> None:
        kept = checker.violations.kept
        for violation in kept[self._shown : self._shown + 5]:
            self.line(f"       {self.paint(RED, violation.kind.value)}  {violation.words}")
        if len(kept) > self._shown + 5:
            self.line(f"       {self.paint(RED, f'and {len(kept) - self._shown - 5} more')}")
        self._shown = len(kept)

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._began_at)
        return self.paint(DIM, f"{seconds // 60:3d}:{seconds % 60:02d}")


def _back(strikes: Sequence[Strike]) -> str:
    times = [one.back_seconds for one in strikes if one.back_seconds is not None]
    return f", back in {max(times):.1f} s" if times else ""
