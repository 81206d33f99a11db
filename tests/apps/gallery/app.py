"""Pictures: binary events in several namespaces, uploads, and a room that is closed."""

import hashlib
import os
from collections.abc import Iterator

from flask import Flask, Response, jsonify, request, send_from_directory
from flask_socketio import SocketIO, emit

app = Flask(__name__)
app.secret_key = "do-not-touch-the-paintings"
socketio = SocketIO(app, max_http_buffer_size=5_000_000)

CHUNK = 64 * 1024
THUMBNAIL = 64


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@app.get("/")
def entrance() -> Response:
    return send_from_directory(app.static_folder, "gallery.html")


@app.post("/pictures")
def receive_picture() -> Response:
    digest, size = hashlib.sha256(), 0
    while chunk := request.stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return jsonify(sha256=digest.hexdigest(), size=size, pid=os.getpid())


@app.get("/pictures/<int:size>")
def send_picture(size: int) -> Response:
    def chunks() -> Iterator[bytes]:
        for start in range(0, size, CHUNK):
            yield bytes(min(CHUNK, size - start))

    return Response(chunks(), mimetype="image/png")


@app.route("/closed", methods=["GET", "POST"])
def closed_room() -> tuple[str, int]:
    """Says no, and keeps a count of how often it was asked."""
    with open(os.environ["GALLERY_CLOSED_LOG"], "a") as log:
        log.write(f"{request.method} {os.getpid()}\n")
    return "This room is being painted.", 503


@app.get("/visitor")
def visitor() -> Response:
    return jsonify(
        address=request.remote_addr, scheme=request.scheme, host=request.host, pid=os.getpid()
    )


@socketio.on("connect")
def at_the_door() -> None:
    emit("visitor", {"address": request.remote_addr, "scheme": request.scheme})


@socketio.on("connect", namespace="/upload")
def at_the_desk() -> None:
    emit("ready", {"pid": os.getpid()})


@socketio.on("picture", namespace="/upload")
def picture(name: str, data: bytes) -> dict[str, object]:
    thumbnail = {"name": name, "data": data[:THUMBNAIL][::-1]}
    emit("thumbnail", thumbnail, namespace="/thumbnails", broadcast=True)
    return {"size": len(data), "sha256": sha256(data)}


@socketio.on("album", namespace="/upload")
def album(pictures: list[dict[str, bytes]]) -> list[dict[str, object]]:
    return [{"sha256": sha256(each["data"]), "data": each["data"]} for each in pictures]


@socketio.on("connect", namespace="/thumbnails")
def at_the_wall() -> None:
    emit("wall", {"thumbnails": THUMBNAIL})


@socketio.on("echo", namespace="/thumbnails")
def echo(data: bytes) -> None:
    emit("echoed", data)


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
