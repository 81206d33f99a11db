"""Under a plain `socketio.run()`, with stock clients, in each async mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.app_server import ROOT, RunningApp, start_stock
from tests.integration.client import SECONDS, client_at
from tests.integration.waiting import wait_until

SCRIPT = """
import os, sys
mode = sys.argv[1]
if mode == "patched":
    from gevent import monkey
    monkey.patch_all()
from flask import Flask, has_request_context
from flask_socketio import SocketIO, join_room
from siocluster import cluster, rooms

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading" if mode == "threading" else "gevent")

@socketio.on("join")
def join(name):
    join_room("lobby")
    rooms.arrive("lobby", name)
    return [event.args[0]["text"] for event in rooms.history("lobby") if event.event == "message"]

@socketio.on("say")
def say(text, message_id):
    return rooms.store("message", {"text": text}, "lobby", message_id=message_id)

@socketio.on("who")
def who():
    return [person.id for person in rooms.members("lobby")], rooms.state(), rooms.recovered()

@rooms.on_joined
def joined(room, person):
    assert not has_request_context()
    socketio.emit("joined", person.id, to=room)

@rooms.on_left
def left(room, person):
    socketio.emit("left", person.id, to=room)

@cluster.every(0.05)
def tick():
    assert not has_request_context()
    print("tick", "leader" if cluster.is_leader() else "no leader", flush=True)

if __name__ == "__main__":
    options = {"allow_unsafe_werkzeug": True} if mode == "threading" else {}
    debug = "--debug" in sys.argv
    socketio.run(app, port=int(os.environ["PORT"]), debug=debug, use_reloader=debug, **options)
"""


@pytest.fixture(params=["threading", "gevent", "patched"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningApp]:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT)
    environ = {"PYTHONPATH": str(ROOT)}
    with start_stock([str(script), request.param], folder=tmp_path, environ=environ) as app:
        yield app


def port_of(app: RunningApp) -> int:
    return int(app.environ["PORT"])


def test_under_a_plain_run_all_of_it_works(running: RunningApp) -> None:
    received: list[Any] = []
    with client_at(port_of(running)) as ada, client_at(port_of(running)) as bob:
        for event in ("joined", "left", "message"):
            ada.on(event, lambda data, event=event: received.append((event, data)))
        assert ada.call("join", "ada", timeout=SECONDS) == []
        position = bob.call("say", ("hello", "m1"), timeout=SECONDS)
        assert bob.call("say", ("hello", "m1"), timeout=SECONDS) == position
        assert bob.call("join", "bob", timeout=SECONDS) == ["hello"]
        assert bob.call("who", timeout=SECONDS) == (["ada", "bob"], "alone", False)
        bob.disconnect()
        expected = [
            ("joined", "ada"),
            ("message", {"text": "hello", "position": position}),
            ("joined", "bob"),
            ("left", "bob"),
        ]
        wait_until(lambda: len(received) >= 4, words=f"all of it, of {received}", log=running.log)
        assert sorted(received, key=repr) == sorted(expected, key=repr)
        assert ada.call("who", timeout=SECONDS)[0] == ["ada"]
    assert "Traceback" not in running.log()


def test_under_a_plain_run_timers_begin_before_anyone_has_come(running: RunningApp) -> None:
    wait_until(lambda: running.log().count("tick leader") > 2, words="ticks", log=running.log)


def test_the_parent_of_a_reloader_runs_no_timer(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT.replace('print("tick",', 'print("tick", os.getppid(),'))
    environ = {"PYTHONPATH": str(ROOT)}
    arguments = [str(script), "threading", "--debug"]
    with start_stock(arguments, folder=tmp_path, environ=environ) as app:
        ticks = re.compile(r"tick (\d+) leader")
        wait_until(lambda: len(ticks.findall(app.log())) > 5, words="ticks", log=app.log)
        assert set(ticks.findall(app.log())) == {str(app.process.pid)}
