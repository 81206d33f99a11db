"""What processes cost, as the kernel tells it: CPU time and memory, split by part of the server."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

APP, NGINX, REDIS = PARTS = ("app", "nginx", "redis")
REDIS_PROGRAMS = ("redis-server", "valkey-server")
CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED, in nanoseconds; /proc/PID/stat has only 10 ms ticks
DEAD = "ZX"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a server; `part` is one of PARTS. Masters and guards count as app."""

    pid: int
    part: str


def part_of(program: str) -> str:
    """The part that a program belongs to, by its name in /proc/PID/comm."""
    if program.startswith("nginx"):
        return NGINX
    return REDIS if program in REDIS_PROGRAMS else APP


def processes_of(sessions: Collection[int]) -> list[Process]:
    """Who lives in these sessions now; their leaders may be gone."""
    return [Process(pid, part_of(name)) for pid, name in _living_in(sessions)]


def cpu_seconds(processes: Collection[Process]) -> dict[int, float]:
    """CPU seconds since birth, user and system, all threads, by pid."""
    spent = {}
    for process in processes:
        try:
            spent[process.pid] = time.clock_gettime(_cpu_clock(process.pid))
        except OSError:
            continue
    return spent


def cpu_spent(
    processes: Collection[Process], *, before: Mapping[int, float], after: Mapping[int, float]
) -> dict[str, float]:
    """CPU seconds between two readings, by part. Who was born in between counts from birth."""
    total = dict.fromkeys(PARTS, 0.0)
    for process in processes:
        if process.pid in after:
            total[process.part] += after[process.pid] - before.get(process.pid, 0.0)
    return total


def memory_bytes(processes: Collection[Process]) -> dict[str, float]:
    """Proportional set size by part: a page that several processes share counts once."""
    total = dict.fromkeys(PARTS, 0.0)
    for process in processes:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total[process.part] += proportional_bytes(text)
    return total


def proportional_bytes(smaps_rollup: str) -> int:
    """The `Pss:` line of proc(5) smaps_rollup; 0 where there is none."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu_clock(pid: int) -> int:
    """clock_getcpuclockid(3), which Python does not have for processes."""
    return (~pid << 3) | CPU_CLOCK_OF_PROCESS


def _living_in(sessions: Collection[int]) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            head, _, rest = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _parent, _group, session = rest.split()[:4]
        if state not in DEAD and int(session) in sessions:
            yield int(folder.name), head.partition("(")[2]
