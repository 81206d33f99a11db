"""What an inspection tells about a target: its path, and which Redis was named, and where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siocluster.wire import Boot, Inspected
from siocluster.worker.inspector import inspect
from tests.unit.redis_servers import redis_server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with redis_server() as port:
        yield f"redis://127.0.0.1:{port}/0"


def inspected(**settings: str) -> Inspected:
    target = "tests.apps.broken.healthy:app"
    return inspect(
        Boot(purpose="inspect", target=target, folder="/", name="shop", node="a", **settings)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("origin", ["--redis", "SIOCLUSTER_REDIS", "siocluster.toml: redis"])
def test_a_redis_of_the_settings_is_told_with_who_named_it(url: str, origin: str) -> None:
    found = inspected(redis=url, redis_origin=origin)
    assert (found.redis, found.redis_origin) == (url, origin)
    assert found.redis_version


def test_a_redis_of_the_environment_counts_where_nobody_else_names_one(url: str) -> None:
    found = inspected(redis_fallback=url)
    assert (found.redis, found.redis_origin) == (url, "REDIS_URL")


def test_an_embedded_redis_is_nobody_s_url() -> None:
    found = inspected(redis="embedded", redis_origin="--redis")
    assert (found.redis, found.redis_version, found.path) == (None, "", "/socket.io/")
