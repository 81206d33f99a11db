"""Signals of the master: the handlers only enqueue, the loop acts."""

from __future__ import annotations

import os
import signal
from types import FrameType

HANDLED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)


class SignalQueue:
    """A descriptor that becomes readable with each signal, and the signals in order.

    The wake-up descriptor carries each signal's number (signal.set_wakeup_fd), so a signal
    between two turns of the loop is neither lost nor handled in the middle of something.
    """

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()
        for descriptor in (self._read_end, self._write_end):
            os.set_blocking(descriptor, False)
        self._stock = {number: signal.signal(number, _noted) for number in HANDLED}
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)

    def fileno(self) -> int:
        return self._read_end

    def take(self) -> list[signal.Signals]:
        """The signals that came since the last call, SIGCHLD left out: the loop reaps anyway."""
        try:
            numbers = os.read(self._read_end, 4096)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in numbers if number != signal.SIGCHLD]

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._stock.items():
            signal.signal(number, handler)
        os.close(self._read_end)
        os.close(self._write_end)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor has it."""
