"""Holds a service and the master's pipe; when either end dies, ends all that the service started.

Run as a script, in a process group of its own that the service inherits:
`python guard.py COMMAND…` with the pipe as standard input. It needs nothing but the standard
library. `kill -9` of nginx's master leaves nginx's workers serving and the port taken, and the
kernel's parent-death signal reaches a direct child only: both are why the group is ended here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

FORWARDED = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
SECONDS_TO_END = 1.0
PR_SET_PDEATHSIG = 1
STDIN = 0


def main() -> int:
    wakeup = _wake_on_signals()
    service = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
    while service.poll() is None:
        readable, _, _ = select.select([STDIN, wakeup], [], [])
        if STDIN in readable and not os.read(STDIN, 1):
            _end(service)
        elif wakeup in readable:
            _forward(service, os.read(wakeup, 64))
    _kill_rest_of_group()
    return service.returncode if service.returncode >= 0 else 128 - service.returncode


def _wake_on_signals() -> int:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (*FORWARDED, signal.SIGCHLD):
        signal.signal(number, _noted)
    return read_end


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor has it; the loop acts."""


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _forward(service: subprocess.Popen[bytes], numbers: bytes) -> None:
    for number in numbers:
        if number in FORWARDED:
            service.send_signal(number)


def _end(service: subprocess.Popen[bytes]) -> None:
    """The master is gone: a short chance to write what is in memory, then the end."""
    service.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        service.wait(SECONDS_TO_END)
    os.killpg(0, signal.SIGKILL)


def _kill_rest_of_group() -> None:
    group = os.getpgid(0)
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        with contextlib.suppress(OSError):
            if pid != os.getpid() and os.getpgid(pid) == group:
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
