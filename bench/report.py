"""Results as JSON: where, what, each row, and each reading that it comes from."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.suite import Quantity
from bench.summary import Row, Sample

PACKAGES = ("flask", "flask-socketio", "python-socketio", "python-engineio", "gevent")


def machine() -> dict[str, object]:
    """Cores and versions; nothing that names the machine."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def write(
    path: Path,
    *,
    plan: Any,
    tables: Mapping[Quantity, Sequence[Row]],
    samples: Sequence[Sample],
) -> None:
    """All values in SI units: seconds and bytes. `plan` is a dataclass."""
    document = {
        "machine": machine(),
        "plan": asdict(plan),
        "quantities": [
            {"key": quantity.key, "title": quantity.title, "rows": [asdict(row) for row in rows]}
            for quantity, rows in tables.items()
        ],
        "samples": [asdict(sample) for sample in samples],
    }
    path.write_text(json.dumps(document, indent=1, default=dict) + "\n")
