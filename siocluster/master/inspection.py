"""Ask a spawned process what the target is and which Redis to use, before any worker starts."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from siocluster.errors import ReportedError, TargetError
from siocluster.master.spawn import Process
from siocluster.settings import Settings
from siocluster.wire import Boot, Failed, Inspected, Message

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Inspection:
    """One process that inspects; `result` is there once `done`.

    Without `takes_name` it only looks whether another machine has this node's name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        folder: Path,
        environ: Mapping[str, str],
        takes_name: bool = True,
    ) -> None:
        self._settings = settings
        self._answer: Inspected | None = None
        self._failed: Failed | None = None
        boot = Boot(
            purpose="inspect",
            target=settings.target,
            folder=str(folder),
            name=settings.name,
            node=settings.node,
            redis=settings.redis,
            redis_origin=settings.redis_origin,
            redis_fallback=settings.redis_fallback,
            channel=f"siocluster:{settings.name}",
            owner=owner(settings),
            takes_name=takes_name,
            log_format=settings.log_format,
            log_level=settings.log_level,
            **settings.of_bus(),
        )
        self.process = Process(boot, environ=environ)

    def hear(self) -> None:
        for message in self.process.receive():
            self._note(message)

    def _note(self, message: Message) -> None:
        match message:
            case Inspected():
                self._answer = message
            case Failed():
                self._failed = message

    @property
    def done(self) -> bool:
        return self._answer is not None or self.process.exited()

    def result(self) -> Inspected:
        """What it saw; raises the error that it reported."""
        self.hear()
        if self._answer is not None:
            return self._answer
        if self._failed is not None:
            raise reported(self._failed)
        raise TargetError(
            f"The process that imported {self._settings.target} ended"
            f" ({self.process.describe()}) without a word.",
            hint="What it wrote is above.",
        )

    def too_late(self) -> TargetError:
        return TargetError(
            f"{self._settings.target} was not imported within {self._settings.boot_timeout:g} s.",
            hint="Its import may wait for something: the stacks are above."
            " --boot-timeout gives it longer.",
        )


def reported(failed: Failed) -> ReportedError:
    """The error that a worker process met, as the master's own."""
    return ReportedError(
        failed.message, hint=failed.hint, detail=failed.detail, exit_code=failed.exit_code
    )


def owner(settings: Settings) -> str:
    """Who holds this node's name: readable, the same again after a restart in this run-dir.

    What follows the # tells machines apart that have one host name.
    """
    try:
        boot_id = BOOT_ID.read_text().strip()
    except OSError:
        boot_id = ""
    return (
        f"{socket.gethostname()}, workers at {settings.worker_bind}:{settings.base_port},"
        f" run-dir {settings.run_dir}#{boot_id}"
    )
