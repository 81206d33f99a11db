"""A clean stop says goodbye to everybody, in time; an impatient one does not wait."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.client import client_at
from tests.integration.cluster import Place, running, spawned
from tests.integration.conftest import Note
from tests.integration.flood import Flood, flood
from tests.integration.waiting import SCALE, wait_until

CLIENTS = 100  # of each kind
GRACEFUL = 30
SOON = 3 * SCALE


def words_in(file: Path) -> Counter[str]:
    """How often each first word stands in the log that the app `counted` keeps."""
    return Counter(line.split()[0] for line in file.read_text().splitlines())


def test_stop_runs_all_200_disconnect_handlers_and_stock_clients_come_back(
    place: Place, note: Note, tmp_path: Path
) -> None:
    log = tmp_path / "seen"
    environ = {"BROKEN_LOG": str(log)}
    with (
        running(place, "broken.counted:app", environ=environ) as cluster,
        flood(cluster.url, clients=CLIENTS) as sockets,
        flood(cluster.url, clients=CLIENTS, transports=["polling"]) as polls,
    ):
        start = time.monotonic()
        code = cluster.stop()
        seconds = time.monotonic() - start
        goodbyes = words_in(log)
        note(seconds=seconds, **goodbyes)
        assert (code, goodbyes) == (0, {"connect": 2 * CLIENTS, "disconnect": 2 * CLIENTS})
        assert seconds < GRACEFUL
        with running(place, "broken.counted:app", environ=environ):
            note(back={"websocket": all_are_back(sockets), "polling": all_are_back(polls)})


def all_are_back(crowd: Flood) -> float:
    """Seconds until each client has connected again, as only those do who were not sent away."""
    seconds = crowd.wait_for(lambda: len(crowd.saw("reconnect")) == CLIENTS, words="all to be back")
    assert "io server disconnect" not in {line["reason"] for line in crowd.saw("disconnect")}
    assert crowd.end()["connected"] == CLIENTS
    return seconds


def test_slow_disconnect_handler_is_cut_off_at_the_graceful_timeout(
    place: Place, note: Note
) -> None:
    with (
        running(place, "broken.slow_goodbye:app", options=["--graceful-timeout", "2"]) as cluster,
        client_at(place.slots[0]),
    ):
        start = time.monotonic()
        assert cluster.stop() == 0
        seconds = time.monotonic() - start
        note(seconds=seconds)
        assert 1 <= seconds < 2 + SOON
        assert "1 disconnect handlers had not ended in time" in cluster.log()


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGTERM, signal.SIGTERM],
        [signal.SIGINT, signal.SIGINT],
        [signal.SIGTERM, signal.SIGQUIT],
        [signal.SIGQUIT],
    ],
    ids=lambda signals: "+".join(number.name for number in signals),
)
def test_second_signal_and_sigquit_stop_now(
    place: Place, note: Note, signals: list[signal.Signals]
) -> None:
    with (
        running(place, "broken.slow_goodbye:app") as cluster,
        client_at(place.slots[0]),
    ):
        *first, last = signals
        for number in first:
            cluster.kill(number)
            cluster.wait_for_log("Drains 1 sessions")
        start = time.monotonic()
        assert cluster.stop(last) == 0
        seconds = time.monotonic() - start
        note(seconds=seconds)
        assert seconds < SOON


def test_stop_during_the_start_leaves_nothing_and_is_no_error(place: Place) -> None:
    with spawned(place, "broken.hangs:app") as cluster:
        wait_until(lambda: len(cluster.members()) > 1, words="a second process", log=cluster.log)
        assert cluster.stop() == 0
        assert "Traceback" not in cluster.log()
