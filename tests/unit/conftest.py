"""What several unit tests need: a free port, a listener on it, a slot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siocluster.address import Address
from siocluster.listeners import Listener
from siocluster.master.backoff import Backoff
from siocluster.master.slot import Slot
from tests.integration.waiting import free_ports


@pytest.fixture
def address() -> Address:
    """Loopback and a port that was free a moment ago."""
    return Address("127.0.0.1", free_ports(1)[0])


@pytest.fixture
def listener(address: Address) -> Iterator[Listener]:
    bound = Listener(address)
    yield bound
    bound.close()


@pytest.fixture
def slot(listener: Listener) -> Slot:
    """Spare; waits 1, 2, 4 … 30 s after short runs."""
    return Slot(0, listener, Backoff(1, 30, chance=lambda: 0.0), silence=7.5)
