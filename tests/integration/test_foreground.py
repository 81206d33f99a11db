"""`python fork_server.py PORT`: one worker without a master, for debugging."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.app_server import (
    APPS,
    OUR_FRAMES,
    ROOT,
    RunningApp,
    environment,
    launched,
    started,
)
from tests.integration.client import client_at
from tests.integration.processes import session
from tests.integration.waiting import SCALE, free_ports, is_free, is_ready, wait_until

SCRIPT = str(ROOT / "fork_server.py")
SECONDS = 30 * SCALE


@contextmanager
def in_the_foreground(target: str) -> Iterator[RunningApp]:
    port, *_ = free_ports(4)
    environ = {"SIOCLUSTER_BASE_PORT": str(port)}
    with (
        TemporaryDirectory(prefix="foreground-") as scratch,
        launched(
            [SCRIPT, str(port), target], scratch=Path(scratch), folder=APPS, environ=environ
        ) as process,
    ):
        app = RunningApp(
            url=f"http://127.0.0.1:{port}",
            process=process,
            scratch=Path(scratch),
            worker_ports=(port,),
        )
        wait_until(lambda: started(app) and is_ready(port), words="the worker", log=app.log)
        yield app


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_worker_serves_alone_and_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with in_the_foreground("broken.healthy:app") as app:
        (port,) = app.worker_ports
        with client_at(port) as client:
            assert client.call("pid") == app.process.pid
            assert client.get_sid().startswith("a0-")
            assert app.stop(number) == 0
        assert "Traceback" not in app.log()
        assert not session(app.process.pid)
        assert is_free(port)


def refused(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        cwd=APPS,
        env=environment(environ),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_target_that_raises_gives_one_clear_screen() -> None:
    port, *_ = free_ports(4)
    ended = refused(str(port), "broken.raises:app", SIOCLUSTER_BASE_PORT=str(port))
    assert ended.returncode == 3
    assert "no database at db.example.test" in ended.stderr
    assert OUR_FRAMES not in ended.stderr


def test_port_that_is_no_slot_is_refused_with_the_ports_that_are() -> None:
    ended = refused("80", "broken.healthy:app", SIOCLUSTER_SLOTS="4")
    assert ended.returncode == 2
    assert "Port 80 is no slot: they are 6001 to 6004." in ended.stderr


def test_port_of_a_running_worker_is_refused_with_its_pid() -> None:
    with in_the_foreground("broken.healthy:app") as app:
        (port,) = app.worker_ports
        ended = refused(str(port), "broken.healthy:app", SIOCLUSTER_BASE_PORT=str(port))
        assert ended.returncode == 4
        assert f"in use by pid {app.process.pid}" in ended.stderr
