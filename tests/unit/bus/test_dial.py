"""Which connections a URL stands for; nothing is connected to here."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from siocluster.bus import dial, primary_pool
from siocluster.bus.sentinels import Sentinels


def options(url: str) -> dict[str, Any]:
    """What a connection is made with, once it was made: what is no option is an error."""
    pool = dial.pool(url)
    pool.connection_class(**pool.connection_kwargs)
    return dict(pool.connection_kwargs)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h?protocol=2&decode_responses=1",
        "redis+sentinel://h/shop?protocol=2&decode_responses=1",
    ],
)
def test_no_url_changes_what_the_bus_reads(url: str) -> None:
    assert options(url)["protocol"] == 3
    assert options(url)["decode_responses"] is False


@pytest.mark.parametrize("url", ["redis://h", "rediss://h", "redis+sentinel://h/shop"])
def test_nobody_is_waited_for_long(url: str) -> None:
    assert options(url)["socket_timeout"] == dial.SECONDS_TO_ANSWER
    assert options(url)["socket_connect_timeout"] == dial.SECONDS_TO_ANSWER


def test_a_url_may_ask_for_more_patience() -> None:
    assert options("redis://h?socket_timeout=9")["socket_timeout"] == 9.0


def test_a_unix_socket_has_no_options_of_tcp() -> None:
    found = options("unix:///run/redis.sock?db=3&password=p%2Fq")
    assert (found["path"], found["db"], found["password"]) == ("/run/redis.sock", 3, "p/q")
    assert "socket_keepalive" not in found


def test_tls_is_as_redis_py_has_it() -> None:
    pool = dial.pool("rediss://h:1?ssl_cert_reqs=none&ssl_ca_certs=/ca.pem")
    assert pool.connection_class is redis.SSLConnection
    assert pool.connection_kwargs["ssl_ca_certs"] == "/ca.pem"


# By way of Sentinels


def of(url: str) -> Sentinels:
    found: Sentinels = options(url)["sentinels"]
    return found


def test_a_sentinel_url_names_places_service_and_database() -> None:
    url = "redis+sentinel://one:1,two,[::1]:3,10.0.0.1/shop.main/7"
    assert of(url).places == (("one", 1), ("two", 26379), ("::1", 3), ("10.0.0.1", 26379))
    assert of(url).service == "shop.main"
    assert options(url)["db"] == 7


@pytest.mark.parametrize("url", ["redis+sentinel://h/shop", "redis+sentinel://h/shop/"])
def test_without_a_database_it_is_the_first(url: str) -> None:
    assert options(url)["db"] == 0


def test_the_primary_and_its_sentinels_have_passwords_of_their_own() -> None:
    url = "redis+sentinel://me:p%2Fq@h/shop?sentinel_username=watch&sentinel_password=r%23s"
    found = options(url)
    assert (found["username"], found["password"]) == ("me", "p/q")
    asked = of(url).options
    assert (asked["username"], asked["password"]) == ("watch", "r#s")


def test_tls_is_for_the_sentinels_too() -> None:
    pool = dial.pool("redis+sentinel://h/shop?ssl=true&ssl_ca_certs=/ca.pem")
    assert pool.connection_class is primary_pool.SecurePrimaryConnection
    asked: Sentinels = pool.connection_kwargs["sentinels"]
    assert asked.connection_class is redis.SSLConnection
    assert asked.options["ssl_ca_certs"] == pool.connection_kwargs["ssl_ca_certs"] == "/ca.pem"


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://",
        "redis+sentinel://h",
        "redis+sentinel://h/",
        "redis+sentinel:///shop",
        "redis+sentinel://h:port/shop",
        "redis+sentinel://h,/shop",
        "redis+sentinel://h/shop/first",
        "redis+sentinel://h/shop/0/1",
        "redis+sentinel://h/shop#0",
        "redis+sentinel://:hunter/2secret@h/shop",
        "redis+sentinel://:hunter?2secret@h/shop",
        "redis+sentinel://:hunter#2secret@h/shop",
        "redis+sentinel://:12345/2secret@h/shop",
    ],
)
def test_what_is_no_sentinel_url_is_refused_without_a_piece_of_its_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        dial.pool(url)
    assert "hunter" not in str(caught.value) and "secret" not in str(caught.value)


def test_an_option_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError):
        options("redis+sentinel://h/shop?sentinel_pasword=secret")


def test_no_password_is_in_what_a_pool_says_of_itself() -> None:
    sentinel = of("redis+sentinel://:secret@h/shop?sentinel_password=secret")
    assert "secret" not in repr(sentinel)
