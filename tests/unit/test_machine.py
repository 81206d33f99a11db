"""What the process may use: the affinity mask, and the cgroup's limits from its group upwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from siocluster import machine

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cgroup v2 tree with this process in /shop/web; no limit anywhere."""
    own = tmp_path / "own"
    own.write_text("1:name=systemd:/elsewhere\n0::/shop/web\n")
    root = tmp_path / "cgroup"
    (root / "shop/web").mkdir(parents=True)
    monkeypatch.setattr(machine, "CGROUP_ROOT", root)
    monkeypatch.setattr(machine, "OWN_CGROUP", own)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    return root


def test_without_a_quota_every_cpu_of_the_affinity_mask_counts(cgroup: Path) -> None:
    assert machine.usable_cpus() == 8
    (cgroup / "shop/web/cpu.max").write_text("max 100000\n")
    assert machine.usable_cpus() == 8


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("1600000 100000", 8)],
)
def test_a_quota_is_rounded_up_to_whole_cpus(cgroup: Path, quota: str, cpus: int) -> None:
    (cgroup / "shop/web/cpu.max").write_text(f"{quota}\n")
    assert machine.usable_cpus() == cpus


def test_the_tightest_group_on_the_way_to_the_root_counts(cgroup: Path) -> None:
    (cgroup / "shop/web/cpu.max").write_text("600000 100000\n")
    (cgroup / "shop/cpu.max").write_text("300000 100000\n")
    assert machine.usable_cpus() == 3


def test_memory_is_what_the_group_allows_or_the_machine_has(cgroup: Path) -> None:
    physical = machine.memory_limit()
    assert physical == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    (cgroup / "shop/web/memory.max").write_text("max\n")
    assert machine.memory_limit() == physical
    (cgroup / "shop/memory.max").write_text("1048576\n")
    assert machine.memory_limit() == 1 << 20
    (cgroup / "shop/memory.max").write_text(f"{physical * 2}\n")
    assert machine.memory_limit() == physical


@pytest.mark.parametrize("text", [None, "", "4:cpu:/old\n"])
def test_a_machine_without_cgroup_v2_has_no_quota(cgroup: Path, text: str | None) -> None:
    (cgroup / "shop/web/cpu.max").write_text("100000 100000\n")
    if text is None:
        machine.OWN_CGROUP.unlink()
    else:
        machine.OWN_CGROUP.write_text(text)
    assert machine.usable_cpus() == 8


def in_a_process(code: str) -> str:
    """What `code` prints in an interpreter of its own, whose limits may be changed."""
    program = f"import os, resource; from siocluster import machine\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_real_affinity_mask_is_counted() -> None:
    code = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(machine.usable_cpus())"
    assert in_a_process(code) == "1"


def test_the_soft_descriptor_limit_is_raised_to_the_hard_one() -> None:
    code = (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200));"
        "print(machine.raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert in_a_process(code) == "200 200 200"
