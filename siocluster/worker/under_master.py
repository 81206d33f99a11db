"""One worker under a master: do what the boot message asks, tell what came of it, exit."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import NoReturn

import gevent

from siocluster.errors import EXIT_INTERNAL, EXIT_OK, SioclusterError
from siocluster.wire import Failed, Hello
from siocluster.worker import loader, serving
from siocluster.worker.inspector import inspect
from siocluster.worker.pipe import Pipe

SECONDS_TO_EXIT = 2.0


def main(descriptor: int) -> NoReturn:
    """`descriptor` is the worker's inherited end of the pipe."""
    faulthandler.enable()
    leave(outcome(Pipe(descriptor)))


def outcome(pipe: Pipe) -> int:
    """The exit code, after the master was told of a failure."""
    try:
        run(pipe)
    except SioclusterError as error:
        pipe.send(_failure(error))
        return error.exit_code
    except Exception as error:
        pipe.send(Failed(message=repr(error), detail=loader.app_traceback(error)))
        return EXIT_INTERNAL
    return EXIT_OK


def run(pipe: Pipe) -> None:
    config = pipe.boot()
    serving.prepare(config)
    pipe.send(Hello(pid=os.getpid()))
    if config.purpose == "inspect":
        pipe.send(inspect(config))
        return
    worker = serving.boot(config)
    pipe.watch()
    worker.serve(pipe)


def _failure(error: SioclusterError) -> Failed:
    return Failed(
        message=error.message, hint=error.hint, detail=error.detail, exit_code=error.exit_code
    )


def leave(code: int) -> NoReturn:
    """Exit, with the app's atexit functions, though one of its threads may never end."""
    gevent.spawn_later(SECONDS_TO_EXIT, os._exit, code)
    sys.exit(code)
