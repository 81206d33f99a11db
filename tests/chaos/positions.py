"""A position's place in the one order of the cluster, as an integer that can be compared."""

from __future__ import annotations

NUMBER_BITS = 52


class BadPosition(ValueError):
    """Not `number-epoch`; the message shows what came instead."""


class Epochs:
    """Turns positions (`4711-k3f9ab2c`) into ranks and back.

    A rank rises with the number, and from an epoch to the one that was met after it.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._starts: dict[str, int] = {}

    def rank(self, position: object) -> int:
        """Raises BadPosition."""
        number, epoch = _parts(position)
        start = self._starts.get(epoch)
        if start is None:
            start = self._starts[epoch] = len(self._names) << NUMBER_BITS
            self._names.append(epoch)
        return start + number

    def text(self, rank: int) -> str:
        return f"{rank % (1 << NUMBER_BITS)}-{self._names[rank >> NUMBER_BITS]}"

    def __len__(self) -> int:
        """How many epochs have been met."""
        return len(self._names)


def start_of_epoch(rank: int) -> int:
    """The rank of number 0 in the same epoch."""
    return rank >> NUMBER_BITS << NUMBER_BITS


def _parts(position: object) -> tuple[int, str]:
    if isinstance(position, str):
        number, dash, epoch = position.partition("-")
        if dash and epoch and number.isdecimal() and int(number) < 1 << NUMBER_BITS:
            return int(number), epoch
    raise BadPosition(f"{position!r} is no position")
