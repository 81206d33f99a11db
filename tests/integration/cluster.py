"""Run an app as a real cluster, look into it, hurt it, and see that nothing of it is left."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.integration import processes
from tests.integration.app_server import APPS, ROOT, RunningApp, environment, launched, started
from tests.integration.processes import Member
from tests.integration.waiting import SCALE, free_ports, is_free, is_ready, wait_until

SECONDS_TO_VANISH = 2 * SCALE  # what the master promises for its own sudden end
SECONDS_FOR_COMMAND = 60 * SCALE


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended by itself, and all that it wrote."""

    code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Ports and folders for one cluster after the other: a restart finds what was left."""

    scratch: Path
    workers: int
    bind: int
    slots: tuple[int, ...]

    @property
    def temporary(self) -> Path:
        """The cluster's TMPDIR."""
        return self.scratch / "tmp"

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.bind, *self.slots)

    def arguments(self, target: str, *options: str) -> list[str]:
        """What follows `python`. A later option wins over an earlier one."""
        base = [str(ROOT / "cluster.py"), target, "--workers", str(self.workers)]
        base += ["--bind", f"127.0.0.1:{self.bind}", "--base-port", str(self.slots[0])]
        return [*base, "--run-dir", str(self.scratch / "run"), *options]

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"TMPDIR": str(self.temporary), **(more or {})}

    def holds_nothing(self) -> bool:
        return all(map(is_free, self.ports))

    def run_to_end(
        self,
        target: str,
        *options: str,
        environ: Mapping[str, str] | None = None,
        folder: Path = APPS,
        wrapper: Sequence[str] = (),
    ) -> Ended:
        """Run the command until it ends by itself, as one that is refused does."""
        done = subprocess.run(
            [*wrapper, sys.executable, *self.arguments(target, *options)],
            cwd=folder,
            env=environment(self.environ(environ)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_FOR_COMMAND,
        )
        return Ended(done.returncode, done.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(RunningApp):
    """A running cluster; the master is `process`."""

    place: Place

    def members(self) -> list[Member]:
        """The master and all that it has started, directly or not."""
        return processes.session(self.process.pid)

    def titled(self, start: str) -> list[Member]:
        return processes.titled(self.process.pid, start)

    def worker_pid(self, slot: int) -> int | None:
        """The process that the title of this slot names."""
        found = self.titled(f"siocluster: worker {slot} ")
        return found[0].pid if found else None

    def serving_pid(self, slot: int) -> int | None:
        """The process that answers on the slot's port; for apps with a /pid page."""
        body = get(self.place.slots[slot], "/pid")
        return int(body) if body else None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """A signal to the master."""
        self.process.send_signal(number)

    def reaped(self) -> bool:
        """Whether the master has ended."""
        return self.process.poll() is not None

    def wait_until_gone(self, *, seconds: float = SECONDS_TO_VANISH) -> float:
        """Seconds until no process and no port is left, with the last of both seen together."""
        return wait_until(
            lambda: self.reaped() and not self.members() and self.place.holds_nothing(),
            words="the cluster to leave no process and no port",
            seconds=seconds,
            log=lambda: f"{self.members()}\n{self.log()}",
        )

    def wait_for_log(self, text: str, *, count: int = 1, seconds: float = 30 * SCALE) -> float:
        return wait_until(
            lambda: self.log().count(text) >= count,
            words=f"{text!r} in the log",
            seconds=seconds,
            log=self.log,
        )

    def wait_until_ready(self, slots: Sequence[int] | None = None) -> None:
        """Wait until the front and these slots, by default all of the workers, say ready."""
        chosen = range(self.place.workers) if slots is None else slots
        for port in (*(self.place.slots[slot] for slot in chosen), self.place.bind):
            wait_until(
                lambda port=port: started(self) and is_ready(port),
                words=f"/readyz on {port}",
                log=self.log,
            )


@contextmanager
def place_for(*, workers: int = 2, slots: int | None = None) -> Iterator[Place]:
    """Free ports and an empty folder; after a block that went well, both are so again."""
    bind, *ports = free_ports(1 + (slots or max(4, 2 * workers)))
    with TemporaryDirectory(prefix="cluster-") as scratch:
        place = Place(scratch=Path(scratch), workers=workers, bind=bind, slots=tuple(ports))
        place.temporary.mkdir()
        yield place
        assert place.holds_nothing(), "a port is still taken"
        assert not list(place.temporary.iterdir()), "temporary files are left"


@contextmanager
def spawned(
    place: Place,
    target: str,
    *,
    options: Sequence[str] = (),
    folder: Path = APPS,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """`python cluster.py TARGET …` in `folder`, not waited for."""
    with launched(
        place.arguments(target, *options),
        scratch=place.scratch,
        folder=folder,
        environ=place.environ(environ),
    ) as process:
        cluster = Cluster(
            url=f"http://127.0.0.1:{place.bind}",
            process=process,
            scratch=place.scratch,
            environ=environ or {},
            worker_ports=place.slots[: place.workers],
            place=place,
        )
        yield cluster
        cluster.stop()
        cluster.wait_until_gone()


@contextmanager
def running(
    place: Place,
    target: str,
    *,
    options: Sequence[str] = (),
    folder: Path = APPS,
    environ: Mapping[str, str] | None = None,
    ready: Sequence[int] | None = None,
) -> Iterator[Cluster]:
    """The same, once the front and the slots of `ready` say so; by default all workers."""
    with spawned(place, target, options=options, folder=folder, environ=environ) as cluster:
        cluster.wait_until_ready(ready)
        yield cluster


@contextmanager
def start_cluster(
    target: str,
    *,
    workers: int = 2,
    options: Sequence[str] = (),
    folder: Path = APPS,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """A cluster in a place of its own, ready when the front and every worker say so."""
    with (
        place_for(workers=workers) as place,
        running(place, target, options=options, folder=folder, environ=environ) as cluster,
    ):
        yield cluster


def get(port: int, path: str, *, seconds: float = 10 * SCALE) -> str:
    """The body of a page, or nothing where none came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.read().decode() if response.status == 200 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
