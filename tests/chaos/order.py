"""The one order: what each number of each room names, learnt from whoever sees it first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.chaos import says
from tests.chaos.lives import NOWHERE
from tests.chaos.positions import Epochs, start_of_epoch
from tests.chaos.room_book import Entry, RoomBook
from tests.chaos.says import UNKNOWN, Said, Says
from tests.chaos.strikes import Strikes
from tests.chaos.violations import Kind, Violations


class Order:
    """Numbers that two clients understand differently go to `violations`."""

    def __init__(
        self, rooms: Mapping[str, Sequence[int]], *, strikes: Strikes, violations: Violations
    ) -> None:
        self._strikes = strikes
        self._violations = violations
        self._names = list(rooms)
        self._epochs = Epochs()
        self.says = Says()
        self.highest = NOWHERE
        self.books = {
            name: RoomBook(name, members, survives=strikes.survives)
            for name, members in rooms.items()
        }

    def rank(self, position: object, at: float) -> int:
        """Raises BadPosition."""
        known = len(self._epochs)
        rank = self._epochs.rank(position)
        if known and len(self._epochs) > known and not any(self._strikes.losing(at)):
            words = f"{position} begins an epoch, yet Redis has lost nothing"
            self._violations.add(Kind.EPOCH, at, words)
        return rank

    def text(self, rank: int) -> str:
        """The position."""
        return self._epochs.text(rank)

    def room_of(self, said: Said) -> RoomBook:
        return self.books[self._names[said.room]]

    def learn(self, book: RoomBook, rank: int, message: str, at: float) -> Entry | None:
        """The entry; None when everybody is done with it."""
        said = says.read(message)
        known = said is not None and self._place(said, book, rank, message, at)
        self.highest = max(self.highest, rank)
        entry = book.learn(rank, message, at, known=known)
        if entry and entry.message != message:
            words = f"{self.text(rank)} is {entry.message} for one, {message} for another"
            self._violations.add(Kind.ORDER, at, words)
        return entry

    def _place(self, said: Said, book: RoomBook, rank: int, message: str, at: float) -> bool:
        """Whether the message was met at this rank before."""
        if self.room_of(said) is not book:
            self._violations.add(Kind.STRANGE, at, f"{message} was shown in {book.name}")
        before = self.says.rank(said)
        if before == rank:
            return True
        if before == UNKNOWN or start_of_epoch(before) < start_of_epoch(rank):
            self.says.place(said, rank)
        elif start_of_epoch(before) == start_of_epoch(rank):
            places = f"{self.text(before)} and {self.text(rank)}"
            words = f"{message} is stored twice in {book.name}: {places}"
            self._violations.add(Kind.DOUBLE, at, words)
        return False
