"""Which Redis can serve: asked of real servers, and of one that claims to be old."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siocluster.bus import lease, redis_check
from siocluster.errors import EXIT_REDIS, BusyError, RedisError
from siocluster.master import embedded_redis
from siocluster.wire import Boot
from siocluster.worker.inspector import inspect
from tests.integration.waiting import free_ports, wait_until
from tests.unit.redis_servers import claims_to_be, redis_server, silent

OLD = "redis_version:5.0.14\r\nredis_mode:standalone\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that asks for the password `right`."""
    with redis_server("--requirepass", "right") as port:
        yield port


@pytest.fixture
def url(port: int) -> str:
    return f"redis://:right@127.0.0.1:{port}/0"


def refusal(url: str) -> RedisError:
    with pytest.raises(RedisError) as caught:
        redis_check.check(url)
    assert caught.value.exit_code == EXIT_REDIS
    return caught.value


# A Redis that can serve


def test_a_usable_redis_is_told_by_name_and_version(url: str) -> None:
    """As its program tells them; a Valkey's `redis_version` is that of a Redis it resembles."""
    assert redis_check.check(url) == embedded_redis.find().title


def test_a_check_leaves_nothing_behind(url: str) -> None:
    redis_check.check(url)
    with redis_check.connect(url) as client:
        assert client.pttl("siocluster:check") in range(-2, 1001)
        assert client.ttl("siocluster:check") != -1


# One that cannot


def test_a_missing_password_is_asked_for(port: int) -> None:
    error = refusal(f"redis://127.0.0.1:{port}/0")
    assert error.message == f"redis://127.0.0.1:{port}/0 asks for a password."
    assert ":password@" in error.hint


@pytest.mark.parametrize("credentials", [":wrong@", "nobody:right@"])
def test_a_wrong_password_is_refused_without_repeating_it(port: int, credentials: str) -> None:
    error = refusal(f"redis://{credentials}127.0.0.1:{port}/0")
    assert error.message.startswith(f"redis://127.0.0.1:{port}/0 refuses this user or password")
    assert "user:password@host" in error.hint
    assert "wrong@" not in str(error)


def test_a_replica_is_refused_naming_its_primary(port: int) -> None:
    with redis_server("--replicaof", "127.0.0.1", str(port)) as replica:
        error = refusal(f"redis://127.0.0.1:{replica}")
    assert error.message.endswith(f"is a read-only replica of 127.0.0.1:{port}.")
    assert error.hint == "Name the primary instead."


def test_a_redis_cluster_is_refused_by_name() -> None:
    # Its bus would be at port + 10000, where the kernel gives ports to clients.
    (bus,) = map(str, free_ports(1))
    with redis_server("--cluster-enabled", "yes", "--cluster-port", bus) as port:
        assert "part of a Redis Cluster" in refusal(f"redis://127.0.0.1:{port}").message


def test_a_user_who_may_not_write_is_refused_naming_what_it_lacks(port: int, url: str) -> None:
    with redis_check.connect(url) as client:
        client.execute_command("ACL", "SETUSER", "reader", "on", ">r", "~*", "+@all", "-@write")
    error = refusal(f"redis://reader:r@127.0.0.1:{port}")
    assert "refuses what siocluster needs: its user lacks +set, +del, " in error.message
    assert "ACL SETUSER" in error.hint


@pytest.mark.parametrize("key", ["redis_version:6.2.14", "redis_version:6.9.99", "os:Linux"])
def test_a_redis_that_is_too_old_is_told_what_is_needed(key: str) -> None:
    with claims_to_be(lambda _section: f"{key}\r\nredis_mode:standalone\r\n") as port:
        error = refusal(f"redis://127.0.0.1:{port}")
    assert "siocluster needs Redis 7.0 or Valkey 7.2" in error.message
    assert key.partition(":")[2] in error.message or "Redis ?" in error.message


def test_a_redis_from_before_hello_is_too_old() -> None:
    with claims_to_be(lambda section: "" if section == "hello" else OLD) as port:
        error = refusal(f"redis://127.0.0.1:{port}")
    assert "is older than Redis 6.0; siocluster needs Redis 7.0" in error.message


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ("redis_version:7.0.0", "Redis 7.0.0"),
        ("redis_version:10.0.1", "Redis 10.0.1"),
        ("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0", "Valkey 8.1.0"),
    ],
)
def test_versions_are_compared_as_numbers(lines: str, version: str) -> None:
    with claims_to_be(lambda _section: f"{lines}\r\n") as port:
        assert redis_check.check(f"redis://127.0.0.1:{port}") == version


def test_an_old_valkey_is_not_saved_by_the_redis_version_that_it_also_tells() -> None:
    lines = "redis_version:7.2.4\r\nvalkey_version:7.1.0\r\n"
    with claims_to_be(lambda _section: lines) as port:
        assert "is Valkey 7.1.0" in refusal(f"redis://127.0.0.1:{port}").message


def test_a_port_where_nobody_listens_cannot_be_reached() -> None:
    (unused,) = free_ports(1)
    error = refusal(f"redis://127.0.0.1:{unused}/3")
    assert error.message.startswith(f"redis://127.0.0.1:{unused}/3 cannot be reached: ")
    assert "Start it" in error.hint


def test_a_socket_that_is_not_there_cannot_be_reached() -> None:
    error = refusal("unix:///nowhere/redis.sock?password=secret")
    assert error.message.startswith("unix:///nowhere/redis.sock cannot be reached: ")
    assert "secret" not in error.message


def test_one_that_says_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_check, "SECONDS_TO_ANSWER", 0.2)
    with silent() as listener:
        error = refusal(f"redis://127.0.0.1:{listener.getsockname()[1]}")
    assert error.message.endswith("does not answer within 0.2 s.")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:port/0",
        "redis://[bad",
        "redis://h:99999",
        "redis://h/0?socket_timeout=soon",
        "redis://h/0?foo=1",
        "redis+sentinel://h",
        "redis+sentinel://h:port/shop",
        "redis+sentinel://h/shop?foo=1",
    ],
)
def test_what_is_no_url_is_the_user_s_mistake(url: str) -> None:
    assert "is no Redis URL" in refusal(url).message


# Passwords


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h", "redis://h"),
        ("redis://:secret@h:1/2", "redis://h:1/2"),
        ("rediss://me:secret@h:1", "rediss://h:1"),
        ("redis://:sec@ret@h", "redis://h"),
        ("redis://h?password=secret", "redis://h"),
        ("redis://[::1]:1/0", "redis://[::1]:1/0"),
        ("redis://:secret@", "redis://localhost:6379"),
        ("unix:///run/r.sock?password=secret&db=1", "unix:///run/r.sock"),
        ("unix://me:secret@/run/r.sock", "unix:///run/r.sock"),
        ("redis+sentinel://h:1,[::1]:2/shop/3", "redis+sentinel://h:1,[::1]:2/shop/3"),
        ("redis+sentinel://:secret@h,i/shop", "redis+sentinel://h,i/shop"),
        ("redis+sentinel://me:sec%2Fret@h/shop", "redis+sentinel://h/shop"),
        ("redis+sentinel://h/shop?sentinel_password=secret", "redis+sentinel://h/shop"),
        ("redis+sentinel://h/shop?sentinel_password=se@cret", "redis+sentinel://…"),
    ],
)
def test_a_url_is_shown_without_user_and_password(url: str, shown: str) -> None:
    assert redis_check.shown(url) == shown


@pytest.mark.parametrize("mark", "/?#[")
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel"])
def test_a_password_that_should_have_been_encoded_is_not_shown_either(
    scheme: str, mark: str
) -> None:
    error = refusal(f"{scheme}://:hunter{mark}2secret@127.0.0.1:1/0")
    words = error.message + error.hint + error.detail
    assert "hunter" not in words and "secret" not in words
    assert "percent-encoded" in error.hint


# The lease on a node's name


def held(url: str, owner: str, *, name: str = "shop", node: str = "a") -> lease.NodeLease:
    return lease.open_lease(url, prefix=name, name=name, node=node, owner=owner)


@pytest.fixture
def clean_url(url: str) -> str:
    with redis_check.connect(url) as client:
        client.flushall()
    return url


def test_a_second_machine_of_one_name_is_refused_naming_the_first(clean_url: str) -> None:
    held(clean_url, "web1, workers at 10.0.0.1:6001#boot-1").take()
    with pytest.raises(BusyError) as caught:
        held(clean_url, "web2, workers at 10.0.0.2:6001#boot-2").take()
    assert caught.value.message == ("Node a of shop runs already: web1, workers at 10.0.0.1:6001.")
    assert "--node" in caught.value.hint


def test_a_look_refuses_as_the_taking_would_and_takes_nothing(clean_url: str) -> None:
    held(clean_url, "web1").look()
    held(clean_url, "web2").take()
    held(clean_url, "web2").look()
    with pytest.raises(BusyError, match="Node a of shop runs already: web2"):
        held(clean_url, "web1").look()


def test_machines_that_differ_only_in_what_is_not_shown_are_told_apart(clean_url: str) -> None:
    held(clean_url, "web#boot-1").take()
    with pytest.raises(BusyError):
        held(clean_url, "web#boot-2").take()


def test_a_restart_of_the_same_master_need_not_wait(clean_url: str) -> None:
    held(clean_url, "web1").take()
    held(clean_url, "web1").take()


def test_other_nodes_and_other_apps_are_not_in_the_way(clean_url: str) -> None:
    held(clean_url, "web1").take()
    held(clean_url, "web2", node="b").take()
    held(clean_url, "web2", name="blog").take()


def test_a_lease_that_nobody_renews_expires(
    clean_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 1)
    held(clean_url, "web1").take()
    other = held(clean_url, "web2")

    def can_be_taken() -> bool:
        try:
            other.take()
        except BusyError:
            return False
        return True

    assert wait_until(can_be_taken, words="the lease's end") < 10


def test_taking_a_lease_again_renews_it(clean_url: str) -> None:
    mine = held(clean_url, "web1")
    mine.take()
    with redis_check.connect(clean_url) as client:
        (key,) = client.keys("*:node:a")
        client.pexpire(key, 1000)
        mine.take()
        assert client.pttl(key) > 1000 * (lease.LEASE_SECONDS - 1)


@pytest.mark.parametrize("value", ["nonsense", "[]", "{}", '"text"', "7"])
def test_a_holder_that_cannot_be_read_is_an_unknown_machine(value: str) -> None:
    assert lease.holder(value) == "an unknown machine"


def test_a_redis_without_scripts_is_an_error_that_a_person_can_read(port: int, url: str) -> None:
    with redis_check.connect(url) as client:
        client.execute_command("ACL", "SETUSER", "plain", "on", ">p", "~*", "+@all", "-@scripting")
    boot = Boot(
        purpose="inspect",
        target="tests.apps.broken.healthy:app",
        folder="/",
        name="shop",
        node="a",
        redis=f"redis://plain:p@127.0.0.1:{port}",
    )
    with pytest.raises(RedisError, match="refuses what siocluster needs"):
        inspect(boot)
