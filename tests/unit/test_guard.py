"""Real processes: whatever dies first, nobody of the service's group outlives it for long."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from siocluster.master import guard
from tests.integration.processes import end_session, session
from tests.integration.waiting import SCALE, wait_until

GUARD = Path(guard.__file__)
PROMISED = 2 * SCALE  # seconds until nobody is left
# Starts a child of its own and waits for it, as nginx's master does with its workers.
FAMILY = "sleep 600 & echo up; wait"
STUBBORN = f"trap '' TERM INT QUIT HUP; {FAMILY}"
NAMES = "TERM QUIT INT HUP USR1"
TELLING = (
    f'for name in {NAMES}; do trap "echo $name" $name; done; echo up;'
    " while true; do sleep 600 & wait $!; kill $!; done"
)


@contextmanager
def guarded(script: str) -> Iterator[subprocess.Popen[bytes]]:
    """A guard with a shell for a service, in a session of its own; waits until it is up."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert said(process) == "up"
            yield process
        finally:
            leave_nobody(process.pid)


def leave_nobody(leader: int) -> None:
    """Kill until nobody is left: a shell may start another child while its first one is killed."""
    wait_until(lambda: not end_session(leader), words="an empty session")


def said(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def service_of(guard: subprocess.Popen[bytes]) -> int:
    (pid,) = (member.pid for member in session(guard.pid) if member.parent == guard.pid)
    return pid


def expect_nobody_left(leader: int) -> None:
    wait_until(
        lambda: not session(leader),
        words="the whole group's end",
        seconds=PROMISED,
        log=lambda: "\n".join(map(str, session(leader))),
    )


def test_a_service_runs_beside_its_guard_with_children_of_its_own() -> None:
    with guarded(FAMILY) as process:
        assert len(session(process.pid)) == 3
        assert process.poll() is None


@pytest.mark.parametrize("script", [FAMILY, STUBBORN], ids=["ordinary", "ignores-signals"])
def test_when_the_master_s_pipe_ends_the_whole_group_ends(script: str) -> None:
    with guarded(script) as process:
        assert process.stdin is not None
        process.stdin.close()
        expect_nobody_left(process.pid)


def test_when_the_pipe_ends_the_service_may_write_what_it_holds() -> None:
    with guarded("trap 'echo saved; exit' TERM; echo up; sleep 600 & wait") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert said(process) == "saved"
        expect_nobody_left(process.pid)


def test_a_master_that_is_killed_takes_the_group_with_it() -> None:
    code = (
        "import subprocess, sys;"
        "held = subprocess.Popen([sys.executable, '-I', '-S', *sys.argv[1:]],"
        " stdin=subprocess.PIPE, process_group=0); held.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(GUARD), "sh", "-c", STUBBORN],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as master:
        try:
            assert said(master) == "up"
            assert len(session(master.pid)) == 4
            master.kill()
            expect_nobody_left(master.pid)
        finally:
            leave_nobody(master.pid)


def test_a_service_that_is_killed_leaves_no_children() -> None:
    with guarded(STUBBORN) as process:
        subprocess.run(["kill", "-9", str(service_of(process))], check=True)
        expect_nobody_left(process.pid)
        assert process.wait() == 128 + signal.SIGKILL


def test_a_guard_that_is_killed_takes_the_service_with_it() -> None:
    with guarded("trap '' TERM; echo up; while true; do :; done") as process:
        process.kill()
        expect_nobody_left(process.pid)


@pytest.mark.parametrize("code", [0, 3])
def test_the_service_s_exit_code_is_the_guard_s(code: int) -> None:
    with guarded(f"echo up; exit {code}") as process:
        assert process.wait(PROMISED) == code


def test_an_ended_service_s_children_do_not_stay_behind() -> None:
    with guarded("sleep 600 & echo up; exit 0") as process:
        expect_nobody_left(process.pid)


@pytest.mark.parametrize("name", NAMES.split())
def test_the_master_s_signals_reach_the_service(name: str) -> None:
    with guarded(TELLING) as process:
        process.send_signal(signal.Signals[f"SIG{name}"])
        assert said(process) == name
        assert process.poll() is None


def test_the_service_cannot_read_the_master_s_pipe() -> None:
    with guarded("echo up; readlink /proc/self/fd/0; sleep 600") as process:
        assert said(process) == "/dev/null"
