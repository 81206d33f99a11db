"""What a handler does reaches each client, on either worker, in the order in which it was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.cluster import Cluster, start_cluster
from tests.integration.conftest import Note
from tests.integration.javascript import run_script

MIXES = 20_000
SEED = 20_260_901
TIMES = 1000

Check = Callable[..., None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with start_cluster("switchboard.app:app") as cluster:
        yield cluster
        assert "Traceback" not in cluster.log()


@pytest.fixture
def check(cluster: Cluster, note: Note) -> Check:
    """Run one check of the script; it must find nothing wrong, and see at least so much."""

    def run(name: str, *, at_least: int, **options: object) -> None:
        urls = [f"http://127.0.0.1:{port}" for port in cluster.worker_ports]
        result = run_script("order.mjs", name, urls=urls, **options)
        note(**{key: result[key] for key in ("seen", "wrong")})
        assert result["violations"] == [], f"{result['wrong']} violations, seed {SEED}"
        assert result["seen"] >= at_least

    return run


def test_random_mixes_of_emits_arrive_in_order_of_emission_at_each_client(check: Check) -> None:
    check("mixes", rounds=MIXES, seed=SEED, at_least=3 * MIXES)


def test_all_members_of_a_room_hear_one_order_when_two_workers_speak_at_once(check: Check) -> None:
    check("oneOrder", rounds=4 * TIMES, at_least=4 * TIMES)


def test_what_was_emitted_before_the_return_is_there_before_the_ack(check: Check) -> None:
    check("acks", rounds=TIMES, at_least=2 * TIMES)


def test_what_was_emitted_before_a_disconnect_is_there_before_it(check: Check) -> None:
    check("goodbyes", rounds=TIMES, at_least=2 * TIMES)


def test_what_was_emitted_before_close_room_is_heard_and_nothing_after(check: Check) -> None:
    check("closings", rounds=TIMES, at_least=2 * TIMES)


def test_what_was_emitted_before_a_leave_is_heard_and_nothing_after(check: Check) -> None:
    check("leavings", rounds=TIMES, at_least=3 * TIMES)


def test_join_and_say_in_one_burst_is_heard_by_who_says_it(check: Check) -> None:
    check("bursts", rounds=TIMES, at_least=3 * TIMES)


def test_client_put_into_a_room_from_afar_hears_the_next_emit(check: Check) -> None:
    check("entries", rounds=TIMES, at_least=TIMES)


def test_acknowledged_join_hears_what_the_other_worker_says_next(check: Check) -> None:
    check("welcomes", rounds=TIMES, at_least=2 * TIMES)
