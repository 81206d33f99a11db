"""Who is who in a room."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """One joined connection. `id` is public and the same on every worker and after a reconnect."""

    id: str
    username: str
    roomid: str


def public_id(key: str) -> str:
    """The id others see, of a secret only its owner knows: nobody can speak with another's id."""
    return hashlib.blake2s(key.encode(), digest_size=9, person=b"chat-id").hexdigest()
