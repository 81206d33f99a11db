"""Stock JavaScript clients that do what a test says: `tests/js/puppets.mjs` on strings."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.integration.javascript import SCRIPTS

WEBSOCKET = {"transports": ["websocket"]}
RECOVERY = {"recovery": "1"}  # what a page adds to its query to come back with nothing missed
PATIENT = {"reconnection": True, "reconnectionDelay": 20, "reconnectionDelayMax": 200}

Entry = list[Any]  # what a client saw: name, then arguments
Order = list[Any]  # what the switchboard shall do: operation, arguments, keywords


def order(operation: str, *args: object, **keywords: object) -> Order:
    """One operation of the switchboard."""
    return [operation, list(args), keywords]


@dataclass(frozen=True, slots=True)
class State:
    """A client as it is now; `pid` and `offset` only with connection state recovery."""

    id: str | None = None
    connected: bool = False
    recovered: bool = False
    pid: str | None = None
    offset: Any = None
    engine: str | None = None

    @property
    def slot(self) -> int:
        """Of the worker that serves it, which the Engine.IO id names."""
        assert self.engine
        return int(self.engine.partition("-")[0].removeprefix("a"))


@dataclass(frozen=True, slots=True)
class Puppet:
    """One client, by its name on the stage."""

    stage: Stage
    name: str

    def tell(self, what: str, **options: object) -> Any:
        return self.stage.tell(what, name=self.name, **options)

    def do(self, *orders: Order) -> list[Any]:
        """Orders to the server, all in one handler; what each gave."""
        outcomes: list[Any] = self.ask("do", list(orders))[0]
        return outcomes

    def ask(self, *args: object) -> list[Any]:
        """The acknowledgement's arguments."""
        answer: list[Any] = self.tell("ask", args=list(args))
        return answer

    def send(self, *orders: Order) -> None:
        """Orders to the server that nobody waits for."""
        self.tell("send", args=["do", list(orders)])

    def begin(self, *orders: Order) -> None:
        """Orders to the server, whose acknowledgement `answers` waits for."""
        self.tell("begin", args=["do", list(orders)])

    def answers(self) -> list[dict[str, Any]]:
        """`{"values": …}` or `{"error": …}` for all that was begun."""
        answers: list[dict[str, Any]] = self.tell("answers")
        return answers

    def state(self) -> State:
        return State(**self.tell("state"))

    @property
    def sid(self) -> str:
        """Its Socket.IO id now."""
        sid = self.state().id
        assert sid, f"{self.name} is not connected"
        return sid

    def log(self) -> list[Entry]:
        """All that it saw, from its first moment."""
        entries: list[Entry] = self.tell("log")
        return entries

    def heard(self, event: str) -> list[list[Any]]:
        """The arguments of each such event."""
        return [args for name, *args in self.log() if name == event]

    def wait(self, *entry: object, count: int = 1, seconds: float = 0) -> list[Entry]:
        """Its log, once so many entries begin so."""
        log: list[Entry] = self.tell("seen", entry=list(entry), count=count, seconds=seconds)
        return log

    def cut(self) -> None:
        """End the transport without a word."""
        self.tell("cut")

    def close(self) -> None:
        """Say goodbye."""
        self.tell("close")

    def connect(self) -> State:
        """Connect again by hand, until accepted, refused or cut off."""
        return State(**self.tell("connect"))

    def go_away(self) -> State:
        """Cut its transport, and say what it was before."""
        state, times = self.state(), len(self.heard("disconnect"))
        self.cut()
        self.wait("disconnect", count=times + 1)
        return state


@dataclass(frozen=True, slots=True)
class Stage:
    """The process in which the clients live."""

    process: subprocess.Popen[str]

    def tell(self, what: str, **options: object) -> Any:
        """Give one order and wait for its answer; an AssertionError with the stage's words."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(_packed({"order": what, **options})) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the stage has ended"}')
        assert "error" not in answer, answer["error"]
        return _unpacked(answer["ok"])

    def together(self, *orders: dict[str, object]) -> list[Any]:
        """Several orders at once; all answers."""
        answers: list[Any] = self.tell("together", orders=list(orders))
        return answers

    def open(self, name: str, url: str, **options: object) -> Puppet:
        """A client that has been accepted or refused; over WebSocket unless told otherwise."""
        self.tell("open", **{**WEBSOCKET, **options}, name=name, url=url)
        return Puppet(self, name)

    def clear(self) -> None:
        """Let all clients say goodbye."""
        self.tell("closeAll")


@contextmanager
def stage() -> Iterator[Stage]:
    node = shutil.which("node")
    assert node, "there is no node program: `make setup` says how to get one"
    process = subprocess.Popen(
        [node, str(SCRIPTS / "puppets.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Stage(process)
        finally:
            process.kill()


def fence(puppets: Sequence[Puppet], *, by: Puppet, word: object) -> None:
    """Wait until all have heard a broadcast of `by`: what it ordered before has arrived, too."""
    by.do(order("emit", "fence", word, broadcast=True))
    for puppet in puppets:
        puppet.wait("fence", word)


def _packed(value: Any) -> Any:
    """Bytes as JSON has them, and back."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    return [_packed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {key: _unpacked(item) for key, item in value.items()}
    return [_unpacked(item) for item in value] if isinstance(value, list) else value
