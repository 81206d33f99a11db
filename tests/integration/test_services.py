"""Redis and nginx are the master's own: killed, they come back, and nothing stored is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.integration.cluster import Cluster, Place, get, kill, running
from tests.integration.conftest import Note
from tests.integration.processes import Member, is_guard, look
from tests.integration.waiting import wait_until

HEALTHY = "broken.healthy:app"


@contextmanager
def stored_in(cluster: Cluster) -> Iterator[redis.Redis]:
    path = str(cluster.run_dir / "redis.sock")
    with redis.Redis(unix_socket_path=path, decode_responses=True) as client:
        yield client


def of_redis(member: Member) -> bool:
    return "-server unixsocket" in member.title and not is_guard(member)


def of_nginx(member: Member) -> bool:
    # A worker that nginx has just forked still carries its master's title.
    return member.title.startswith("nginx: master") and is_guard(look(member.parent))


def of_guard(member: Member) -> bool:
    return is_guard(member) and "nginx" in member.title


def only(cluster: Cluster, test: Callable[[Member], bool]) -> Member:
    (member,) = [member for member in cluster.members() if test(member)]
    return member


def kill_and_await_another(cluster: Cluster, test: Callable[[Member], bool]) -> float:
    """Kill the one process that fits; seconds until another one does and all is ready."""
    old = only(cluster, test)
    kill(old.pid)
    seconds = wait_until(
        lambda: any(test(member) and member.pid != old.pid for member in cluster.members()),
        words="another process",
        log=cluster.log,
    )
    cluster.wait_until_ready()
    return seconds


def test_killed_redis_comes_back_on_the_same_files(place: Place, note: Note) -> None:
    with running(place, HEALTHY) as cluster:
        workers = [cluster.worker_pid(slot) for slot in range(2)]
        with stored_in(cluster) as client:
            client.xadd("log", {"text": "said before"})
        note(seconds=kill_and_await_another(cluster, of_redis))
        with stored_in(cluster) as client:
            assert [entry["text"] for _, entry in client.xrange("log")] == ["said before"]
        assert [cluster.worker_pid(slot) for slot in range(2)] == workers
        assert "Redis died" in cluster.log()


def test_emits_of_one_worker_reach_the_others_again_after_redis_came_back(place: Place) -> None:
    """Readiness is the sign: it is given only while the subscription is confirmed."""
    with running(place, HEALTHY) as cluster:
        kill_and_await_another(cluster, of_redis)
        with stored_in(cluster) as client:
            channels = client.pubsub_channels("{siocluster:broken.healthy}:worker:*")
        assert len(channels) == 2, "each worker hears a channel of its own"


@pytest.mark.parametrize("test", [of_nginx, of_guard])
def test_killed_front_comes_back_on_its_port(
    place: Place, note: Note, test: Callable[[Member], bool]
) -> None:
    with running(place, HEALTHY) as cluster:
        workers = {cluster.worker_pid(slot) for slot in range(2)}
        note(seconds=kill_and_await_another(cluster, test))
        assert int(get(place.bind, "/pid")) in workers
        assert "nginx died" in cluster.log()


def test_what_was_stored_is_there_after_a_restart_of_the_cluster(place: Place) -> None:
    with running(place, HEALTHY) as cluster, stored_in(cluster) as client:
        client.set("kept", "from the first life")
    with running(place, HEALTHY) as cluster, stored_in(cluster) as client:
        assert client.get("kept") == "from the first life"


def test_redis_keeps_what_it_promised_and_lets_nobody_else_in(place: Place) -> None:
    with running(place, HEALTHY) as cluster, stored_in(cluster) as client:
        names = ("appendonly", "appendfsync", "maxmemory-policy", "port", "save")
        settings = {name: client.config_get(name)[name] for name in names}
        assert settings == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "port": "0",
            "save": "",
        }
        assert (cluster.run_dir / "redis.sock").stat().st_mode & 0o777 == 0o600
        assert cluster.run_dir.stat().st_mode & 0o777 == 0o700
