"""What this process may use of the machine: CPUs, memory, file descriptors."""

from __future__ import annotations

import contextlib
import math
import os
import resource
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cpus() -> int:
    """CPUs this process may use: its affinity mask, cut by the cgroup's quota; at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota = _cpu_quota()
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def memory_limit() -> int:
    """Bytes of memory that the machine has or that the cgroup allows, whichever is less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for text in _cgroup_values("memory.max") if text.isdigit()]
    return min([physical, *limits])


def raise_descriptor_limit() -> int:
    """Raise the soft RLIMIT_NOFILE to the hard one; returns what is in force then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems refuse an unlimited soft value; what was in force stays then.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft


def _cpu_quota() -> float | None:
    quotas = []
    for text in _cgroup_values("cpu.max"):
        quota, period = text.split()
        if quota != "max":
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def _cgroup_values(name: str) -> list[str]:
    """The values of one cgroup v2 file, from this process's group up to the root."""
    group = _own_group()
    if group is None:
        return []
    values = []
    for folder in [group, *group.parents]:
        with contextlib.suppress(OSError):
            values.append((folder / name).read_text().strip())
        if folder == CGROUP_ROOT:
            break
    return values


def _own_group() -> Path | None:
    try:
        lines = OWN_CGROUP.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("0::"):
            return CGROUP_ROOT / line.removeprefix("0::").lstrip("/")
    return None
