"""One bell for the whole town: whoever leads rings it, and the tower's log tells who did."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

from siocluster import cluster, rooms  # noqa: E402
from siocluster.bus import leader  # noqa: E402

PAUSE = 0.02
PULL = 0.2  # long beside the pause: what befalls a leader mostly falls between decision and deed

app = Flask(__name__)
socketio = SocketIO(app)


@cluster.every(PAUSE)
def ring() -> None:
    socketio.sleep(PULL)
    rooms.store("rang", {"pid": os.getpid(), "token": leader.token()}, "tower")


@app.get("/leads")
def leads() -> str:
    return "yes" if cluster.is_leader() else "no"


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
