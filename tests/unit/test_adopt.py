"""A loaded app becomes one of several: ids, counts, queue, and a digest that gives nothing away."""

from __future__ import annotations

import re

import flask
import flask_socketio
import pytest
import socketio as python_socketio

from siocluster.worker import adopt
from siocluster.worker.heartbeat import Clients


def made(**options: object) -> flask_socketio.SocketIO:
    return flask_socketio.SocketIO(flask.Flask("shop"), async_mode="gevent", **options)


def app_with(secret: str | bytes | None) -> flask.Flask:
    app = flask.Flask("shop")
    app.secret_key = secret
    return app


# Session ids


def test_every_id_names_node_and_slot_and_no_two_are_alike() -> None:
    server = made().server
    adopt.prefix_session_ids(server, node="b2c", slot=17)
    ids = {server.eio.generate_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"b2c17-[A-Za-z0-9_-]{20}", made_id) for made_id in ids)


def test_the_socketio_layer_s_ids_have_the_prefix_too() -> None:
    server = made().server
    adopt.prefix_session_ids(server, node="a", slot=0)
    server.manager.set_server(server)
    assert server.manager.connect("eio", "/").startswith("a0-")


# Counts


def test_sessions_are_counted_and_the_stock_handlers_still_run() -> None:
    server, clients = made().server, Clients()
    seen: list[str] = []
    server.eio.on("connect", lambda eio_sid, environ: seen.append(f"+{eio_sid}"))
    server.eio.on("disconnect", lambda eio_sid, reason: seen.append(f"-{eio_sid} {reason}"))
    adopt.count_clients(server, clients)
    server.eio.handlers["connect"]("one", {})
    server.eio.handlers["connect"]("two", {})
    server.eio.handlers["disconnect"]("one", "transport close")
    assert (clients.connects, clients.disconnects) == (2, 1)
    assert seen == ["+one", "+two", "-one transport close"]
    assert clients.changed.is_set()


def test_an_app_s_connect_answer_reaches_the_engine() -> None:
    server = made().server
    server.eio.on("connect", lambda _eio_sid, _environ: False)
    adopt.count_clients(server, Clients())
    assert server.eio.handlers["connect"]("one", {}) is False


def test_more_disconnects_than_connects_count_as_none() -> None:
    clients = Clients()
    clients.disconnected()
    clients.connected()
    assert (clients.connects, clients.disconnects) == (1, 0)
    clients.disconnected()
    clients.disconnected()
    assert (clients.connects, clients.disconnects) == (1, 1)


# The app's own queue


def test_an_app_without_a_queue_has_none() -> None:
    app = made()
    assert adopt.own_queue(app) is None
    assert adopt.foreign_queue(app) is None


def test_an_app_s_own_redis_is_found_with_its_channel() -> None:
    app = made(message_queue="redis://127.0.0.1:1/5", channel="shop-events")
    assert adopt.own_queue(app) == adopt.AppQueue("redis://127.0.0.1:1/5", "shop-events")
    assert adopt.foreign_queue(app) is None


def test_an_app_s_queue_that_is_not_redis_is_named() -> None:
    class Rabbit(python_socketio.PubSubManager):  # type: ignore[misc]
        name = "rabbit"

    app = made(client_manager=Rabbit())
    assert adopt.own_queue(app) is None
    assert adopt.foreign_queue(app) == "rabbit"


# The secret's digest


def test_equal_secrets_have_equal_digests_within_a_cluster_only() -> None:
    digest = adopt.secret_digest(app_with("key"), cluster_key="k")
    assert digest == adopt.secret_digest(app_with(b"key"), cluster_key="k")
    assert digest != adopt.secret_digest(app_with("other"), cluster_key="k")
    assert digest != adopt.secret_digest(app_with("key"), cluster_key="another")
    assert "key" not in digest and len(digest) == 64


@pytest.mark.parametrize("secret", [None, "", b""])
def test_an_app_without_a_secret_has_no_digest(secret: str | bytes | None) -> None:
    assert adopt.secret_digest(app_with(secret), cluster_key="k") == ""


def test_without_a_cluster_there_is_no_digest() -> None:
    assert adopt.secret_digest(app_with("key"), cluster_key="") == ""
