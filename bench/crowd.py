"""Many clients in one thread: connect them, let them talk at a steady rate, count what arrives."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.client import Client, State, acked_number, ask_frame, said_number, say_frame

AT_ONCE = 32  # half-open connections; more would measure the accept queue
SECONDS_TO_CONNECT = 30.0
SECONDS_TO_ARRIVE = 5.0
SECONDS_FOR_DOUBLES = 0.02  # what comes once too often comes late
PADDING = "x" * 56


class LoadError(Exception):
    """The server did not do its part: nothing of this measurement counts."""


@dataclass(slots=True)
class Talk:
    """What one time of talking came to."""

    expected: int = 0
    delivered: int = 0
    wrong: int = 0  # messages that not exactly the members of their room got
    latencies: list[float] = field(default_factory=list)  # seconds from say to shown, sorted
    acks: list[float] = field(default_factory=list)  # seconds from say to its ack, sorted

    def complete(self) -> bool:
        return self.delivered == self.expected and self.wrong == 0


class Crowd:
    """Clients 0…n-1. `room_of` numbers their rooms in blocks of neighbours: a balancer that deals
    clients out in turn then has every room on every worker.

    `port_of` gives the port that a client connects to, by its number.
    """

    def __init__(self, port_of: Callable[[int], int], *, recovers: bool = False) -> None:
        self._port_of = port_of
        self._recovers = recovers
        self._clients: list[Client] = []
        self._poll = select.epoll()
        self._by_fd: dict[int, Client] = {}
        self._sent: dict[int, float] = {}
        self._got: dict[int, int] = {}
        self._latencies: list[float] = []
        self._acks: list[float] = []
        self._next_number = 1
        self._rooms, self._prefix = 1, "room"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        self._poll.close()

    def connect(self, count: int) -> None:
        """Open `count` clients more, a few at once; back when all have their namespace."""
        deadline = time.monotonic() + SECONDS_TO_CONNECT
        goal = len(self._clients) + count
        connected = len(self._clients)
        while connected < goal:
            while len(self._clients) < min(goal, connected + AT_ONCE):
                port = self._port_of(len(self._clients))
                self._add(Client(port, recovers=self._recovers))
            self._turn(deadline - time.monotonic(), words="connect")
            connected = self._count(State.CONNECTED, State.JOINED)

    def join(self, rooms: int, *, prefix: str = "room") -> None:
        """Everybody joins the room of their block. `prefix` tells rooms of one crowd from those of
        another that has just gone, which a server may still know."""
        self._rooms, self._prefix = rooms, prefix
        for index, client in enumerate(self._clients):
            client.join(self._room_name(index))
        deadline = time.monotonic() + SECONDS_TO_CONNECT
        while self._count(State.JOINED) < len(self._clients):
            self._turn(deadline - time.monotonic(), words="join")

    def talk(
        self, *, rate: float, seconds: float, acked: bool = False, direct: bool = False
    ) -> Talk:
        """Say at a steady rate, each time somebody else, whatever the server manages; then wait
        for what is still on its way. `direct`: not to the room, the server answers who says it."""
        self._sent, self._got, self._latencies, self._acks = {}, {}, [], []
        start = time.monotonic()
        for turn in range(round(rate * seconds)):
            self._listen_until(start + turn / rate)
            self._say(turn, acked=acked, direct=direct)
        receivers = 1 if direct else self._members()
        return self._result(receivers, acks=len(self._sent) if acked else 0)

    def _room_of(self, index: int) -> int:
        return index * self._rooms // len(self._clients)

    def _room_name(self, index: int) -> str:
        return f"{self._prefix}{self._room_of(index)}"

    def _members(self) -> int:
        return len(self._clients) // self._rooms

    def _add(self, client: Client) -> None:
        self._clients.append(client)
        self._by_fd[client.fileno()] = client
        self._poll.register(client.fileno(), select.EPOLLIN)

    def _count(self, *states: State) -> int:
        return sum(client.state in states for client in self._clients)

    def _turn(self, patience: float, *, words: str) -> None:
        """Read once; raises LoadError when time is up or a client has gone."""
        if patience <= 0:
            raise LoadError(f"the clients took too long to {words}")
        self._read(patience)
        if gone := self._count(State.GONE):
            raise LoadError(f"{gone} clients were cut off when they wanted to {words}")

    def _say(self, turn: int, *, acked: bool, direct: bool) -> None:
        # Neighbours share a room: stepping through rooms first spreads the work.
        members = self._members()
        index = (turn % self._rooms) * members + turn // self._rooms % members
        number, self._next_number = self._next_number, self._next_number + 1
        if direct:
            frame = ask_frame(number, PADDING, acked=acked)
        else:
            frame = say_frame(self._room_name(index), number, PADDING, acked=acked)
        self._sent[number] = time.monotonic()
        self._clients[index].say(frame)

    def _listen_until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> None:
        for fd, _ in self._poll.poll(max(0.0, seconds)):
            client = self._by_fd[fd]
            self._note(client.receive())
            if client.state is State.GONE:
                del self._by_fd[fd]

    def _note(self, packets: list[bytes]) -> None:
        now = time.monotonic()
        for packet in packets:
            is_ack = packet.startswith(b"43")
            number = acked_number(packet) if is_ack else said_number(packet)
            if number not in self._sent:
                continue
            if is_ack:
                self._acks.append(now - self._sent[number])
            else:
                self._got[number] = self._got.get(number, 0) + 1
                self._latencies.append(now - self._sent[number])

    def _result(self, receivers: int, *, acks: int) -> Talk:
        expected = len(self._sent) * receivers
        self._wait_for(lambda: len(self._latencies) >= expected and len(self._acks) >= acks)
        self._read(SECONDS_FOR_DOUBLES)
        wrong = sum(self._got.get(number, 0) != receivers for number in self._sent)
        if len(self._acks) != acks:
            raise LoadError(f"{len(self._acks)} of {acks} messages were acknowledged")
        delivered = len(self._latencies)
        return Talk(expected, delivered, wrong, sorted(self._latencies), sorted(self._acks))

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS_TO_ARRIVE
        while not condition() and time.monotonic() < deadline:
            self._read(0.05)
