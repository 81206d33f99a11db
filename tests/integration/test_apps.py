"""Unchanged apps keep the same promises in a cluster as under their own `socketio.run()`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.apps.checks")

from tests.apps.checks import classroom, gallery, ticker  # noqa: E402 - rewritten, as said above
from tests.integration.app_server import (  # noqa: E402
    APPS,
    RunningApp,
    start_redis,
    start_stock,
)
from tests.integration.cluster import start_cluster  # noqa: E402

Check = Callable[[RunningApp], None]
Start = Callable[..., AbstractContextManager[RunningApp]]


def promises(checks: Sequence[Check]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("promise", checks, ids=[check.__name__ for check in checks])


@pytest.fixture(scope="module", params=["stock", "cluster"])
def start(request: pytest.FixtureRequest) -> Start:
    """Start an app by its script or its target, as the runner wants it."""
    runner: str = request.param

    def start_app(
        *, script: Sequence[str], target: str, folder: Path = APPS, environ: Mapping[str, str] = {}
    ) -> AbstractContextManager[RunningApp]:
        if runner == "stock":
            return start_stock(script, folder=folder, environ=environ)
        return start_cluster(target, folder=folder, environ=environ)

    return start_app


@pytest.fixture(scope="module")
def classroom_app(start: Start) -> Iterator[RunningApp]:
    with start(
        script=["-m", "classroom.wsgi"],
        target="classroom.wsgi:app",
        environ={"CLASSROOM_PROXY": "outside"},
    ) as app:
        yield app


@pytest.fixture(scope="module")
def shared_classroom_app(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """`manage_session=False`, sessions in files, ProxyFix inside; the target is the factory."""
    sessions = str(tmp_path_factory.mktemp("sessions"))
    with start(
        script=["-m", "classroom.wsgi"],
        target="classroom:create_app()",
        environ={"CLASSROOM_PROXY": "inside", "CLASSROOM_SESSIONS": sessions},
    ) as app:
        yield app


@pytest.fixture(scope="module")
def ticker_app(start: Start) -> Iterator[RunningApp]:
    with start(script=["app.py"], target="app:socketio", folder=APPS / "ticker") as app:
        yield app


@pytest.fixture(scope="module")
def queued_ticker_app(start: Start) -> Iterator[RunningApp]:
    """The app names a message queue of its own, and another program publishes there."""
    with (
        start_redis() as url,
        start(
            script=["app.py"],
            target="app:app",
            folder=APPS / "ticker",
            environ={"TICKER_QUEUE": url},
        ) as app,
    ):
        yield app


@pytest.fixture(scope="module")
def gallery_app(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    log = tmp_path_factory.mktemp("gallery") / "closed"
    with start(
        script=["app.py"],
        target="app:app",
        folder=APPS / "gallery",
        environ={"GALLERY_CLOSED_LOG": str(log)},
    ) as app:
        yield app


@promises(classroom.PROMISES)
def test_classroom_keeps_its_promise(classroom_app: RunningApp, promise: Check) -> None:
    promise(classroom_app)


@promises(classroom.SHARED_SESSION_PROMISES)
def test_classroom_with_one_session_for_http_and_socketio_keeps_its_promise(
    shared_classroom_app: RunningApp, promise: Check
) -> None:
    promise(shared_classroom_app)


@promises(ticker.PROMISES)
def test_ticker_keeps_its_promise(ticker_app: RunningApp, promise: Check) -> None:
    promise(ticker_app)


@promises(ticker.QUEUE_PROMISES)
def test_ticker_with_its_own_queue_keeps_its_promise(
    queued_ticker_app: RunningApp, promise: Check
) -> None:
    promise(queued_ticker_app)


@promises(gallery.PROMISES)
def test_gallery_keeps_its_promise(gallery_app: RunningApp, promise: Check) -> None:
    promise(gallery_app)


@pytest.mark.parametrize("app", ["classroom", "ticker", "gallery", "broken"])
def test_app_does_not_know_that_it_may_run_in_a_cluster(app: str) -> None:
    sources = [file.read_text() for file in (APPS / app).rglob("*.py")]
    assert sources
    assert not [source for source in sources if "import siocluster" in source]
    assert not [source for source in sources if "from siocluster" in source]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("broken.raises", "RuntimeError: no database at db.example.test"),
        ("broken.syntax", "SyntaxError: 'return' outside function"),
        ("broken.needs_missing", "ModuleNotFoundError: No module named 'nobody_wrote"),
        ("broken.one_bad_slot", "RuntimeError: slot 1 has a bad day"),
    ],
)
def test_broken_app_breaks_as_its_name_says(module: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=APPS,
        env={**os.environ, "SIOCLUSTER_SLOT": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert words in done.stderr
