"""`make lock`: pins every package again, Python's with uv and JavaScript's with npm.

The lock files hold names, versions and hashes, and no addresses: any registry or mirror will do.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = {
    "run": ["pyproject.toml", "--extra", "embedded", "--group", "build"],
    "test": ["pyproject.toml", "--all-extras", "--group", "build", "-c", "locks/run.txt"],
    "node": ["--group", "node", "-c", "locks/test.txt"],
}
NPM_FOLDERS = ["tools/page", "tools/chromium", "tests/js"]


def main() -> None:
    for name, sources in PYTHON_LOCKS.items():
        _lock_python(f"locks/{name}.txt", sources)
    for folder in NPM_FOLDERS:
        _lock_npm(folder)


def _lock_python(lock: str, sources: list[str]) -> None:
    options = "--quiet --upgrade --universal --python-version 3.11 --generate-hashes"
    plain = "--no-header --no-annotate --no-emit-index-url"
    compile_with_uv = [sys.executable, "-m", "uv", "pip", "compile"]
    _run([*compile_with_uv, *options.split(), *plain.split(), *sources, "-o", lock])


def _lock_npm(folder: str) -> None:
    (ROOT / folder / "package-lock.json").unlink(missing_ok=True)
    plain = "--package-lock-only --omit-lockfile-registry-resolved --ignore-scripts"
    _run(["npm", "install", "--prefix", folder, *plain.split(), "--no-audit", "--no-fund"])


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
