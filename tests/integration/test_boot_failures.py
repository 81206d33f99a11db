"""What a person sees when the app, or one worker of it, cannot start."""

from __future__ import annotations

import pytest

from tests.integration.app_server import OUR_FRAMES
from tests.integration.cluster import Ended, Place, running
from tests.integration.handshake import open_session
from tests.integration.waiting import SCALE

CANNOT_BE_LOADED = 3

# target → words that the one screen must hold
TARGETS = {
    "broken.raises:app": ["raised RuntimeError", "no database at db.example.test", "database.py"],
    "broken.syntax:app": ["SyntaxError", "'return' outside function"],
    "broken.needs_missing:app": ["nobody_wrote_this_module"],
    "broken.exits:app": ["ended the process (exit 3)"],
    "broken.runs_at_import:app": ["socketio.run()", "__main__"],
    "broken.threads:app": ["threading", "gevent"],
    "broken.unbound:socketio": ["no Flask app was given to", "init_app"],
    "broken.nobody:app": ["no module named broken.nobody"],
    "broken.healthy:sockettio": ["no attribute sockettio", "broken.healthy:socketio"],
    "broken.healthy:bare_app": ["without Flask-SocketIO"],
    "broken.healthy:not_a_socketio": ["a dict, not a SocketIO"],
    "broken.healthy:make_socketio": ["broken.healthy:make_socketio()"],
    "broken.healthy:make_nothing()": ["NoneType, not a SocketIO"],
    "broken.healthy:make_trouble()": ["LookupError", "the factory has no parts"],
}
# Whose error shows lines of the app's own; all others are said in words alone.
OF_THE_APP = ("raises", "syntax", "needs_missing", "exits", "make_trouble")


def errors(ended: Ended) -> int:
    return sum(line.startswith("error: ") for line in ended.output.splitlines())


def assert_one_clear_screen(ended: Ended, *words: str) -> None:
    assert ended.code == CANNOT_BE_LOADED, ended.output
    assert [word for word in words if word not in ended.output] == [], ended.output
    assert errors(ended) == 1, ended.output
    assert OUR_FRAMES not in ended.output, "frames of ours are nobody's business"


@pytest.mark.parametrize("target", TARGETS)
def test_target_that_cannot_be_loaded_gives_one_clear_screen(place: Place, target: str) -> None:
    ended = place.run_to_end(target)
    assert_one_clear_screen(ended, *TARGETS[target])
    of_the_app = any(name in target for name in OF_THE_APP)
    assert ('File "' in ended.output) is of_the_app, ended.output


@pytest.mark.parametrize("target", ["broken.hangs:app", "broken.hangs_hard:app"])
def test_import_that_never_ends_is_given_up_and_shown(place: Place, target: str) -> None:
    ended = place.run_to_end(target, "--boot-timeout", "2")
    assert ended.code == CANNOT_BE_LOADED
    assert "was not imported within 2 s" in ended.output
    module = target.removeprefix("broken.").removesuffix(":app")
    assert f"{module}.py" in ended.output, "the stack names the line that waits"


def test_app_that_no_slot_can_boot_says_the_reason_once(place: Place) -> None:
    """Only the workers fail here: the process that looks at the app first has no slot."""
    environ = {"BROKEN_SLOTS": "0,1"}
    ended = place.run_to_end("broken.one_bad_slot:app", environ=environ)
    assert ended.code == CANNOT_BE_LOADED, ended.output
    assert "No worker can boot." in ended.output
    assert errors(ended) == 1
    assert ended.output.count("RuntimeError: slot ") == 1


def test_one_bad_slot_of_four_leaves_three_serving(four_workers: Place) -> None:
    with running(
        four_workers,
        "broken.one_bad_slot:app",
        options=["--backoff", "0.2"],
        environ={"BROKEN_SLOTS": "2"},
        ready=[0, 1, 3],
    ) as cluster:
        cluster.wait_for_log("Worker 2 cannot boot", count=2, seconds=30 * SCALE)
        opened = [open_session(four_workers.bind) for _ in range(30)]
        assert {session.status for session in opened} == {200}
        assert {session.slot for session in opened} == {0, 1, 3}
        # The reason is told once; each further try is one line.
        assert cluster.log().count("RuntimeError: slot 2 has a bad day") == 1
        assert "http://127.0.0.1" in cluster.log()


def test_workers_with_keys_of_their_own_are_a_loud_warning(place: Place) -> None:
    with running(place, "broken.random_key:app") as cluster:
        cluster.wait_for_log("different secret keys")


def test_workers_with_one_key_are_none(place: Place) -> None:
    with running(place, "broken.healthy:app") as cluster:
        assert open_session(place.bind).status == 200
        cluster.stop()
        assert "secret keys" not in cluster.log()
