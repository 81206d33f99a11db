"""Keep what a run leaves for a look at what went wrong: each record, and the cluster's log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.crowd import See
from tests.integration.cluster import Cluster


@contextmanager
def kept_records(folder: Path | None, see: See) -> Iterator[See]:
    """Each record goes to `records.jsonl` before it is seen; an hour has gigabytes."""
    if folder is None:
        yield see
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "records.jsonl").open("w") as file:

        def write(record: list[Any]) -> None:
            file.write(f"{json.dumps(record)}\n")
            see(record)

        yield write


@contextmanager
def kept_log(folder: Path | None, cluster: Cluster) -> Iterator[None]:
    """What the cluster has written by the end of the block, in `cluster.log`."""
    try:
        yield
    finally:
        if folder is not None:
            (folder / "cluster.log").write_text(cluster.log())
