"""Does in one handler what a client tells it: `do [[operation, arguments, keywords], …]`.

The acknowledgement holds what each operation gave, `{"raised": …, "words": …}` where one raised;
the next one is done all the same. With SWITCHBOARD_JOURNAL, lives are written to that file, one
JSON line each, by whichever worker has them.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import flask_socketio  # noqa: E402
from flask import Flask, request, session  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

NAMESPACES = ("/", "/other")
JOURNAL = os.environ.get("SWITCHBOARD_JOURNAL")

app = Flask(__name__)
app.secret_key = "the-same-in-every-worker"
socketio = SocketIO(app, message_queue=os.environ.get("SWITCHBOARD_QUEUE"))


def emit(event: str, *args: Any, **more: Any) -> None:
    flask_socketio.emit(event, args, **more)


def emit_outside(event: str, *args: Any, **more: Any) -> None:
    """As a background task would; to everybody where nobody is named."""
    socketio.emit(event, args, **more)


def emit_large(event: str, text: str, size: int, **more: Any) -> None:
    """The text, and after it so many characters that the order need not bring along."""
    emit(event, text, "x" * size, **more)


def emit_several(event: str, *args: Any, to: list[Any], **more: Any) -> None:
    """To rooms and sids mixed."""
    namespace = more.pop("namespace", "/")
    socketio.server.emit(event, args, to=to, namespace=namespace, **more)


def ask(event: str, *args: Any, to: str, **more: Any) -> None:
    """The one who gave this order hears the answer as `answered`."""

    def tell(*answer: Any) -> None:
        emit("answered", *answer)

    emit(event, *args, to=to, callback=tell, **more)


def call(event: str, *args: Any, **more: Any) -> Any:
    """What the client answered: nothing, a value, or several in a tuple."""
    return socketio.call(event, args, **more)


def enter(sid: str, room: Any, namespace: str = "/") -> None:
    socketio.server.enter_room(sid, room, namespace=namespace)


def quit_room(sid: str, room: Any, namespace: str = "/") -> None:
    socketio.server.leave_room(sid, room, namespace=namespace)


def close_outside(room: Any, namespace: str = "/") -> None:
    socketio.close_room(room, namespace=namespace)


def remember(key: str, value: Any) -> None:
    session[key] = value


def remember_a_thing(key: str) -> None:
    """What no JSON can carry."""
    session[key] = object()


def recall(key: str) -> Any:
    return session.get(key)


def say_goodbye(seconds: float, orders: list[Any]) -> None:
    """What the `disconnect` handler of this client shall do."""
    session["goodbye"] = [seconds, orders]


OPERATIONS: dict[str, Callable[..., Any]] = {
    "emit": emit,
    "emit_outside": emit_outside,
    "emit_large": emit_large,
    "emit_several": emit_several,
    "ask": ask,
    "call": call,
    "join": flask_socketio.join_room,
    "leave": flask_socketio.leave_room,
    "close": flask_socketio.close_room,
    "close_outside": close_outside,
    "rooms": flask_socketio.rooms,
    "enter": enter,
    "quit": quit_room,
    "disconnect": flask_socketio.disconnect,
    "remember": remember,
    "remember_a_thing": remember_a_thing,
    "recall": recall,
    "say_goodbye": say_goodbye,
    "sleep": socketio.sleep,
}


def do(orders: list[Any]) -> list[Any]:
    return [outcome(*order) for order in orders]


def say(room: Any, text: str) -> str:
    """As plain as most handlers are: what its emit raises, it raises."""
    flask_socketio.emit("said", text, to=room)
    return "said"


def outcome(operation: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    try:
        return OPERATIONS[operation](*args, **keywords)
    except Exception as error:
        return {"raised": type(error).__name__, "words": str(error)}


def connect(auth: dict[str, Any] | None = None) -> None:
    write("connect", auth=auth)
    if auth and auth.get("refuse"):
        raise flask_socketio.ConnectionRefusedError("not you")
    do((auth or {}).get("orders", []))
    write("connected")


def disconnect(reason: str) -> None:
    write("disconnect", reason=reason)
    seconds, orders = session.get("goodbye", [0, []])
    socketio.sleep(seconds)
    do(orders)
    write("disconnected")


def write(what: str, **more: Any) -> None:
    if JOURNAL is None:
        return
    entry = {"what": what, "sid": request.sid, "pid": os.getpid(), "time": time.monotonic()}
    with open(JOURNAL, "a") as journal:
        journal.write(json.dumps({**entry, "namespace": request.namespace, **more}) + "\n")


for namespace in NAMESPACES:
    socketio.on_event("do", do, namespace=namespace)
    socketio.on_event("say", say, namespace=namespace)
    socketio.on_event("connect", connect, namespace=namespace)
    socketio.on_event("disconnect", disconnect, namespace=namespace)


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
