"""A step of setup that is done once for each state of its inputs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools.setup.place import ROOT, VENV


@dataclass(frozen=True, slots=True)
class Step:
    """`inputs` are files whose bytes decide; `outputs` are files that must be there afterwards.

    It is marked after the work, so that what was interrupted is done again.
    """

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]

    def is_done(self) -> bool:
        try:
            marked = self._mark.read_text()
        except OSError:
            return False
        return marked == self._digest() and all(path.exists() for path in self.outputs)

    def mark_done(self) -> None:
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(self._digest())

    @property
    def _mark(self) -> Path:
        return VENV / "stamps" / self.name

    def _digest(self) -> str:
        # The folder counts: a virtual environment that was moved points at its old place.
        digest = hashlib.sha256(str(ROOT).encode())
        for path in self.inputs:
            digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
        return digest.hexdigest()
