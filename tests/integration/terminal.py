"""A cluster on a terminal of its own, as a person starts it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from tests.integration.app_server import APPS, environment
from tests.integration.cluster import Cluster, Place
from tests.integration.processes import end_session
from tests.integration.waiting import wait_until


@dataclass(slots=True)
class Terminal:
    """The side on which a person sits."""

    cluster: Cluster
    descriptor: int
    log: Path
    reader: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.log.touch()
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        # EIO: the last process on the other side has let go (pty(7)).
        with self.log.open("ab", buffering=0) as log, suppress(OSError):
            while data := os.read(self.descriptor, 4096):
                log.write(data)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.text(), words=words, log=self.text)

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def close(self) -> None:
        """Close the window: the kernel sends SIGHUP to whoever was started in it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


@contextmanager
def on_terminal(place: Place, target: str) -> Iterator[Terminal]:
    """`setsid --ctty python cluster.py …`: a session whose controlling terminal is ours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, *place.arguments(target)],
        cwd=APPS,
        env={**environment(place.environ()), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    cluster = Cluster(
        url=f"http://127.0.0.1:{place.bind}", process=process, scratch=place.scratch, place=place
    )
    terminal = Terminal(cluster, ours, place.scratch / "log")
    try:
        yield terminal
        cluster.stop()
        cluster.wait_until_gone()
    finally:
        end_session(process.pid)
        process.wait()
        terminal.reader.join()
        terminal.close()
