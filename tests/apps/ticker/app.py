"""Prices as they come: background tasks, and questions that clients answer."""

from gevent import monkey

monkey.patch_all()

import itertools  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402

from flask import Flask, Response, jsonify, request  # noqa: E402
from flask_socketio import SocketIO, emit, join_room  # noqa: E402
from socketio.exceptions import TimeoutError  # noqa: E402

app = Flask(__name__)
app.config["SECRET_KEY"] = "buy-low-sell-high"
socketio = SocketIO(
    app, path="/live/socket.io", message_queue=os.environ.get("TICKER_QUEUE"), ping_interval=10
)

clock = None
clock_lock = threading.Lock()


def tick() -> None:
    for count in itertools.count(1):
        socketio.sleep(0.1)
        socketio.emit("tick", {"count": count, "pid": os.getpid()})


@socketio.on("connect")
def start_clock() -> None:
    global clock
    with clock_lock:
        if clock is None:
            clock = socketio.start_background_task(tick)


@app.post("/trades")
def trade_over_http() -> Response:
    price = {"symbol": request.form["symbol"], "price": float(request.form["price"])}
    socketio.emit("price", price, to=price["symbol"])
    return jsonify(price)


@socketio.on("watch")
def watch(symbol: str) -> dict[str, str]:
    join_room(symbol)
    return {"watching": symbol}


@socketio.on("trade")
def trade(symbol: str, price: float) -> tuple[str, float]:
    emit("price", {"symbol": symbol, "price": price}, to=symbol)
    return symbol, price


def work_out(sid: str, steps: int) -> None:
    for step in range(1, steps + 1):
        socketio.emit("progress", step, to=sid)
        socketio.sleep(0.02)
    socketio.emit("report", {"steps": steps}, to=sid)


@socketio.on("report")
def start_report(steps: int) -> dict[str, bool]:
    socketio.start_background_task(work_out, request.sid, steps)
    return {"started": True}


@socketio.on("survey")
def survey(sid: str, question: str) -> dict[str, object]:
    """Ask another client and wait for its answer."""
    try:
        return {"answer": socketio.call("question", question, to=sid, timeout=20)}
    except TimeoutError:
        return {"answer": None}


@socketio.on("hurry")
def hurry(sid: str) -> dict[str, bool]:
    """Ask with little patience."""
    try:
        socketio.call("question", "quick!", to=sid, timeout=0.3)
    except TimeoutError:
        return {"gave_up": True}
    return {"gave_up": False}


@socketio.on("poke")
def poke(sid: str) -> None:
    """Tell the poker what the poked one's acknowledgement said."""

    def seen(word: str, number: int) -> None:
        emit("poke_seen", {"word": word, "number": number})

    emit("poked", {"by": request.sid}, to=sid, callback=seen)


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
