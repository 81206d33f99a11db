"""What the master's policy is tested with: a worker's process that says what a test wants."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from siocluster.wire import Message, Reader, encode


@dataclass(slots=True, eq=False)
class FakeProcess:
    """Stands for spawn.Process; its bytes go through the real reader."""

    pid: int = 4711
    hung_up: bool = False
    code: int | None = None
    closed: bool = False
    signals: list[signal.Signals] = field(default_factory=list)
    _said: bytes = b""
    _reader: Reader = field(default_factory=Reader)

    def says(self, *messages: Message | bytes) -> None:
        for message in messages:
            self._said += message if isinstance(message, bytes) else encode(message)

    def receive(self) -> Iterator[Message]:
        said, self._said = self._said, b""
        yield from self._reader.feed(said)

    def send_signal(self, number: signal.Signals) -> None:
        self.signals.append(number)

    def exited(self) -> bool:
        return self.code is not None

    def describe(self) -> str:
        return f"exit code {self.code}"

    def close(self) -> None:
        self.closed = True
