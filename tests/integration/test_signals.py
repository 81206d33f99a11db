"""Signals, titles and limits of a running cluster; its start on a terminal."""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Place, get, kill, running
from tests.integration.terminal import on_terminal
from tests.integration.waiting import wait_until

HEALTHY = "broken.healthy:app"
PAINT = re.compile(r"\x1b\[[0-9;]*[mK]")
WITHOUT_EFFECT = (signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGUSR2)


def test_signals_that_mean_nothing_yet_change_nothing(place: Place) -> None:
    with running(place, HEALTHY) as cluster:
        before = {member.pid for member in cluster.members()}
        for number in WITHOUT_EFFECT:
            cluster.kill(number)
            cluster.wait_for_log(f"{number.name} (")
        assert get(place.bind, "/pid")
        assert {member.pid for member in cluster.members()} == before
        assert cluster.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2])
def test_signal_that_goes_to_a_worker_by_mistake_does_not_kill_it(
    place: Place, number: signal.Signals
) -> None:
    """A terminal that closes, or `pkill -USR1 siocluster`."""
    with running(place, HEALTHY) as cluster:
        pid = cluster.worker_pid(0)
        assert pid
        kill(pid, number)
        assert cluster.serving_pid(0) == pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_stop_has_exit_code_0_and_takes_the_pid_file_along(
    place: Place, number: signal.Signals
) -> None:
    with running(place, HEALTHY) as cluster:
        pid_file = cluster.run_dir / "master.pid"
        assert int(pid_file.read_text()) == cluster.process.pid
        assert cluster.stop(number) == 0
        assert not pid_file.exists()
        assert "Traceback" not in cluster.log()


def test_ctrl_c_on_a_terminal_stops_the_whole_cluster(place: Place) -> None:
    """The terminal sends SIGINT to the whole foreground group; only the master may act on it."""
    with on_terminal(place, HEALTHY) as terminal:
        terminal.wait_for("http://127.0.0.1")
        terminal.type("\x03")
        assert terminal.cluster.wait() == 0
        assert "SIGINT: stopping." in terminal.text()
        assert "Traceback" not in terminal.text()
        terminal.cluster.wait_until_gone()


def test_start_on_a_terminal_shows_the_workers_on_their_way(place: Place) -> None:
    with on_terminal(place, HEALTHY) as terminal:
        terminal.wait_for("http://127.0.0.1")
        words = PAINT.sub("", terminal.text())
        assert re.search(r"workers +0 (spawned|booting) +1 (spawned|booting)", words), words
        assert len(re.findall(r"worker [01] +:[0-9]+ +ready after [0-9.]+ s", words)) == 2, words


def test_terminal_that_goes_away_does_not_stop_the_cluster(place: Place) -> None:
    with on_terminal(place, HEALTHY) as terminal:
        terminal.wait_for("http://127.0.0.1")
        terminal.close()
        wait_until(lambda: get(place.bind, "/pid"), words="an answer")
        assert not terminal.cluster.reaped()
        terminal.cluster.kill(signal.SIGTERM)
        assert terminal.cluster.wait() == 0


def test_titles_say_what_each_process_is(place: Place) -> None:
    with running(place, HEALTHY, options=["--name", "shop"]) as cluster:
        titles = {member.title for member in cluster.members()}
        assert {
            f"siocluster: master shop 127.0.0.1:{place.bind}",
            f"siocluster: worker 0 :{place.slots[0]} (shop)",
            f"siocluster: worker 1 :{place.slots[1]} (shop)",
        } <= titles


@pytest.fixture
def soft_limit() -> Iterator[int]:
    """Of open files: below the hard one, as shells have it, for whatever the test starts."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowered = 1024 if hard == resource.RLIM_INFINITY else min(1024, hard // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowered, hard))
    yield lowered
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def test_workers_may_open_as_many_files_as_the_hard_limit_allows(
    soft_limit: int, place: Place
) -> None:
    with running(place, HEALTHY) as cluster:
        for pid in (cluster.process.pid, cluster.worker_pid(0)):
            assert pid
            soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            assert soft == hard != soft_limit


def test_worker_inherits_its_own_listener_and_nothing_else_of_the_master(place: Place) -> None:
    with running(place, HEALTHY) as cluster:
        masters = pipes_and_sockets(cluster.process.pid)
        pid = cluster.worker_pid(1)
        assert pid
        (shared,) = masters & pipes_and_sockets(pid)
        assert shared.startswith("socket:")


def pipes_and_sockets(pid: int) -> set[str]:
    links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return {link for link in links if link.startswith(("socket:", "pipe:"))}
