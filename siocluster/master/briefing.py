"""What a worker is told before it loads the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from siocluster.master.slot import Slot
from siocluster.settings import Settings
from siocluster.wire import Boot

BEATS_PER_TIMEOUT = 5
LONGEST_BEAT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """The same for all workers of a cluster.

    `owner` is empty where no other machine can reach the Redis: then no name is leased.
    """

    settings: Settings
    folder: Path
    redis: str
    channel: str
    owner: str
    cluster_key: str
    trusted_peers: tuple[str, ...]

    def for_slot(self, slot: Slot) -> Boot:
        settings = self.settings
        return Boot(
            purpose="serve",
            target=settings.target,
            folder=str(self.folder),
            name=settings.name,
            node=settings.node,
            slot=slot.index,
            port=slot.port,
            listener=slot.listener.fileno(),
            redis=self.redis,
            channel=self.channel,
            cluster_key=self.cluster_key,
            owner=self.owner,
            trusted_peers=self.trusted_peers,
            health_path=settings.health_path,
            graceful_timeout=settings.graceful_timeout,
            heartbeat_seconds=min(LONGEST_BEAT, settings.heartbeat_timeout / BEATS_PER_TIMEOUT),
            log_format=settings.log_format,
            log_level=settings.log_level,
            **settings.of_bus(),
        )
