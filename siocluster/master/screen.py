"""What a person sees while the cluster starts: one line that moves, then lines that stay."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections import Counter
from typing import TextIO

from siocluster.logs import DIM, PLAIN, colourful
from siocluster.master.lifecycle import State
from siocluster.master.slot import Slot

log = logging.getLogger(__name__)
GREEN, BOLD = "\033[32m", "\033[1m"
CLEAR_LINE = "\r\033[K"
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
RED, YELLOW = "\033[31m", "\033[33m"
FRAME_SECONDS = 0.1
MARGIN = 14  # columns before the workers
COLOURS = {State.READY: GREEN, State.BACKOFF: RED, State.BOOTING: YELLOW}
ORDER = [state for state in State if state is not State.SPARE]


class Screen:
    """Live on a terminal, plain lines elsewhere; with JSON logs, log records."""

    def __init__(self, stream: TextIO = sys.stdout, *, as_log: bool = False) -> None:
        self._stream = stream
        self._as_log = as_log
        self._live = colourful(stream) and not as_log
        self._moving = False

    @property
    def live(self) -> bool:
        return self._live

    def fact(self, label: str, text: str) -> None:
        """A line that stays, such as `redis   Redis 7.0.15, the machine's`."""
        if self._as_log:
            log.info("%s: %s", label, text)
            return
        self._write(f"  {self._paint(DIM, f'{label:<9}')} {text}\n")

    def begin(self, slots: list[Slot]) -> None:
        """The workers are about to be spawned."""
        if not self._live:
            self.fact("workers", f"{len(slots)}, spawning")

    def progress(self, slots: list[Slot]) -> None:
        """The line that moves: how far each worker is."""
        if not self._live:
            return
        frame = FRAMES[int(time.monotonic() / FRAME_SECONDS) % len(FRAMES)]
        words = self._each(slots) if self._fits(slots) else self._counts(slots)
        self._stream.write(f"{CLEAR_LINE}  {frame} workers   {words}")
        self._stream.flush()
        self._moving = True

    def _fits(self, slots: list[Slot]) -> bool:
        """A line that wraps could not be cleared."""
        shown = sum(len(f"{slot.index} {slot.state.value}  ") for slot in slots)
        return MARGIN + shown < shutil.get_terminal_size().columns

    def _each(self, slots: list[Slot]) -> str:
        return "  ".join(f"{slot.index} {self._state(slot.state)}" for slot in slots)

    def _counts(self, slots: list[Slot]) -> str:
        counts: Counter[State] = Counter(slot.state for slot in slots)
        return " · ".join(
            f"{counts[state]} {self._state(state)}" for state in ORDER if counts[state]
        )

    def _state(self, state: State) -> str:
        return self._paint(COLOURS.get(state, DIM), state.value)

    def worker(self, slot: Slot) -> None:
        """A worker has become ready, or has failed to."""
        if not slot.ready:
            self.fact(f"worker {slot.index}", f":{slot.port}  {self._paint(RED, 'cannot boot')}")
            return
        pid = slot.process.pid if slot.process else "-"
        took = f"{self._state(slot.state)} after {slot.boot_seconds:.1f} s"
        self.fact(f"worker {slot.index}", f":{slot.port}  {took}  pid {pid}")

    def url(self, url: str) -> None:
        if self._as_log:
            log.info("serving on %s", url)
            return
        self._write(f"\n  {self._paint(BOLD, url)}\n\n")

    def clear(self) -> None:
        """Take the moving line away."""
        if self._moving:
            self._stream.write(CLEAR_LINE)
            self._moving = False
        self._stream.flush()

    def _write(self, text: str) -> None:
        self.clear()
        self._stream.write(text)
        self._stream.flush()

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._live else text
