"""The bundled chat by its own `socketio.run()`: one process, no runner, no Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.app_server import ROOT, RunningApp, start_stock

RUN = """
import os
from chatapp import app, socketio
socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
"""


@contextmanager
def start_alone() -> Iterator[RunningApp]:
    with start_stock(["-c", RUN], folder=ROOT) as app:
        yield app
