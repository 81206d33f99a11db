"""A start that cannot go well is refused with words: whose fault it is and what to do."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.integration import redis_servers
from tests.integration.app_server import start_redis
from tests.integration.cluster import Ended, Place, kill, place_for, running

HEALTHY = "broken.healthy:app"
USAGE, BUSY, REDIS = 2, 4, 5
# Root without its capabilities may do what any other user may.
AS_A_USER = () if os.geteuid() else ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")


def assert_refused(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.output
    assert [word for word in words if word not in ended.output] == [], ended.output
    assert "Traceback" not in ended.output


def test_second_master_on_one_run_dir_is_told_the_first_ones_pid(place: Place) -> None:
    with running(place, HEALTHY) as cluster, place_for() as other:
        run_dir = str(cluster.run_dir)
        ended = other.run_to_end(HEALTHY, "--run-dir", run_dir)
        assert_refused(ended, BUSY, f"pid {cluster.process.pid}", run_dir)
        assert (cluster.run_dir / "master.pid").read_text().strip() == str(cluster.process.pid)
        assert cluster.serving_pid(0) == cluster.worker_pid(0)


def test_second_master_on_one_data_dir_is_told_the_first_ones_pid(place: Place) -> None:
    with running(place, HEALTHY) as cluster, place_for() as other:
        data_dir = str(cluster.run_dir / "data")
        ended = other.run_to_end(HEALTHY, "--data-dir", data_dir)
        assert_refused(ended, BUSY, f"pid {cluster.process.pid}", data_dir)


@pytest.mark.parametrize("which", ["bind", "slots"])
def test_port_in_use_names_who_holds_it(place: Place, which: str) -> None:
    port = place.bind if which == "bind" else place.slots[2]
    with socket.create_server(("127.0.0.1", port)):
        ended = place.run_to_end(HEALTHY)
    assert_refused(ended, BUSY, f"127.0.0.1:{port} is in use by pid {os.getpid()} (")


def test_second_master_on_the_same_ports_is_told_the_first_ones_pid(place: Place) -> None:
    with running(place, HEALTHY) as cluster, place_for() as other:
        ended = other.run_to_end(HEALTHY, "--base-port", str(place.slots[0]))
        holder = f"127.0.0.1:{place.slots[0]} is in use by pid {cluster.process.pid} "
        assert_refused(ended, BUSY, holder, "siocluster: master")


def test_what_a_killed_master_left_refuses_nobody(place: Place) -> None:
    with running(place, HEALTHY) as cluster:
        cluster.kill()
        cluster.wait_until_gone()
    assert (cluster.run_dir / "master.pid").exists()
    (cluster.run_dir / "redis.sock").touch()
    with running(place, HEALTHY) as cluster:
        assert cluster.serving_pid(0) == cluster.worker_pid(0)


def test_pid_file_that_names_somebody_elses_process_refuses_nobody(place: Place) -> None:
    run_dir = place.scratch / "run"
    run_dir.mkdir()
    (run_dir / "master.pid").write_text(f"{os.getpid()}\n")
    with running(place, HEALTHY) as cluster:
        assert (run_dir / "master.pid").read_text().strip() == str(cluster.process.pid)


@pytest.mark.parametrize("option", ["--run-dir", "--data-dir"])
def test_folder_that_may_not_be_written_is_named(place: Place, option: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    ended = place.run_to_end(HEALTHY, option, str(tmp_path / "new"), wrapper=AS_A_USER)
    assert_refused(ended, USAGE, f"{option} {tmp_path}/new cannot be used: Permission denied")


def test_run_dir_that_is_a_file_is_named(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert_refused(place.run_to_end(HEALTHY, "--run-dir", str(file)), USAGE, f"--run-dir {file}")


def test_privileged_port_says_which_privilege_is_missing(place: Place) -> None:
    ended = place.run_to_end(HEALTHY, "--bind", "127.0.0.1:81", wrapper=AS_A_USER)
    assert_refused(ended, USAGE, "127.0.0.1:81 needs a privilege", "CAP_NET_BIND_SERVICE")


def test_address_of_another_machine_is_no_address_of_this_one(place: Place) -> None:
    ended = place.run_to_end(HEALTHY, "--bind", f"192.0.2.1:{place.bind}")
    assert_refused(ended, USAGE, f"192.0.2.1:{place.bind} is no address of this machine")


REFUSED_REDIS: dict[str, tuple[Callable[[], AbstractContextManager[str]], str]] = {
    "wrong password": (redis_servers.locked_redis, "refuses this user or password"),
    "nobody there": (redis_servers.closed_redis, "cannot be reached"),
    "no answer": (redis_servers.silent_redis, "does not answer within 5 s"),
    "read-only": (redis_servers.read_only_redis, "read-only replica of 127.0.0.1:"),
    "too old": (redis_servers.old_redis, "siocluster needs Redis 7.0 or Valkey 7.2"),
}


@pytest.mark.parametrize("kind", REFUSED_REDIS)
def test_redis_that_cannot_be_used_is_named(place: Place, kind: str) -> None:
    server, words = REFUSED_REDIS[kind]
    with server() as url:
        ended = place.run_to_end(HEALTHY, "--redis", url)
    assert_refused(ended, REDIS, words, url.rpartition("@")[2].removeprefix("redis://"))
    assert "wrong" not in ended.output.replace("wrong password", ""), "passwords stay out"


def test_second_master_with_one_node_name_on_one_redis_is_told_who_has_it(place: Place) -> None:
    with (
        start_redis() as url,
        place_for() as other,
        running(place, HEALTHY, options=["--redis", url]),
    ):
        ended = other.run_to_end(HEALTHY, "--redis", url)
        assert_refused(
            ended, BUSY, "Node a of broken.healthy runs already", f"127.0.0.1:{place.slots[0]}"
        )


def test_sockets_of_a_run_dir_with_a_long_path_go_to_a_short_private_folder(place: Place) -> None:
    folder = place.scratch / ("deep" * 20) / ("deeper" * 10)
    with running(place, HEALTHY, options=["--run-dir", str(folder)]):
        (short,) = place.temporary.iterdir()
        assert short.stat().st_mode & 0o777 == 0o700
        assert [entry.name for entry in short.iterdir()] == ["redis.sock"]
    assert not short.exists()


def test_master_killed_with_a_long_run_dir_path_is_followed_by_another(place: Place) -> None:
    options = ["--run-dir", str(place.scratch / ("deep" * 20) / ("deeper" * 10))]
    with running(place, HEALTHY, options=options) as cluster:
        cluster.kill()
        cluster.wait_until_gone()
    with running(place, HEALTHY, options=options) as cluster:
        assert cluster.serving_pid(0) == cluster.worker_pid(0)


def test_run_dir_that_was_removed_meanwhile_does_not_keep_the_master_from_stopping(
    place: Place,
) -> None:
    with running(place, HEALTHY) as cluster:
        shutil.rmtree(cluster.run_dir)
        pid = cluster.worker_pid(0)
        assert pid
        kill(pid)
        assert cluster.stop() == 0
        assert "Traceback" not in cluster.log()
