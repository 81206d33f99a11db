"""What people do in a lesson."""

import functools
import os
from collections.abc import Callable

from flask import request, session
from flask_login import current_user
from flask_socketio import (
    ConnectionRefusedError,
    Namespace,
    disconnect,
    emit,
    join_room,
    leave_room,
)

from .extensions import socketio


def people_only(handler: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(handler)
    def guarded(*arguments: object) -> object:
        if not current_user.is_authenticated:
            disconnect()
            return None
        return handler(*arguments)

    return guarded


@socketio.on("connect")
def welcome() -> None:
    emit("welcome", {"name": getattr(current_user, "id", None), "pid": os.getpid()})


@socketio.on("ask")
@people_only
def ask(question: str) -> dict[str, str]:
    return {"asked": question, "by": current_user.id}


@socketio.on_error_default
def explain(error: Exception) -> dict[str, str]:
    emit("problem", {"event": request.event["message"], "error": type(error).__name__})
    return {"error": str(error)}


class Lesson(Namespace):
    """One lesson is one room; who is not logged in does not get in."""

    def on_connect(self, auth: object = None) -> None:
        if not current_user.is_authenticated:
            raise ConnectionRefusedError("log in first")

    def on_join(self, lesson: str) -> dict[str, str]:
        join_room(lesson)
        session["lesson"] = lesson
        emit("joined", {"name": current_user.id, "sid": request.sid}, to=lesson)
        return {"lesson": lesson}

    def on_leave(self) -> None:
        lesson = session.pop("lesson")
        leave_room(lesson)
        emit("left", {"name": current_user.id}, to=lesson)

    def on_say(self, text: str) -> dict[str, bool]:
        emit("said", {"name": current_user.id, "text": text}, to=session["lesson"])
        return {"said": True}

    def on_note(self, text: str) -> int:
        session["notes"] = [*session.get("notes", []), text]
        return len(session["notes"])

    def on_notes(self) -> list[str]:
        return session.get("notes", [])

    def on_colour(self, colour: str) -> None:
        session["colour"] = colour

    def on_me(self) -> dict[str, object]:
        return {
            "name": current_user.id,
            "role": session["role"],
            "colour": session.get("colour"),
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
        }

    def on_divide(self, dividend: int, divisor: int) -> float:
        return dividend / divisor

    def on_excuse(self) -> None:
        disconnect()

    def on_expel(self, sid: str) -> dict[str, bool]:
        if session["role"] != "teacher":
            raise PermissionError("only a teacher may")
        disconnect(sid=sid)
        return {"expelled": True}

    def on_disconnect(self, reason: str) -> None:
        if "lesson" in session:
            emit("left", {"name": current_user.id, "reason": reason}, to=session["lesson"])


socketio.on_namespace(Lesson("/lesson"))
