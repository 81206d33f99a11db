"""The Redis that the master runs: data-dir, file and service, as `front` has them for nginx."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siocluster import machine
from siocluster.errors import RedisError
from siocluster.master import embedded_redis
from siocluster.master.backoff import Backoff
from siocluster.master.embedded_redis import Program
from siocluster.master.rundir import (
    DATA_LOCK,
    RunDir,
    is_data_dir,
    lock_file,
    make_private,
    refuse_foreign,
)
from siocluster.master.services import Service
from siocluster.settings import Settings


@dataclass(frozen=True, slots=True)
class RedisService:
    """A service that is prepared and only needs to be started."""

    program: Program
    service: Service
    unix_socket: Path
    log_file: Path
    data_dir: Path

    @property
    def url(self) -> str:
        return f"unix://{self.unix_socket}"

    def settled(self) -> bool:
        """It answers, or it has ended already."""
        return self.service.restarts > 0 or embedded_redis.answers(self.unix_socket)

    def answers(self) -> bool:
        return self.service.restarts == 0 and embedded_redis.answers(self.unix_socket)

    def does_not_start(self) -> RedisError:
        return RedisError(
            f"{self.program.title} ({self.program.path}) does not start.",
            hint=f"Its files are in {self.data_dir}, its last words:",
            detail=embedded_redis.last_words(self.log_file),
        )


def prepare(settings: Settings, run_dir: RunDir, *, backoff: Backoff) -> RedisService:
    """Find a program, take the data-dir, write the file; raises SioclusterError."""
    program = embedded_redis.find()
    _take(settings.data_dir)
    unix_socket = run_dir.sockets / "redis.sock"
    log_file = run_dir.path / "redis.log"
    for leftover in (unix_socket, log_file):
        leftover.unlink(missing_ok=True)
    text = embedded_redis.render_config(
        unix_socket=unix_socket,
        data_dir=settings.data_dir,
        log_file=log_file,
        fsync=settings.redis_fsync,
        memory=machine.memory_limit(),
    )
    config = run_dir.write("redis.conf", text)
    service = Service("Redis", (program.path, str(config)), run_dir.path, backoff)
    return RedisService(program, service, unix_socket, log_file, settings.data_dir)


def _take(data_dir: Path) -> None:
    """Lock the folder until this process ends: two servers on one file would ruin it."""
    refuse_foreign(data_dir, option="--data-dir", ours=is_data_dir(data_dir))
    make_private(data_dir, option="--data-dir")
    lock_file(data_dir / DATA_LOCK, "--data-dir", data_dir)
