"""How a lone process finds its app, and runs its timers."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

import flask
import pytest
import socketio

from siocluster import cluster, rooms
from siocluster.bus.alone_app import Tap
from siocluster.rooms import Person
from tests.integration.waiting import SCALE, wait_until
from tests.unit.alone.world import World, say, wait_for

ADA, BOB = Person("ada", {"name": "Ada"}), Person("bob", None)


def test_before_an_app_was_seen_an_emit_says_what_to_do(world: World) -> None:
    with pytest.raises(RuntimeError, match=re.escape("with app.app_context():")):
        say()


def test_within_an_app_context_the_app_is_known(world: World) -> None:
    with world.app.app_context():
        position = say()
    assert rooms.history("lobby")[0].position == position


def test_an_app_seen_once_is_known_outside_its_contexts(world: World) -> None:
    world.app.test_client().get("/")
    client = world.client("lobby")
    thread = threading.Thread(target=say)
    thread.start()
    thread.join()
    assert len(client.get_received()) == 1


def test_an_app_without_socketio_is_not_taken_for_one(world: World) -> None:
    with flask.Flask("plain").app_context(), pytest.raises(RuntimeError, match="has not seen"):
        say()


def test_a_connection_without_cluster_was_never_recovered(world: World) -> None:
    assert world.act(world.client(), rooms.recovered) is False


def test_closed_it_keeps_and_tells_nothing_more(world: World, told: list[Any]) -> None:
    client = world.client()
    world.arrive(client, "lobby", "bob")
    wait_for(told, ("joined", "lobby", BOB))
    world.alone.close()
    world.socketio.emit("message", {"text": "x"}, to="lobby")
    client.disconnect()
    assert rooms.history("lobby") == []
    assert len(told) == 1


def test_a_tap_that_is_undone_leaves_the_client_manager_as_it_was() -> None:
    manager = socketio.Server(async_mode="threading").manager
    stock = manager.emit, manager.basic_leave_room
    tap = Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    assert stock != (manager.emit, manager.basic_leave_room)
    tap.undo()
    assert stock == (manager.emit, manager.basic_leave_room)


def test_a_tap_under_another_one_is_not_undone() -> None:
    manager = socketio.Server(async_mode="threading").manager
    below = Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    Tap(manager, emit=lambda *_, **__: None, left=lambda *_: None)
    above = manager.emit
    below.undo()
    assert manager.emit == above


def test_a_client_manager_that_replaced_another_is_watched_too(
    world: World, told: list[Any]
) -> None:
    world.arrive(world.client(), "lobby", "ada", {"name": "Ada"})
    manager = socketio.Manager()
    manager.set_server(world.socketio.server)
    world.socketio.server.manager = manager
    client = world.client()
    world.arrive(client, "hall", "bob")
    client.disconnect()
    wait_for(told, ("joined", "lobby", ADA), ("joined", "hall", BOB), ("left", "hall", BOB))


# Timers


def test_a_timer_waits_for_the_app_to_serve(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    with world.app.app_context():
        assert not world.alone._serves
    world.app.test_client().get("/")
    wait_until(lambda: len(ran) >= 3, words="three runs", seconds=5 * SCALE)


def test_a_first_event_starts_the_timers_too(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    world.client()
    wait_until(lambda: ran, words="a run", seconds=5 * SCALE)


def test_a_timer_registered_later_runs_too_and_each_only_once(world: World) -> None:
    world.app.test_client().get("/")
    started: list[Any] = []
    world.socketio.start_background_task = started.append
    cluster.every(60)(lambda: None)
    world.app.test_client().get("/")
    assert len(started) == 1


def test_a_timer_that_fails_is_logged_and_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[int] = []

    @cluster.every(0.001)
    def fails() -> None:
        runs.append(1)
        raise LookupError("the app's own mistake")

    with caplog.at_level(logging.ERROR):
        world.app.test_client().get("/")
        wait_until(lambda: len(runs) >= 2, words="a second run", seconds=5 * SCALE)
    assert "the app's own mistake" in caplog.text


def test_an_installed_backend_ends_the_timers_of_the_one_before(world: World) -> None:
    ran: list[int] = []
    cluster.every(0.001)(lambda: ran.append(1))
    world.alone.close()
    world.app.test_client().get("/")
    assert not world.alone._serves
    assert ran == []
