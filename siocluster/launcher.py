"""Starts a checkout's scripts with an interpreter that has what they need.

Python's own library alone, and no syntax newer than 3.6: this file must be able to say why
another interpreter is needed to one that has nothing and to one that is too old.
"""

import importlib.util
import os
import sys

import siocluster

OLDEST = (3, 11)
NEEDED = ("click", "flask_socketio", "gevent", "geventwebsocket", "redis", "setproctitle")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXIT_USAGE = 2


def use_ready_interpreter() -> None:
    """Return if this interpreter will do; else become `.venv`'s, or say what to type and exit."""
    needs = _what_is_missing()
    if not needs:
        _find_chat_here()
        return
    python = os.path.join(ROOT, ".venv", "bin", "python")
    # By its name and not by sys.prefix, which `python -S` leaves as it was: it must not go round.
    if os.path.exists(python) and sys.executable != python:
        os.execv(python, [python, *_arguments()])
    sys.exit(_complaint(needs))


def _find_chat_here() -> None:
    """Let `siocluster.chatapp` mean this checkout's chat where siocluster is not installed."""
    if importlib.util.find_spec("siocluster.chatapp") is None:
        siocluster.__path__.append(ROOT)


def _what_is_missing() -> str:
    """Modules are looked for and not imported: gevent must stay out of the master."""
    if sys.version_info < OLDEST:
        return "Python {}.{} or newer".format(*OLDEST)
    return ", ".join(name for name in NEEDED if importlib.util.find_spec(name) is None)


def _arguments() -> "list[str]":
    """What followed the interpreter's name, its own options included (3.10 keeps them)."""
    return getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]


def _complaint(needs: str) -> int:
    sys.stderr.write(
        "{} (Python {}.{}) will not do: it needs {}.\nType this in {}:  make setup\n".format(
            sys.executable, *sys.version_info[:2], needs, ROOT
        )
    )
    return EXIT_USAGE
