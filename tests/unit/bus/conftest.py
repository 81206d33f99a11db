"""A real Redis for all tests of the scripts, empty at the start of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.unit.bus.scripted import Snapshot, Worker
from tests.unit.redis_servers import redis_server


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with redis_server() as port:
        yield port


@pytest.fixture
def client(redis_port: int) -> Iterator[redis.Redis]:
    with redis.Redis(port=redis_port, decode_responses=True) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        yield client


@pytest.fixture
def snapshot(redis_port: int) -> Iterator[Snapshot]:
    """All that Redis holds, bit by bit."""
    with redis.Redis(port=redis_port) as bare:
        yield lambda: {key: bare.dump(key) for key in bare.scan_iter()}


@pytest.fixture
def worker(client: redis.Redis) -> Worker:
    return Worker(client, place="a0", boot="boot0")


@pytest.fixture
def other(client: redis.Redis) -> Worker:
    return Worker(client, place="a1", boot="boot1")
