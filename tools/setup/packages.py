"""`.venv` and the Python packages in it, as the lock files name them."""

import importlib.util
import platform
import shutil
import sys
from pathlib import Path

from tools.setup.command import Stop, run
from tools.setup.place import LOCKS, PYTHON, ROOT, VENV
from tools.setup.step import Step

MAKE_VENV = Step("venv", inputs=(), outputs=(PYTHON,))
INSTALL_LIBRARY = Step(
    "library",
    inputs=(LOCKS / "run.txt", ROOT / "pyproject.toml", ROOT / "siocluster" / "__init__.py"),
    outputs=(VENV / "bin" / "siocluster",),
)
INSTALL_TEST_PACKAGES = Step(
    "test-packages", inputs=(LOCKS / "test.txt",), outputs=(VENV / "bin" / "pytest",)
)
NETWORK_HINT = "The Python package index must be reachable; then type the same command again."


def make_venv() -> None:
    if MAKE_VENV.is_done():
        return
    _require_ensurepip()
    shutil.rmtree(VENV, ignore_errors=True)
    run(
        [sys.executable, "-m", "venv", VENV],
        doing=f"Making .venv with Python {platform.python_version()} ({sys.executable})",
        hint=f"Debian, Ubuntu:  {_install_line()}",
    )
    MAKE_VENV.mark_done()


def install_library() -> None:
    """The library, editable, with its `embedded` extra."""
    if INSTALL_LIBRARY.is_done():
        return
    install_lock("run.txt", doing="Installing the Python packages that siocluster needs")
    pip_install(
        ["--no-deps", "--no-build-isolation", "--editable", ROOT],
        doing="Installing siocluster, editable",
    )
    INSTALL_LIBRARY.mark_done()


def install_test_packages() -> None:
    if INSTALL_TEST_PACKAGES.is_done():
        return
    install_lock("test.txt", doing="Installing the Python packages that the tests need")
    INSTALL_TEST_PACKAGES.mark_done()


def install_lock(name: str, *, doing: str) -> None:
    pip_install(["--require-hashes", "--requirement", LOCKS / name], doing=doing)


def pip_install(arguments: list[str | Path], *, doing: str) -> None:
    run([PYTHON, "-m", "pip", "install", *arguments], doing=doing, hint=NETWORK_HINT)


def _require_ensurepip() -> None:
    """Debian takes `ensurepip` out of its Python and ships it as a package of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        raise Stop(
            f"{sys.executable} cannot make a virtual environment: it has no ensurepip.",
            hint=f"Debian, Ubuntu:  {_install_line()}",
        )


def _install_line() -> str:
    name = Path(sys.executable).name
    return f"sudo apt-get install {'python3' if name == 'python' else name}-venv"
