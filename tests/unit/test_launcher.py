"""The hop from whatever interpreter was typed to one that has what is needed; real processes."""

import ast
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from siocluster import launcher

SCRIPT = """\
from siocluster.launcher import use_ready_interpreter
use_ready_interpreter()
import gevent, sys
print(sys.executable, *sys.argv[1:])
"""


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has Python's own library and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tree with the launcher and a script that uses it, and no `.venv` yet."""
    (tmp_path / "siocluster").mkdir()
    shutil.copy(launcher.__file__, tmp_path / "siocluster")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


def run(checkout: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60)


def test_interpreter_that_has_everything_is_used_as_it_is(checkout: Path) -> None:
    (checkout / ".venv").symlink_to("/nowhere")
    result = run(checkout, sys.executable, "script.py")
    assert (result.returncode, result.stdout) == (0, f"{sys.executable}\n")


def test_bare_interpreter_becomes_the_one_in_venv(checkout: Path, bare_python: Path) -> None:
    (checkout / ".venv").symlink_to(sys.prefix)
    result = run(checkout, bare_python, "script.py", "app:app", "--workers", "2")
    expected = f"{checkout}/.venv/bin/python app:app --workers 2\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


def test_the_hop_keeps_the_options_of_the_interpreter(checkout: Path, bare_python: Path) -> None:
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "script.py").write_text(SCRIPT + "print(sys.flags.dev_mode)\n")
    assert run(checkout, bare_python, "-X", "dev", "script.py").stdout.endswith("True\n")


def test_without_venv_it_says_what_to_type(checkout: Path, bare_python: Path) -> None:
    result = run(checkout, bare_python, "script.py")
    assert result.returncode == launcher.EXIT_USAGE
    assert "flask_socketio" in result.stderr
    assert f"Type this in {checkout}:  make setup" in result.stderr
    assert "Traceback" not in result.stderr


def test_venv_that_lacks_packages_does_not_go_round(checkout: Path, bare_python: Path) -> None:
    (checkout / ".venv").symlink_to(bare_python.parent.parent)
    result = run(checkout, bare_python, "script.py")
    assert result.returncode == launcher.EXIT_USAGE
    assert "make setup" in result.stderr


def test_interpreter_without_its_site_folder_does_not_go_round(checkout: Path) -> None:
    (checkout / ".venv").symlink_to(sys.prefix)
    result = run(checkout, sys.executable, "-S", "script.py")
    assert result.returncode == launcher.EXIT_USAGE


def test_interpreter_that_is_too_old_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "OLDEST", (sys.version_info.major, sys.version_info.minor + 1))
    monkeypatch.setattr(launcher, "ROOT", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        launcher.use_ready_interpreter()
    assert stop.value.code == launcher.EXIT_USAGE
    assert f"Python 3.{sys.version_info.minor + 1} or newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path", ["cluster.py", "fork_server.py", "siocluster/__init__.py", "siocluster/launcher.py"]
)
def test_what_an_old_interpreter_reads_is_written_for_it(path: str) -> None:
    source = (Path(__file__).parents[2] / path).read_text()
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source  # 3.6 does not know `annotations`


def test_launcher_leaves_the_worker_unpatched_modules_unimported(checkout: Path) -> None:
    code = "import siocluster.launcher, sys; print(sorted(sys.modules))"
    modules = ast.literal_eval(run(checkout, sys.executable, "-S", "-c", code).stdout)
    assert not {"socket", "ssl", "threading", "select", "subprocess", "gevent"} & set(modules)
