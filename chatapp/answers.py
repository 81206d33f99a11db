"""What every handler of the chat has in common: its pace, its answer, its refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_socketio import emit

from siocluster.rooms import NotStoredError, SioclusterError

from .pace import TooFast, pace_of
from .rules import Refused

Answer = dict[str, Any]
log = logging.getLogger(__name__)


def answered(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Makes a handler's result, or its refusal, into the answer of the wire."""

    @wraps(handler)
    def answer(*arguments: Any) -> Answer:
        try:
            pace_of(request.environ).keep(handler.__name__)
            return {"ok": True, **handler(*arguments)}
        except Refused as refusal:
            return refused(refusal)
        except SioclusterError as error:
            log.warning("%s could not be answered: %s", handler.__name__, error)
            return not_now(error)

    return answer


def refused(refusal: Refused) -> Answer:
    told: Answer = {"ok": False, "code": refusal.code, "error": str(refusal)}
    is_news = True
    if isinstance(refusal, TooFast):
        told["retry_after"] = refusal.retry_after
        # A flood must not become a flood of events that are stored for its sender.
        is_news = refusal.is_first
    if is_news:
        tell_sender(told)
    return told


def not_now(error: SioclusterError) -> Answer:
    """As the ack alone: an event to the sender would wait for the store that failed just now."""
    return {
        "ok": False,
        "code": "not_stored" if isinstance(error, NotStoredError) else "unavailable",
        "error": "The chat cannot do this just now. Try again in a moment.",
    }


def tell_sender(told: Answer) -> None:
    try:
        emit("refused", told)
    except SioclusterError as error:
        log.warning("a refusal could not be told: %s", error)
