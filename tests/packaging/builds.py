"""The tree that a build starts from, as a copy: a build leaves files of its own beside it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("siocluster", "chatapp", "static", "tools", "locks")
FILES = ("pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "CHANGELOG.md")
UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc")


def copy_tree(copy: Path) -> Path:
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=UNWANTED)
    for name in FILES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    return copy


def build(kind: str, *, tree: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Call the backend's hook for `kind` as a front end does: in the tree, in a process."""
    into.mkdir(exist_ok=True)
    code = f"import build_backend; build_backend.build_{kind}({str(into)!r})"
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'tools'); {code}"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
    )
