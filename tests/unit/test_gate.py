"""What a worker answers itself: health always, handshakes only where it must refuse them."""

from __future__ import annotations

import json

import flask
import pytest

from siocluster.worker.gate import Gate, health_paths

HEALTH = {"/healthz": False, "/readyz": True}


def gate(*, live: bool = True, draining: bool = False, path: str = "/socket.io/") -> Gate:
    made = Gate(socketio_path=path, health=HEALTH, is_live=lambda: live)
    made.draining = draining
    return made


def ask(
    gate: Gate, path: str, query: str = "", *, method: str = "GET"
) -> tuple[str, object] | None:
    answer = gate.answer({"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method})
    return None if answer is None else (answer.status[:3], json.loads(answer.body)["status"])


def test_a_serving_worker_is_alive_and_ready() -> None:
    assert ask(gate(), "/healthz") == ("200", "ok")
    assert ask(gate(), "/readyz", method="HEAD") == ("200", "ready")


def test_a_worker_that_does_not_hear_redis_is_alive_but_not_ready() -> None:
    assert ask(gate(live=False), "/healthz") == ("200", "ok")
    assert ask(gate(live=False), "/readyz") == ("503", "message queue lost")


def test_a_draining_worker_is_alive_but_not_ready() -> None:
    assert ask(gate(draining=True), "/healthz") == ("200", "ok")
    assert ask(gate(draining=True), "/readyz") == ("503", "draining")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_the_app_s(method: str) -> None:
    assert ask(gate(), "/healthz", method=method) is None


@pytest.mark.parametrize("path", ["/", "/healthz/", "/x/healthz", "/socket.io/", ""])
def test_everything_else_is_the_app_s(path: str) -> None:
    assert ask(gate(), path) is None


@pytest.mark.parametrize(
    "query",
    ["EIO=4&transport=polling", "transport=websocket&EIO=4", "", "sid=", "x=sid&EIO=4", "Sid=a0-b"],
)
def test_a_draining_worker_refuses_a_new_session(query: str) -> None:
    assert ask(gate(draining=True), "/socket.io/", query) == ("503", "draining")
    assert ask(gate(), "/socket.io/", query) is None


def test_a_worker_that_does_not_hear_redis_refuses_a_new_session_alone() -> None:
    lost = gate(live=False)
    assert ask(lost, "/socket.io/", "EIO=4&transport=polling") == ("503", "message queue lost")
    assert ask(lost, "/socket.io/", "EIO=4&transport=polling&sid=a0-xyz") is None
    assert ask(lost, "/") is None


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_draining_worker_serves_its_old_sessions_to_the_end(method: str) -> None:
    query = "EIO=4&transport=polling&sid=a0-xyz"
    assert ask(gate(draining=True), "/socket.io/", query, method=method) is None


@pytest.mark.parametrize("path", ["/", "/slow", "/socket.iox", "/upload", "/api/socket.io/"])
def test_a_draining_worker_serves_all_other_http(path: str) -> None:
    assert ask(gate(draining=True), path) is None


def test_the_app_s_own_socketio_path_is_known() -> None:
    draining = gate(draining=True, path="/chat/ws/")
    assert ask(draining, "/chat/ws/", "EIO=4") == ("503", "draining")
    assert ask(draining, "/socket.io/", "EIO=4") is None


def test_an_answer_is_whole_and_never_cached() -> None:
    answer = gate().answer({"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"})
    assert answer is not None
    seen: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        seen.append((status, dict(headers)))

    body = answer(start_response)
    assert answer(start_response, body=False) == [b""]
    assert seen[0] == seen[1]
    status, headers = seen[0]
    assert status == "200 OK"
    assert headers["Content-Length"] == str(len(body[0])) == str(len(b'{"status": "ok"}\n'))
    assert headers["Cache-Control"] == "no-store"


def taken(*rules: str, prefix: str = "/", **options: object) -> list[str]:
    app = flask.Flask("shop", static_folder=None)
    for rule in rules:
        app.add_url_rule(rule, rule, lambda **_variables: "", **options)  # type: ignore[arg-type]
    ours, theirs = health_paths(app, prefix)
    assert {*ours, *theirs} == {f"{prefix}healthz", f"{prefix}readyz"}
    assert not ours.keys() & {*theirs}
    return theirs


def test_health_is_ours_where_the_app_claims_nothing() -> None:
    assert taken("/", "/health") == []
    assert health_paths(flask.Flask("shop"), "/-/") == (
        {"/-/healthz": False, "/-/readyz": True},
        [],
    )


@pytest.mark.parametrize("rule", ["/<path:page>", "/<page>", "/<string(length=7):page>"])
def test_a_catch_all_is_no_claim(rule: str) -> None:
    assert taken(rule) == []


def test_an_app_s_own_route_stays_the_app_s() -> None:
    assert taken("/healthz") == ["/healthz"]
    assert taken("/healthz", "/<path:page>") == ["/healthz"]
    assert taken("/-/readyz", prefix="/-/") == ["/-/readyz"]


def test_a_route_with_a_slash_at_its_end_is_the_app_s_too() -> None:
    assert taken("/healthz/") == ["/healthz"]


def test_a_route_with_defaults_is_the_app_s_too() -> None:
    assert taken("/healthz", defaults={"deep": False}) == ["/healthz"]


@pytest.mark.parametrize("method", ["POST", "DELETE", "PURGE"])
def test_a_route_for_other_methods_is_the_app_s_too(method: str) -> None:
    assert taken("/healthz", methods=[method]) == ["/healthz"]


def test_a_route_for_other_methods_is_found_behind_a_catch_all() -> None:
    app = flask.Flask("shop", static_folder=None)
    app.add_url_rule("/<path:page>", "page", lambda page: page)
    app.add_url_rule("/healthz", "report", lambda: "", methods=["POST"])
    assert health_paths(app, "/") == ({"/readyz": True}, ["/healthz"])


def test_readiness_is_asked_anew_each_time() -> None:
    states = [True]
    made = Gate(socketio_path="/socket.io/", health=HEALTH, is_live=lambda: states[-1])
    assert ask(made, "/readyz") == ("200", "ready")
    states.append(False)
    assert ask(made, "/readyz") == ("503", "message queue lost")
