"""What the ticker promises, under any runner."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import socketio

from tests.apps.checks.web import Browser
from tests.integration.app_server import APPS, SCALE, RunningApp
from tests.integration.javascript import run_script, running_script

SECONDS = 10 * SCALE
TRANSPORTS = (["websocket"], ["polling"], None)


def play(app: RunningApp, check: str, **options: object) -> object:
    return run_script("ticker.mjs", check, url=app.url, **options)


def a_task_started_by_the_first_client_ticks_for_all(app: RunningApp) -> None:
    """Each process has a clock of its own; none of its ticks is lost, doubled or overtaken."""
    for transports in TRANSPORTS:
        counts = defaultdict(list)
        for tick in play(app, "ticks", count=12, transports=transports)["ticks"]:
            counts[tick["pid"]].append(tick["count"])
        for seen in counts.values():
            assert seen == list(range(seen[0], seen[0] + len(seen)))


def a_task_started_by_a_handler_reports_to_its_client(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        seen = play(app, "report", transports=transports)
        assert seen["started"] == {"started": True}
        assert seen["progress"] == [1, 2, 3, 4, 5]
        assert seen["outcome"] == {"steps": 5}


def every_watcher_hears_each_price_once_and_in_order(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        seen = play(app, "trade", transports=transports)
        assert seen["acks"] == [["ACME", 1.5], ["ACME", 2.5], ["ACME", 3.5]]
        assert seen["prices"] == [[1.5, 2.5, 3.5]] * 6
        assert seen["trader"] == []


def a_price_posted_over_http_reaches_every_watcher(app: RunningApp) -> None:
    with running_script("ticker.mjs", "watch", url=app.url, symbol="HTTP") as script:
        assert script.line() == {"watching": True}
        answer = Browser(app.url).post("/trades", symbol="HTTP", price="7.25")
        assert answer.json() == {"symbol": "HTTP", "price": 7.25}
        assert script.line() == {"prices": [{"symbol": "HTTP", "price": 7.25}] * 4}


def a_call_gets_the_answer_of_any_other_client(app: RunningApp) -> None:
    answers = [{"answer": f"{number} likes tea"} for number in range(4)]
    for transports in TRANSPORTS:
        assert play(app, "survey", transports=transports) == {"answers": answers * 4}


def a_call_that_nobody_answers_gives_up_in_time(app: RunningApp) -> None:
    assert play(app, "hurry") == {"gave_up": True, "asked": "quick!"}


def an_emits_callback_gets_what_the_client_acknowledged(app: RunningApp) -> None:
    seen = play(app, "poke")
    assert seen == {"seen": [{"word": "ouch", "number": number} for number in range(4)]}


def the_python_client_trades_like_the_javascript_one(app: RunningApp) -> None:
    for transport in ("websocket", "polling"):
        with several_clients(app, 4, transports=[transport]) as (trader, *watchers):
            for watcher in watchers:
                assert watcher.call("watch", "SNAKE", timeout=SECONDS) == {"watching": "SNAKE"}
            answer = trader.call("trade", ("SNAKE", 4.5), timeout=SECONDS)
            assert answer == ("SNAKE", 4.5)
            for watcher in watchers:
                assert _price(watcher) == {"symbol": "SNAKE", "price": 4.5}


@contextmanager
def several_clients(
    app: RunningApp, count: int, **options: object
) -> Iterator[list[socketio.SimpleClient]]:
    with ExitStack() as stack:
        clients = [stack.enter_context(socketio.SimpleClient()) for _ in range(count)]
        for client in clients:
            client.connect(app.url, socketio_path="/live/socket.io", **options)
        yield clients


def _price(client: socketio.SimpleClient) -> object:
    """The first price; an AssertionError when only ticks come."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        event, data = client.receive(timeout=SECONDS)
        if event == "price":
            return data
    raise AssertionError(f"no price within {SECONDS:g} s")


def the_python_client_answers_a_call(app: RunningApp) -> None:
    with answering_client(app) as sid, several_clients(app, 4) as clients:
        for asking in clients:
            answer = asking.call("survey", (sid, "tea"), timeout=SECONDS)
            assert answer == {"answer": "python likes tea"}


@contextmanager
def answering_client(app: RunningApp) -> Iterator[str]:
    """The sid of a Python client that likes whatever it is asked about."""
    client = socketio.Client()
    client.on("question", lambda question: f"python likes {question}")
    client.connect(app.url, socketio_path="/live/socket.io", wait_timeout=SECONDS)
    try:
        yield client.get_sid()
    finally:
        client.disconnect()


def a_price_published_by_another_program_reaches_every_watcher(app: RunningApp) -> None:
    with running_script("ticker.mjs", "watch", url=app.url, symbol="PUB") as script:
        assert script.line() == {"watching": True}
        command = [sys.executable, "publish.py", app.environ["TICKER_QUEUE"], "PUB", "9.5"]
        subprocess.run(command, cwd=APPS / "ticker", check=True, timeout=SECONDS)
        assert script.line() == {"prices": [{"symbol": "PUB", "price": 9.5}] * 4}


PROMISES = (
    a_task_started_by_the_first_client_ticks_for_all,
    a_task_started_by_a_handler_reports_to_its_client,
    every_watcher_hears_each_price_once_and_in_order,
    a_price_posted_over_http_reaches_every_watcher,
    a_call_gets_the_answer_of_any_other_client,
    a_call_that_nobody_answers_gives_up_in_time,
    an_emits_callback_gets_what_the_client_acknowledged,
    the_python_client_trades_like_the_javascript_one,
    the_python_client_answers_a_call,
)
# With a `message_queue` of its own.
QUEUE_PROMISES = (
    a_price_published_by_another_program_reaches_every_watcher,
    every_watcher_hears_each_price_once_and_in_order,
    a_call_gets_the_answer_of_any_other_client,
)
