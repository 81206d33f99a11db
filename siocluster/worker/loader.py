"""Find the SocketIO object that a target names, and say whose fault it is when there is none."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import flask
import flask_socketio

from siocluster.errors import TargetError

LIBRARY = str(Path(__file__).parent.parent)
HINT_FORM = "Write it as module:attribute, such as app:socketio, app:app or app:create_app()."


def load(target: str) -> flask_socketio.SocketIO:
    """The app's SocketIO object, with its server made; raises TargetError.

    `target` is `module:attribute` of a SocketIO object or of a Flask app that has one, or
    `module:factory()` returning either.
    """
    module_name, attribute, is_call = _parse(target)
    with _no_server_of_its_own(module_name):
        module = _import(module_name)
        found = _attribute(module, attribute)
        if is_call:
            found = _call(found, target)
    return _checked(_socketio(found, target), target)


def flask_app(socketio: flask_socketio.SocketIO) -> flask.Flask:
    """The Flask app that a loaded SocketIO object serves."""
    app: flask.Flask = socketio.sockio_mw.flask_app
    return app


def _parse(target: str) -> tuple[str, str, bool]:
    match = re.fullmatch(r"(\w+(?:\.\w+)*):([A-Za-z_]\w*)(\(\))?", target)
    if not match:
        raise TargetError(f"{target!r} is no target.", hint=HINT_FORM)
    return match[1], match[2], bool(match[3])


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except TargetError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TargetError(
                f"There is no module named {error.name}.", hint=_hint_where(name)
            ) from None
        _broke(f"{name} could not be imported: it needs {error.name}, which is missing.", error)
    except SystemExit as error:
        _broke(f"{name} ended the process (exit {error.code}) while it was imported.", error)
    except Exception as error:
        _broke(f"{name} raised {type(error).__name__} while it was imported.", error)


def _hint_where(name: str) -> str:
    if name.endswith(".py"):
        return f"A target names a module and no file: {name.removesuffix('.py')}:…"
    return (
        f"It was looked for in {Path.cwd()} and in the installed packages;"
        " --chdir names another folder."
    )


def _attribute(module: ModuleType, name: str) -> object:
    try:
        return getattr(module, name)
    except AttributeError:
        near = difflib.get_close_matches(name, vars(module), n=1)
        candidates = [key for key, value in vars(module).items() if _is_app(value)]
        guess = near or candidates[:1]
        raise TargetError(
            f"{module.__name__} has no attribute {name}.",
            hint=f"Did you mean {module.__name__}:{guess[0]}?" if guess else HINT_FORM,
        ) from None


def _call(factory: object, target: str) -> object:
    if not callable(factory):
        raise TargetError(f"{target.removesuffix('()')} cannot be called.", hint=HINT_FORM)
    try:
        return factory()
    except TargetError:
        raise
    except SystemExit as error:
        _broke(f"{target} ended the process (exit {error.code}).", error)
    except Exception as error:
        _broke(f"{target} raised {type(error).__name__}.", error)


def _is_app(value: object) -> bool:
    return isinstance(value, flask_socketio.SocketIO | flask.Flask)


def _socketio(found: object, target: str) -> flask_socketio.SocketIO:
    if isinstance(found, flask.Flask):
        if "socketio" not in found.extensions:
            raise TargetError(
                f"{target} is a Flask app without Flask-SocketIO.",
                hint="Make one with SocketIO(app), or name the SocketIO object.",
            )
        found = found.extensions["socketio"]
    if not isinstance(found, flask_socketio.SocketIO):
        hint = HINT_FORM
        if callable(found):
            hint = f"If it is a factory, write {target}()."
        raise TargetError(f"{target} is {_kind(found)}, not a SocketIO object.", hint=hint)
    return found


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _checked(socketio: flask_socketio.SocketIO, target: str) -> flask_socketio.SocketIO:
    if socketio.server is None or not hasattr(socketio, "sockio_mw"):
        raise TargetError(
            f"{target} is a SocketIO object that no Flask app was given to.",
            hint="Call socketio.init_app(app) in the module, or name a factory that does.",
        )
    if socketio.async_mode != "gevent":
        raise TargetError(
            f"{target} uses async_mode {socketio.async_mode!r}; siocluster's workers run gevent.",
            hint="Leave async_mode out of SocketIO(…), or set it to 'gevent'."
            " An installed eventlet is taken first: uninstall it.",
        )
    if importlib.util.find_spec("geventwebsocket") is None:
        raise TargetError(
            "gevent-websocket is not installed. Without it Flask-SocketIO uses simple-websocket,"
            " which mixes up the frames of a client that reads slowly.",
            hint="pip install gevent-websocket",
        )
    return socketio


@contextmanager
def _no_server_of_its_own(module: str) -> Iterator[None]:
    """Refuse `socketio.run()` during the import: it would block the worker for ever."""
    stock_run = flask_socketio.SocketIO.run

    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise TargetError(
            f"{module} calls socketio.run() while it is imported.",
            hint='Put it under `if __name__ == "__main__":`; siocluster runs the server.',
        )

    flask_socketio.SocketIO.run = refuse
    try:
        yield
    finally:
        flask_socketio.SocketIO.run = stock_run


def _broke(message: str, error: BaseException) -> NoReturn:
    raise TargetError(
        message, hint="This is the app's own error:", detail=app_traceback(error)
    ) from None


def app_traceback(error: BaseException) -> str:
    """The traceback without the frames of siocluster and of the import system."""
    shown = traceback.TracebackException.from_exception(error)
    link: traceback.TracebackException | None = shown
    while link is not None:
        link.stack = traceback.StackSummary.from_list(
            [frame for frame in link.stack if not _is_ours(frame.filename)]
        )
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "".join(shown.format()).rstrip()


def _is_ours(filename: str) -> bool:
    if filename.startswith("<frozen importlib") or "/importlib/__init__.py" in filename:
        return True
    return filename.startswith(LIBRARY + "/") and "/chatapp/" not in filename
