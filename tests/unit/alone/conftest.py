"""The world of each test, and what its app was told of people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siocluster import rooms
from siocluster.bus import backend
from siocluster.rooms import Person
from tests.unit.alone.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("joined", "left", "timers"):
        monkeypatch.setattr(backend, name, [])
    world = World()
    monkeypatch.setattr(backend, "_current", world.alone)
    yield world
    world.alone.close()


@pytest.fixture
def told(world: World) -> list[tuple[str, rooms.Room, Person]]:
    """What on_joined and on_left were told, in order."""
    told: list[tuple[str, rooms.Room, Person]] = []
    rooms.on_joined(lambda room, person: told.append(("joined", room, person)))
    rooms.on_left(lambda room, person: told.append(("left", room, person)))
    return told
