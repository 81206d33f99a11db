"""Emits from outside: stock processes with `message_queue=` publish on one channel for everything.

The leader listens there and puts what it hears on the road, so that each is numbered once.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

from socketio.packet import Packet

from siocluster.bus import leader
from siocluster.bus.leader import Leadership
from siocluster.bus.manager import RoomBusManager

log = logging.getLogger(__name__)


class Outside:
    def __init__(self, manager: RoomBusManager, leadership: Leadership) -> None:
        self._manager = manager
        self._leadership = leadership

    def heard(self, data: bytes) -> None:
        """One message of python-socketio's; whatever is wrong with it is logged and left.

        It goes under the leader's token: one that slept hears late what its successor has heard.
        """
        leader.act_under(self._leadership.token)
        try:
            message = json.loads(data)
            if isinstance(message, dict) and message.get("host_id") != self._manager.host_id:
                self._act(message)
        except Exception as error:
            log.warning("Leaves out what came over the message queue: %s", error)

    def _act(self, message: dict[str, Any]) -> None:
        manager, method = self._manager, message.get("method")
        sid, namespace = message.get("sid", ""), message.get("namespace") or "/"
        if method == "emit":
            self._emit(message, namespace)
        elif method == "disconnect":
            manager.server.disconnect(sid, namespace=namespace)
        elif method == "enter_room":
            manager.enter_room(sid, namespace, message.get("room"))
        elif method == "leave_room":
            manager.leave_room(sid, namespace, message.get("room"))
        elif method == "close_room":
            manager.close_room(message.get("room"), namespace)

    def _emit(self, message: dict[str, Any], namespace: str) -> None:
        data = message["data"]
        if message.get("binary"):
            attachments = [base64.b64decode(one) for one in data[1:]]
            data = Packet.reconstruct_binary(data[0], attachments)
        self._manager.emit(
            message["event"],
            tuple(data) if isinstance(data, list) else data,
            namespace,
            room=message.get("room"),
            skip_sid=message.get("skip_sid"),
        )
