"""Redis Sentinel: a room outlives its primary, and nobody misses a thing without being told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.apps.checks.puppets import PATIENT, RECOVERY, Puppet, Stage, fence, order, stage
from tests.apps.checks.records import SAID, Told, check_heard, hush
from tests.integration.cluster import Cluster, Place, start_cluster
from tests.integration.redis_kinds import ENCODED, MEMORY, Server, serving
from tests.integration.sentinel_world import (
    SECRETS,
    SENTINEL_SECRET,
    SERVICE,
    SentinelWorld,
    role,
    sentinel_world,
)
from tests.integration.test_bus_redis_kinds import assert_hidden
from tests.integration.waiting import SCALE, is_ready, wait_until

TARGET = "switchboard.app:app"
ROOM = "agora"
EVERY = 50  # milliseconds between two of one speaker's emits
REFUSED = 5  # the exit code
LONG = 60 * SCALE

pytestmark = pytest.mark.timeout(300 * SCALE)


@dataclass(frozen=True, slots=True)
class World:
    """`name` is the cluster's, and of one test: the Redis is shared."""

    name: str
    cluster: Cluster
    redis: SentinelWorld
    stage: Stage

    def members(self, name: str, **options: object) -> list[Puppet]:
        """Stock clients in the room, one on each worker."""
        members = []
        for slot, port in enumerate(self.cluster.worker_ports):
            url = f"http://127.0.0.1:{port}"
            auth = {"orders": [order("join", ROOM)]}
            member = self.stage.open(f"{name} {slot}", url, auth=auth, **{**PATIENT, **options})
            members.append(member)
        return members

    def everybody(self) -> list[Puppet]:
        return [*self.members("plain"), *self.members("recovering", query=RECOVERY)]

    def speakers(self) -> list[Puppet]:
        speakers = self.members("speaker")
        for speaker in speakers:
            speaker.tell("talk", room=ROOM, event=SAID, every=EVERY)
        return speakers

    def wait_until_on(self, server: Server) -> None:
        """All workers are ready, and their links are there."""
        wait_until(
            lambda: all(map(is_ready, self.cluster.worker_ports)) and links(server) == 2,
            words="both workers on the new primary",
            seconds=LONG,
            log=self.cluster.log,
        )

    def epoch(self) -> str:
        with self.redis.primary().client() as client:
            return str(client.hget(f"{self.root}meta", "epoch"))

    @property
    def root(self) -> str:
        """What every key begins with."""
        return f"{{siocluster:{self.name}}}:"


def links(server: Server) -> int:
    """Connections that hear the bus: Sentinels listen to a channel of their own."""
    with server.client() as client:
        heard = client.client_list(_type="pubsub")
    return sum(int(one["sub"]) > 1 for one in heard)


@pytest.fixture(scope="module")
def redis() -> Iterator[SentinelWorld]:
    with sentinel_world() as world:
        yield world


@pytest.fixture
def world(redis: SentinelWorld) -> Iterator[World]:
    redis.heal()
    name = f"shop-{uuid.uuid4().hex[:8]}"
    environ = {"SIOCLUSTER_REDIS": redis.url, "SIOCLUSTER_NAME": name}
    with start_cluster(TARGET, environ=environ) as cluster, stage() as the_stage:
        yield World(name, cluster, redis, the_stage)
        the_stage.clear()
        assert_hidden(SECRETS, cluster)
        assert "Traceback" not in cluster.log()


def check_all_told(listeners: list[Puppet], told: list[Told], *, lost: bool) -> None:
    """Without a loss all have all; after one, whoever was there knows of it."""
    refusals = {why for speaker in told for _, why in speaker.refused}
    assert refusals <= ({"socket has been disconnected"} if lost else set())
    for listener in listeners:
        if lost:
            assert listener.heard("disconnect"), f"{listener.name} was not told"
        else:
            check_heard(listener, told)
            assert not listener.heard("disconnect")


def test_a_primary_that_dies_is_followed_and_what_waited_arrives(world: World) -> None:
    everybody, speakers = world.everybody(), world.speakers()
    for member in everybody:
        member.wait(SAID, count=20)
    epoch, old, new = world.epoch(), world.redis.primary(), world.redis.replica()
    old.kill()
    world.cluster.wait_for_log("Lost Redis", count=2)
    everybody[0].begin(order("emit", "meanwhile", "a word", to=ROOM))
    world.redis.wait_for_primary(new)
    world.wait_until_on(new)
    told = hush(speakers, everybody)
    # What the old primary had stored and not passed on yet may be lost: then the epoch tells.
    lost = world.epoch() != epoch
    check_all_told(everybody, told, lost=lost)
    (answer,) = everybody[0].answers()
    if not lost:
        assert answer == {"values": [[None]]}
        for member in everybody:
            member.wait("meanwhile", "a word")


def test_a_planned_failover_takes_every_connection_along(world: World) -> None:
    """At once, and not when the old primary is told: what it stores until then will be lost."""
    everybody, speakers = world.everybody(), world.speakers()
    for member in everybody:
        member.wait(SAID, count=20)
    epoch, old, new = world.epoch(), world.redis.primary(), world.redis.replica()
    world.redis.switch()
    world.wait_until_on(new)
    assert role(old) == "master", "nobody has told it yet"
    world.redis.wait_until_obeyed(old)
    told = hush(speakers, everybody)
    check_all_told(everybody, told, lost=world.epoch() != epoch)
    everybody[0].do(order("emit", "after", "a word", to=ROOM))
    for member in everybody:
        member.wait("after", "a word")
    assert links(old) == 0
    lease = f"{world.root}node:a"
    with new.client() as client:
        first = client.pttl(lease)
        wait_until(lambda: client.pttl(lease) > first, words="the lease to be renewed there")


def test_writes_that_a_failover_loses_are_noticed_and_all_are_told(world: World) -> None:
    everybody = world.everybody()
    recovering = [member for member in everybody if member.state().pid]
    assert len(recovering) == 2
    epoch, new = world.epoch(), world.redis.replica()
    try:
        world.redis.stop_replication()
        for number in range(5):
            everybody[0].do(order("emit", SAID, f"lost {number}", to=ROOM))
        for member in everybody:
            member.wait(SAID, "lost 4")
        world.redis.primary().kill()
        world.redis.wait_for_primary(new)
    finally:
        world.redis.allow_replication()
    world.wait_until_on(new)
    for member in everybody:
        member.wait("disconnect")
        member.wait("connect", count=2)
    assert world.epoch() != epoch
    assert [member.state().recovered for member in recovering] == [False, False]
    fence(everybody, by=everybody[-1], word="again")


# What cannot be used


def explained(place: Place, url: str, *words: str) -> None:
    ended = place.run_to_end(TARGET, environ={"SIOCLUSTER_REDIS": url})
    assert ended.code == REFUSED, ended.output
    assert [word for word in words if word not in ended.output] == [], ended.output
    assert "Traceback" not in ended.output
    assert [secret for secret in SECRETS if secret in ended.output] == []


def test_a_wrong_service_name_is_named(place: Place, redis: SentinelWorld) -> None:
    explained(place, redis.named("another"), "No Sentinel knows a primary of the name another")


def test_a_wrong_password_of_the_sentinels_is_told_from_the_primary_s(
    place: Place, redis: SentinelWorld
) -> None:
    explained(place, redis.named(SERVICE, password="no"), "The Sentinels want a password")
    wrong = redis.url.replace(ENCODED, "no", 1)
    explained(place, wrong, "refuses this user or password")


def test_sentinels_that_are_all_away_are_named(place: Place) -> None:
    with serving(*MEMORY) as server:
        port = server.port
    url = f"redis+sentinel://:{ENCODED}@127.0.0.1:{port}/{SERVICE}"
    explained(place, url, f"No Sentinel can be asked for the primary (127.0.0.1:{port}: ")


def test_a_redis_that_is_no_sentinel_is_told_so(place: Place) -> None:
    with serving(*MEMORY) as server:
        url = f"redis+sentinel://127.0.0.1:{server.port}/{SERVICE}"
        explained(place, url, f"127.0.0.1:{server.port}: is no Sentinel")


def test_a_url_without_a_service_says_how_one_looks(place: Place) -> None:
    explained(place, "redis+sentinel://127.0.0.1:1", "redis+sentinel://user:password@host:26379")


def test_a_sentinel_that_is_named_as_a_redis_is_told_apart(
    place: Place, redis: SentinelWorld
) -> None:
    own = SENTINEL_SECRET.replace("/", "%2F").replace("?", "%3F").replace("#", "%23")
    url = f"redis://:{own}@127.0.0.1:{redis.sentinels[0].port}"
    explained(place, url, "is a Redis Sentinel", "redis+sentinel://")


def test_the_check_command_takes_sentinels(place: Place, redis: SentinelWorld) -> None:
    redis.heal()
    for url, code in ((redis.url, 0), (redis.named("another"), REFUSED)):
        ended = place.run_to_end("check", TARGET, environ={"SIOCLUSTER_REDIS": url})
        assert ended.code == code, ended.output
        assert [secret for secret in SECRETS if secret in ended.output] == []
