"""Targets: what is accepted, and whose fault it is when one is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import flask_socketio
import pytest

from siocluster.errors import EXIT_TARGET, TargetError
from siocluster.worker import loader

BROKEN = Path(__file__).parents[1] / "apps" / "broken"
HEAD = """
from flask import Flask
from flask_socketio import SocketIO
app = Flask(__name__)
"""


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    """A module that a test has written is not there for the next one."""
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an importable module `app`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "app.py"


def refusal(target: str) -> TargetError:
    with pytest.raises(TargetError) as caught:
        loader.load(target)
    assert caught.value.exit_code == EXIT_TARGET
    return caught.value


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("socketio = SocketIO(app)", "app:socketio"),
        ("socketio = SocketIO(app)", "app:app"),
        ("socketio = SocketIO()\nsocketio.init_app(app)", "app:socketio"),
        ("socketio = SocketIO(app)\ndef make(): return app", "app:make()"),
        ("def make(): return SocketIO(app)", "app:make()"),
        ("made = SocketIO(app, async_mode='gevent')", "app:made"),
        (
            "socketio = SocketIO(app)\nif __name__ == '__main__':\n    socketio.run(app)",
            "app:socketio",
        ),
    ],
    ids=["socketio", "flask", "init-app", "factory", "factory-socketio", "mode", "main"],
)
def test_every_usual_shape_of_an_app_is_loaded(app: Path, code: str, target: str) -> None:
    app.write_text(HEAD + code)
    found = loader.load(target)
    assert isinstance(found, flask_socketio.SocketIO)
    assert loader.flask_app(found).import_name == "app"


@pytest.mark.parametrize(
    "target",
    [
        "",
        ":",
        "app",
        "app:",
        ":socketio",
        "app:a.b",
        "app:make(1)",
        "app:make()()",
        "a b:c",
        "app.py:socketio()x",
        "../app:socketio",
        ".app:socketio",
        "a..b:c",
        "a.:c",
        "app:1",
    ],
)
def test_what_has_not_the_form_of_a_target_is_told_the_form(target: str) -> None:
    error = refusal(target)
    assert error.message == f"{target!r} is no target."
    assert "module:attribute" in error.hint
    assert error.detail == ""


def test_a_missing_module_is_the_user_s_mistake_and_says_where_was_looked(app: Path) -> None:
    error = refusal("nowhere_to_be_found:socketio")
    assert error.message == "There is no module named nowhere_to_be_found."
    assert str(app.parent) in error.hint
    assert error.detail == ""


def test_a_missing_package_of_a_dotted_name_is_told_by_its_first_missing_part(app: Path) -> None:
    app.write_text(HEAD)
    assert refusal("app.views:x").message == "There is no module named app.views."
    assert refusal("nowhere.views:x").message == "There is no module named nowhere."


def test_a_module_that_needs_a_missing_one_is_the_app_s_fault(app: Path) -> None:
    app.write_text("import nowhere_to_be_found")
    error = refusal("app:socketio")
    assert error.message == (
        "app could not be imported: it needs nowhere_to_be_found, which is missing."
    )
    assert "line 1" in error.detail


def test_an_app_that_raises_shows_its_own_frames_alone(app: Path) -> None:
    (app.parent / "models.py").write_text("def connect():\n    raise OSError('no database')\n")
    app.write_text("import models\nmodels.connect()\n")
    error = refusal("app:socketio")
    assert error.message == "app raised OSError while it was imported."
    files = [line.strip() for line in error.detail.splitlines() if "File" in line]
    assert [line.split('"')[1] for line in files] == [str(app), str(app.parent / "models.py")]
    assert error.detail.endswith("OSError: no database")


def test_the_cause_of_an_app_s_error_is_trimmed_too(app: Path) -> None:
    app.write_text(
        "import importlib\n"
        "try:\n    importlib.import_module('nowhere_to_be_found')\n"
        "except ImportError as error:\n    raise RuntimeError('no plugin') from error\n"
    )
    detail = refusal("app:socketio").detail
    assert "importlib/__init__" not in detail and "frozen" not in detail
    assert "nowhere_to_be_found" in detail and detail.endswith("RuntimeError: no plugin")


def test_a_syntax_error_shows_the_line(app: Path) -> None:
    app.write_text("x = = 1\n")
    error = refusal("app:socketio")
    assert error.message == "app raised SyntaxError while it was imported."
    assert "x = = 1" in error.detail


@pytest.mark.parametrize("where", ["import", "factory"])
def test_an_app_that_exits_is_caught(app: Path, where: str) -> None:
    exits = "import sys\nsys.exit('DATABASE_URL is not set')"
    factory = "import sys\ndef make(): sys.exit('DATABASE_URL is not set')"
    app.write_text(exits if where == "import" else factory)
    error = refusal("app:make()")
    assert "ended the process (exit DATABASE_URL is not set)" in error.message
    assert str(app) in error.detail


def test_a_factory_that_raises_shows_its_own_frames_alone(app: Path) -> None:
    app.write_text("def make():\n    raise KeyError('SECRET')\n")
    error = refusal("app:make()")
    assert error.message == "app:make() raised KeyError."
    assert "in make" in error.detail and "loader.py" not in error.detail


def test_a_missing_attribute_is_told_the_nearest_name(app: Path) -> None:
    app.write_text(HEAD + "socketio = SocketIO(app)")
    error = refusal("app:sockteio")
    assert error.message == "app has no attribute sockteio."
    assert error.hint == "Did you mean app:socketio?"


def test_a_missing_attribute_that_is_near_to_nothing_is_told_what_the_module_has(
    app: Path,
) -> None:
    app.write_text(HEAD + "zz = SocketIO(app)")
    assert refusal("app:q").hint in ("Did you mean app:app?", "Did you mean app:zz?")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("thing = 3", "app:thing is an int, not a SocketIO object."),
        ("thing = app", "app:thing is a Flask app without Flask-SocketIO."),
        ("thing = SocketIO()", "app:thing is a SocketIO object that no Flask app was given to."),
        ("thing = SocketIO(app, async_mode='threading')", "uses async_mode 'threading'"),
        ("def thing(): pass", "app:thing is a function, not a SocketIO object."),
    ],
)
def test_what_is_no_usable_socketio_is_named(app: Path, code: str, words: str) -> None:
    app.write_text(HEAD + code)
    error = refusal("app:thing")
    assert words in error.message
    assert error.hint and not error.detail


def test_a_factory_named_without_its_call_is_told_so(app: Path) -> None:
    app.write_text(HEAD + "def make(): return SocketIO(app)")
    assert refusal("app:make").hint == "If it is a factory, write app:make()."


def test_what_cannot_be_called_is_no_factory(app: Path) -> None:
    app.write_text(HEAD + "thing = 3")
    assert refusal("app:thing()").message == "app:thing cannot be called."


@pytest.mark.parametrize("guarded", [False, True])
def test_a_server_run_at_import_is_refused_before_it_blocks(app: Path, guarded: bool) -> None:
    code = HEAD + "socketio = SocketIO(app)\n"
    run = "socketio.run(app)\n"
    app.write_text(code + (f"def start():\n    {run}start()\n" if guarded else run))
    error = refusal("app:socketio")
    assert error.message == "app calls socketio.run() while it is imported."
    assert "__main__" in error.hint


def test_after_loading_run_is_the_stock_one_again(app: Path) -> None:
    stock = flask_socketio.SocketIO.run
    app.write_text(HEAD + "socketio = SocketIO(app)\nsocketio.run(app)\n")
    refusal("app:socketio")
    assert flask_socketio.SocketIO.run is stock


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("needs_missing", "which is missing"),
        ("raises", "while it was imported"),
        ("syntax", "SyntaxError"),
        ("threads", "async_mode 'threading'"),
        ("unbound", "no Flask app was given to"),
        ("runs_at_import", "calls socketio.run()"),
        ("exits", "ended the process (exit 3)"),
    ],
)
def test_the_broken_apps_each_have_their_error(
    monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.syspath_prepend(BROKEN)
    assert words in refusal(f"{name}:socketio").message
