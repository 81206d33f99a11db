"""What listeners heard, held against what speakers were told is stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

from tests.apps.checks.puppets import Puppet, fence

SAID = "said"


class Heard(Protocol):
    """A client, or the log that one has left."""

    @property
    def name(self) -> str: ...

    def heard(self, event: str) -> list[list[Any]]: ...


@dataclass(slots=True)
class Told:
    """What came of one speaker's talk: texts that were acknowledged, and refused with why."""

    name: str
    acked: list[str] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)


def hush(speakers: Sequence[Puppet], listeners: Sequence[Puppet]) -> list[Told]:
    """Let the speakers end, and wait until all that they said has arrived."""
    told = [Told(speaker.name, **speaker.tell("hush")) for speaker in speakers]
    for speaker in speakers:
        fence(listeners, by=speaker, word=uuid.uuid4().hex)
    return told


def check_heard(listener: Heard, told: Sequence[Told]) -> None:
    """Each acknowledged text once, and nothing twice or out of its speaker's order."""
    heard = [str(text) for text, *_ in listener.heard(SAID)]
    for speaker in told:
        mine = [text for text in heard if text.rpartition(" ")[0] == speaker.name]
        numbers = [int(text.rpartition(" ")[2]) for text in mine]
        wrong = [(a, b) for a, b in pairwise(numbers) if b <= a]
        assert not wrong, f"{listener.name} heard {speaker.name} doubled or out of order: {wrong}"
        missing = [text for text in speaker.acked if text not in set(mine)]
        assert not missing, (
            f"{listener.name} missed {len(missing)} of {len(speaker.acked)} acknowledged: "
            f"{missing[:5]}"
        )


def check_same_order(listeners: Sequence[Heard]) -> None:
    """All that were there for all of it heard one sequence."""
    sequences = {tuple(text for text, *_ in listener.heard(SAID)) for listener in listeners}
    assert len(sequences) == 1, "the listeners heard different sequences"
