"""The run-dir: private, held by one master, indifferent to what a dead one left behind."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from siocluster.errors import BusyError, SettingsError
from siocluster.master import rundir
from siocluster.master.rundir import PID_FILE, is_data_dir, open_run_dir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_run_dir_is_private_ignored_by_git_and_holds_the_pid(tmp_path: Path) -> None:
    path = tmp_path / "a" / "run"
    run_dir = open_run_dir(path)
    try:
        assert mode(path) == 0o700
        assert mode(path / PID_FILE) == 0o600
        assert (path / PID_FILE).read_text() == f"{os.getpid()}\n"
        assert (path / ".gitignore").read_text().splitlines()[-1] == "*"
    finally:
        run_dir.close()
    assert not (path / PID_FILE).exists()


def test_a_second_master_is_refused_with_the_first_one_s_pid(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from siocluster.master.rundir import open_run_dir;"
        "held = open_run_dir(pathlib.Path(sys.argv[1])); print('held', flush=True);"
        "sys.stdin.read(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(rundir.__file__).parents[2],
    ) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"running master, pid {first.pid}") as caught:
            open_run_dir(tmp_path / "run")
        assert f"kill {first.pid}" in caught.value.hint
        first.kill()
    open_run_dir(tmp_path / "run").close()


def test_a_stale_pid_file_refuses_nobody(tmp_path: Path) -> None:
    (tmp_path / PID_FILE).write_text("99999999 and a long line of an older program\n")
    run_dir = open_run_dir(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    run_dir.close()


def test_a_stale_socket_refuses_nobody(tmp_path: Path) -> None:
    open_run_dir(tmp_path).close()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "redis.sock"))
    open_run_dir(tmp_path).close()


def test_a_pid_file_that_vanishes_between_open_and_lock_is_not_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, stock_flock = open_run_dir(tmp_path), fcntl.flock

    def flock_after_the_first_one_left(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", stock_flock)
        first.close()
        stock_flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock_after_the_first_one_left)
    second = open_run_dir(tmp_path)
    assert (tmp_path / PID_FILE).exists()
    with pytest.raises(BusyError):
        open_run_dir(tmp_path)
    second.close()


def test_a_folder_with_files_of_others_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    (path / ".gitignore").write_text("own\n")
    with pytest.raises(SettingsError, match="has files in it that are not siocluster's"):
        open_run_dir(path)
    assert mode(path) == 0o755
    assert [entry.name for entry in path.iterdir()] == [".gitignore"]
    assert (path / ".gitignore").read_text() == "own\n"


def test_a_data_dir_is_known_again_also_when_only_its_files_were_brought_back(
    tmp_path: Path,
) -> None:
    assert not is_data_dir(tmp_path)
    (tmp_path / "appendonlydir").mkdir()
    assert is_data_dir(tmp_path)


def test_an_empty_folder_and_one_of_an_earlier_start_become_private(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    open_run_dir(path).close()
    (path / "kept").write_text("x")
    path.chmod(0o755)
    open_run_dir(path).close()
    assert mode(path) == 0o700
    assert (path / "kept").read_text() == "x"


def test_a_run_dir_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(SettingsError, match=f"--run-dir {tmp_path / 'run'} cannot be used"):
        open_run_dir(tmp_path / "run")


def test_a_run_dir_that_cannot_be_made_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="--run-dir /proc/siocluster cannot be used") as caught:
        open_run_dir(Path("/proc/siocluster"))
    assert "may write" in caught.value.hint


def test_a_written_file_is_private_and_whole_or_old(tmp_path: Path) -> None:
    run_dir = open_run_dir(tmp_path)
    try:
        first = run_dir.write("nginx.conf", "old\n")
        with first.open() as reader:
            run_dir.write("nginx.conf", "new ✓\n")
            assert reader.read() == "old\n"
        assert first.read_text() == "new ✓\n"
        assert mode(first) == 0o600
        assert {entry.name for entry in tmp_path.iterdir()} == {
            "nginx.conf",
            PID_FILE,
            ".gitignore",
        }
    finally:
        run_dir.close()


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run-dir whose path no socket can have; temporary folders are made in the test's own."""
    monkeypatch.setattr(rundir.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path / ("d" * 60) / ("e" * 60)


def test_sockets_live_in_the_run_dir_where_its_path_is_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = open_run_dir(Path("run"))
    assert run_dir.sockets == run_dir.path
    run_dir.close()


def test_sockets_of_a_deep_run_dir_have_a_private_short_place(deep: Path) -> None:
    run_dir = open_run_dir(deep)
    assert run_dir.sockets != deep
    assert mode(run_dir.sockets) == 0o700
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(run_dir.sockets / "redis.sock"))
    run_dir.close()
    assert not run_dir.sockets.exists()


def test_two_deep_run_dirs_do_not_share_a_place_and_one_finds_its_own_again(deep: Path) -> None:
    one, other = open_run_dir(deep / "1"), open_run_dir(deep / "2")
    assert one.sockets != other.sockets
    one.close()
    again = open_run_dir(deep / "1")
    assert again.sockets == one.sockets
    again.close()
    other.close()


def test_a_link_that_somebody_laid_at_the_short_place_is_not_followed(
    deep: Path, tmp_path: Path
) -> None:
    run_dir = open_run_dir(deep)
    run_dir.close()
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    run_dir.sockets.symlink_to(victim)
    with pytest.raises(SettingsError, match="belongs to someone else"):
        open_run_dir(deep)
    assert mode(victim) == 0o755
