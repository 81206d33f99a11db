"""What Redis did, in its own words (INFO)."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import redis


@dataclass(frozen=True, slots=True)
class Counts:
    """Since Redis started. `publishes` counts those of scripts, too; bytes are on the wire."""

    publishes: int
    bytes_in: int
    bytes_out: int

    def since(self, before: Counts) -> Counts:
        return Counts(
            self.publishes - before.publishes,
            self.bytes_in - before.bytes_in,
            self.bytes_out - before.bytes_out,
        )


class RedisWatch:
    """Asks one Redis on the loopback. In each difference is one short answer to itself."""

    def __init__(self, port: int) -> None:
        self._redis = redis.Redis(port=port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._redis.close()

    def before(self) -> Counts:
        """To start a difference with."""
        return counts(self._redis.info("commandstats"), self._redis.info("stats"))

    def since(self, before: Counts) -> Counts:
        stats = self._redis.info("stats")  # first: the other answer is long
        return counts(self._redis.info("commandstats"), stats).since(before)

    def keys(self) -> int:
        """How many there are."""
        return int(self._redis.dbsize())

    def memory(self) -> int:
        """Bytes that Redis has allocated."""
        return int(self._redis.info("memory")["used_memory"])


def counts(commandstats: dict[str, dict[str, int]], stats: dict[str, int]) -> Counts:
    published = commandstats.get("cmdstat_publish", {"calls": 0})
    return Counts(
        publishes=published["calls"],
        bytes_in=stats["total_net_input_bytes"],
        bytes_out=stats["total_net_output_bytes"],
    )
