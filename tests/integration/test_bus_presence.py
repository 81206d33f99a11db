"""Who is in a room, over all workers, when a worker dies, sleeps, or ends in good order."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.apps.checks.puppets import RECOVERY, Puppet, Stage, State, stage
from tests.integration.cluster import Cluster, kill, start_cluster
from tests.integration.conftest import Note
from tests.integration.waiting import SCALE, wait_until

TARGET = "guestbook.app:app"
OPTIONS = ("--backoff", "0.05", "--heartbeat-timeout", "60")
SECONDS_UNTIL_GONE = 10 * SCALE


@dataclass(slots=True)
class World:
    """Two workers, a watcher on each, and a room of the test's own."""

    cluster: Cluster
    stage: Stage
    watchers: list[Puppet] = field(default_factory=list)
    room: str = field(default_factory=lambda: uuid.uuid4().hex)
    leader: int = -1

    def watch(self) -> None:
        """From both workers; what the watcher on the leader is told names it."""
        self.watchers = [self._open(f"watcher {slot}", slot) for slot in (0, 1)]
        leads = [watcher.ask("watch")[0] for watcher in self.watchers]
        assert sorted(leads) == [False, True]
        self.leader = leads.index(True)

    def guest(self, name: str, slot: int, *, tab: int = 1, life: State | None = None) -> Puppet:
        """A client that can come back, and has: with the pid and the offset of its `life`."""
        options = {"pid": life.pid, "offset": life.offset} if life else {}
        guest = self._open(f"{name} {tab} at {slot}", slot, query=RECOVERY, **options)
        if life is None:
            guest.ask("arrive", self.room, name, {"colour": "blue"})
        return guest

    def members(self, slot: int) -> list[str]:
        """Names of who is there, as that worker says."""
        people = self.watchers[slot].ask("who", self.room)[0]
        assert all(data == {"colour": "blue"} for _, data in people)
        return [name for name, _ in people]

    def told(self, slot: int) -> list[str]:
        """What the watcher there has heard of the room, in order: "Ann came", "Ann went"."""
        return [
            f"{entry[2]} {entry[0]}"
            for entry in self.watchers[slot].log()
            if entry[0] in ("came", "went") and entry[1] == self.room
        ]

    def wait_until_told(self, slot: int, name: str, what: str, *, count: int = 1) -> None:
        self.watchers[slot].wait(what, self.room, name, count=count, seconds=2 * SECONDS_UNTIL_GONE)

    def signal(self, slot: int, number: signal.Signals) -> None:
        pid = self.cluster.worker_pid(slot)
        assert pid
        kill(pid, number)

    def _open(self, name: str, slot: int, **options: object) -> Puppet:
        url = f"http://127.0.0.1:{self.cluster.worker_ports[slot]}"
        return self.stage.open(name, url, **options)


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as the_stage:
        yield the_stage


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with start_cluster(TARGET, options=OPTIONS) as cluster:
        yield cluster


@pytest.fixture
def world(cluster: Cluster, the_stage: Stage) -> Iterator[World]:
    cluster.wait_until_ready()
    world = World(cluster, the_stage)
    world.watch()
    yield world
    the_stage.clear()


@pytest.fixture(params=["the leader", "another"])
def victim(request: pytest.FixtureRequest, world: World) -> int:
    """The slot of the worker that suffers."""
    return world.leader if request.param == "the leader" else 1 - world.leader


def test_people_of_a_killed_worker_are_gone_soon_and_announced_once(
    world: World, victim: int, note: Note
) -> None:
    other = 1 - victim
    world.guest("Ann", victim)
    world.guest("Bob", victim, tab=1)
    world.guest("Bob", other, tab=2)
    world.guest("Cyd", other)
    assert world.members(other) == ["Ann", "Bob", "Cyd"]
    world.signal(victim, signal.SIGKILL)
    seconds = wait_until(lambda: "Ann went" in world.told(other), words="Ann to be gone")
    note(seconds=seconds)
    assert seconds < SECONDS_UNTIL_GONE
    assert world.members(other) == ["Bob", "Cyd"]
    world.guest("Eve", other).close()
    world.wait_until_told(other, "Eve", "went")
    assert world.told(other) == [
        *("Ann came", "Bob came", "Cyd came"),
        *("Ann went", "Eve came", "Eve went"),
    ]


def test_who_comes_back_from_a_killed_worker_has_never_gone(world: World, victim: int) -> None:
    other = 1 - victim
    life = world.guest("Ann", victim).state()
    world.guest("Zoe", victim)
    world.signal(victim, signal.SIGKILL)
    ann = world.guest("Ann", other, life=life)
    assert ann.state().recovered
    world.wait_until_told(other, "Zoe", "went")
    assert world.members(other) == ["Ann"]
    ann.close()
    world.wait_until_told(other, "Ann", "went")
    assert world.told(other) == ["Ann came", "Zoe came", "Zoe went", "Ann went"]


def test_people_of_a_sleeping_worker_are_gone_and_come_when_it_wakes(
    world: World, victim: int
) -> None:
    other = 1 - victim
    ann = world.guest("Ann", victim)
    world.signal(victim, signal.SIGSTOP)
    try:
        world.wait_until_told(other, "Ann", "went")
        assert world.members(other) == []
    finally:
        world.signal(victim, signal.SIGCONT)
    world.wait_until_told(other, "Ann", "came", count=2)
    assert world.members(other) == ["Ann"]
    ann.close()
    world.wait_until_told(other, "Ann", "went", count=2)
    assert world.told(other) == ["Ann came", "Ann went"] * 2


def test_who_has_moved_away_from_a_sleeping_worker_stays_when_it_wakes(
    world: World, victim: int
) -> None:
    other = 1 - victim
    life = world.guest("Ann", victim).state()
    world.guest("Zoe", victim)
    world.signal(victim, signal.SIGSTOP)
    try:
        ann = world.guest("Ann", other, life=life)
        assert ann.state().recovered
        world.wait_until_told(other, "Zoe", "went")
        assert world.members(other) == ["Ann"]
    finally:
        world.signal(victim, signal.SIGCONT)
    world.wait_until_told(other, "Zoe", "came", count=2)
    assert world.members(other) == ["Ann", "Zoe"]
    ann.close()
    world.wait_until_told(other, "Ann", "went")
    assert world.told(other).count("Ann came") == 1
    assert world.told(other).count("Ann went") == 1


def test_people_of_a_worker_that_ends_in_good_order_may_come_back_unannounced(
    world: World, victim: int
) -> None:
    other = 1 - victim
    life = world.guest("Ann", victim).state()
    world.guest("Zoe", victim)
    world.signal(victim, signal.SIGTERM)
    ann = world.guest("Ann", other, life=life)
    assert ann.state().recovered
    seconds = wait_until(lambda: "Zoe went" in world.told(other), words="Zoe to be gone")
    assert seconds < SECONDS_UNTIL_GONE
    assert world.members(other) == ["Ann"]
    assert world.told(other) == ["Ann came", "Zoe came", "Zoe went"]
