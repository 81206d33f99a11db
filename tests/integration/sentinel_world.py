"""A primary, its replica and three Sentinels, all with passwords, to be hurt by tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import redis

from siocluster.master import embedded_redis
from tests.integration.redis_kinds import ENCODED, MEMORY, SECRET, Server, serving
from tests.integration.waiting import SCALE, wait_until

SERVICE = "mymaster"
SENTINEL_SECRET = "watch/me?#"
SECRETS = (SECRET, ENCODED, SENTINEL_SECRET, quote(SENTINEL_SECRET, safe=""))
MILLISECONDS_DOWN = int(1500 * SCALE)
LONG = 60 * SCALE


@dataclass(frozen=True, slots=True)
class SentinelWorld:
    """`pair` are the two data servers, whichever is the primary now."""

    pair: tuple[Server, Server]
    sentinels: tuple[Server, ...]

    @property
    def url(self) -> str:
        return self.named(SERVICE)

    def named(self, service: str, *, password: str = SENTINEL_SECRET) -> str:
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        own = quote(password, safe="")
        return f"redis+sentinel://:{ENCODED}@{places}/{service}/0?sentinel_password={own}"

    def primary(self) -> Server:
        """The one that most Sentinels name."""
        named = [self._named_by(sentinel) for sentinel in self.sentinels]
        port = max(named, key=named.count)
        return next(server for server in self.pair if server.port == port)

    def replica(self) -> Server:
        primary = self.primary()
        return next(server for server in self.pair if server is not primary)

    def heal(self) -> None:
        """Both live, the replica has all, and every Sentinel sees it so."""
        for server in self.pair:
            if not server.lives():
                server.start()
        wait_until(self.is_whole, words="primary and replica", seconds=LONG, log=self.logs)

    def is_whole(self) -> bool:
        try:
            return self._is_in_sync() and all(map(self._sees_all, self.sentinels))
        except redis.RedisError:
            return False

    def wait_for_primary(self, server: Server) -> None:
        """Until all Sentinels name it, and it says so itself."""
        wait_until(
            lambda: (
                {self._named_by(one) for one in self.sentinels} == {server.port}
                and role(server) == "master"
            ),
            words="the failover",
            seconds=LONG,
            log=self.logs,
        )

    def stop_replication(self) -> None:
        """What is written from now on is on the primary alone."""
        primary, replica = self.primary(), self.replica()
        with primary.client() as first, replica.client() as second:
            second.config_set("masterauth", "wrong")
            first.execute_command("CLIENT", "KILL", "TYPE", "replica")
            wait_until(
                lambda: second.info("replication")["master_link_status"] == "down",
                words="the replica to be cut off",
            )

    def allow_replication(self) -> None:
        for server in self.pair:
            if server.lives():
                with server.client() as client:
                    client.config_set("masterauth", SECRET)

    def switch(self) -> None:
        """A planned failover; returns when all Sentinels name the new primary."""
        new = self.replica()
        self._order_failover()
        self.wait_for_primary(new)

    def _order_failover(self) -> None:
        """Sentinels refuse it while they have not heard enough of the replica."""
        with self.sentinels[0].client() as client:
            wait_until(
                lambda: _taken(client, "SENTINEL", "FAILOVER", SERVICE),
                words="the failover to begin",
                seconds=LONG,
                log=self.logs,
            )

    def wait_until_obeyed(self, old: Server) -> None:
        """Until the old primary is a replica, which it is told only after some seconds."""
        wait_until(lambda: role(old) == "slave", words="the old primary to obey", seconds=LONG)

    def logs(self) -> str:
        return "\n".join(server.log()[-2000:] for server in (*self.pair, *self.sentinels))

    def _named_by(self, sentinel: Server) -> int:
        with sentinel.client() as client:
            return int(client.sentinel_get_master_addr_by_name(SERVICE)[1])

    def _is_in_sync(self) -> bool:
        with self.replica().client() as client:
            found = client.info("replication")
        return found["role"] == "slave" and found["master_link_status"] == "up"

    def _sees_all(self, sentinel: Server) -> bool:
        with sentinel.client() as client:
            seen = client.sentinel_master(SERVICE)
            replicas = client.sentinel_slaves(SERVICE)
        flags = [seen["flags"], *(one["flags"] for one in replicas)]
        linked = [one["master-link-status"] for one in replicas] == ["ok"]
        return linked and flags == ["master", "slave"] and seen["num-other-sentinels"] == 2


def _taken(client: redis.Redis, *command: str) -> bool:
    try:
        client.execute_command(*command)
    except redis.ResponseError:
        return False
    return True


def role(server: Server) -> str:
    with server.client() as client:
        return str(client.info("replication")["role"])


@contextmanager
def sentinel_world() -> Iterator[SentinelWorld]:
    with ExitStack() as stack:
        data = ("--requirepass", SECRET, "--masterauth", SECRET, "--repl-diskless-sync-delay", "0")
        primary = stack.enter_context(serving(*MEMORY, *data, password=SECRET))
        follow = ("--replicaof", f"127.0.0.1 {primary.port}")
        replica = stack.enter_context(serving(*MEMORY, *data, *follow, password=SECRET))
        sentinels = [stack.enter_context(sentinel(primary.port)) for _ in range(3)]
        world = SentinelWorld((primary, replica), tuple(sentinels))
        world.heal()
        yield world


@contextmanager
def sentinel(watched: int) -> Iterator[Server]:
    config = f"""\
sentinel monitor {SERVICE} 127.0.0.1 {watched} 2
sentinel auth-pass {SERVICE} {SECRET}
sentinel sentinel-pass {SENTINEL_SECRET}
sentinel down-after-milliseconds {SERVICE} {MILLISECONDS_DOWN}
sentinel failover-timeout {SERVICE} 6000
requirepass {SENTINEL_SECRET}
"""
    program = embedded_redis.find().path
    with serving(
        "sentinel.conf",
        "--sentinel",
        program=program,
        password=SENTINEL_SECRET,
        files={"sentinel.conf": config},
    ) as server:
        yield server
