"""The command as a person types it: real processes, their output and their exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from siocluster import __version__, cli
from siocluster.address import Address
from siocluster.errors import EXIT_BUSY, EXIT_INTERNAL, EXIT_OK, EXIT_TARGET, EXIT_USAGE
from siocluster.listeners import Listener
from siocluster.options import OPTIONS
from tests.integration.waiting import SCALE, free_ports

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests" / "apps" / "broken"
SECONDS = 30 * SCALE
OURS = ("SIOCLUSTER_", "REDIS_URL", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")


@dataclass(frozen=True, slots=True)
class Shown:
    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "cluster.py"), *arguments]


def environ(**variables: str) -> dict[str, str]:
    """Ours without any setting of the person who runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return {**kept, "COLUMNS": "100", **variables}


@pytest.fixture
def type_(tmp_path: Path) -> Callable[..., Shown]:
    """Type a command in an empty folder; what came of it. A traceback is never right."""

    def run(*arguments: str, **variables: str) -> Shown:
        done = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environ(**variables),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Shown(done.returncode, done.stdout, done.stderr)

    return run


Type = Callable[..., Shown]


# Help


def test_help_shows_the_options_of_a_run_and_the_commands(type_: Type) -> None:
    shown = type_("--help")
    assert (shown.code, shown.err) == (EXIT_OK, "")
    for option in OPTIONS:
        assert option.flag in shown.out
    for word in ("--config", "--chdir", "check", "nginx", "TARGET"):
        assert word in shown.out


@pytest.mark.parametrize("name", ["run", "check", "nginx"])
def test_each_command_has_help_of_its_own(type_: Type, name: str) -> None:
    shown = type_(name, "--help")
    assert shown.code == EXIT_OK
    assert "--base-port" in shown.out
    assert ("--nodes" in shown.out) is (name == "nginx")


def test_help_after_a_target_is_help_too(type_: Type) -> None:
    shown = type_("app:app", "--help")
    assert (shown.code, "--workers" in shown.out) == (EXIT_OK, True)


def test_the_version_is_told(type_: Type) -> None:
    assert type_("--version").out.split()[-1] == __version__


# A person's mistakes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wokers", "3"], "--workers"),
        (["app:app", "--slot", "3"], "--slots"),
        (["check", "--nods", "a"], "--node"),
        (["nginx", "--prt", "all"], "--part"),
    ],
)
def test_an_unknown_option_is_told_the_nearest_name(
    type_: Type, arguments: list[str], words: str
) -> None:
    shown = type_(*arguments)
    assert (shown.code, shown.out) == (EXIT_USAGE, "")
    assert "No such option" in shown.err and words in shown.err


@pytest.mark.parametrize(
    ("word", "hint"),
    [("chek", "Did you mean check?"), ("myapp", "A target has a colon"), ("app.py", "colon")],
)
def test_a_word_without_a_colon_is_a_command(type_: Type, word: str, hint: str) -> None:
    shown = type_(word)
    assert shown.code == EXIT_USAGE
    assert f"No such command '{word}'" in shown.err and hint in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "--workers 0: must be from 1 to 512."),
        (["run", "--base-port", "65530", "--slots", "8"], "past 65535"),
        (["app:app", "--bind", "nowhere"], "--bind nowhere: needs HOST:PORT"),
        (["check", "--chdir", "/nowhere"], "--chdir /nowhere: No such file or directory."),
        (["nginx", "-c", "gone.toml"], "--config gone.toml does not exist"),
    ],
)
def test_a_bad_setting_is_one_clear_message(
    type_: Type, arguments: list[str], message: str
) -> None:
    shown = type_(*arguments)
    assert (shown.code, shown.out) == (EXIT_USAGE, "")
    assert shown.err.startswith("error: ") and message in shown.err


def test_a_bad_variable_is_named(type_: Type) -> None:
    shown = type_("nginx", SIOCLUSTER_WORKERS="many")
    assert shown.code == EXIT_USAGE
    assert shown.err.startswith("error: SIOCLUSTER_WORKERS many: needs a whole number")


def test_a_password_on_the_command_line_is_in_no_message(type_: Type) -> None:
    for arguments in (["--redis", "http://:hunter2@h"], ["--redis=http://:hunter2@h"]):
        shown = type_("nginx", *arguments)
        assert shown.code == EXIT_USAGE
        assert "hunter2" not in shown.out + shown.err


def test_an_option_without_its_value_is_told_so(type_: Type) -> None:
    shown = type_("--workers")
    assert shown.code == EXIT_USAGE
    assert "requires an argument" in shown.err


def test_the_folder_changes_before_the_file_is_read(type_: Type, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "siocluster.toml").write_text("workers = 0")
    shown = type_("nginx", "--chdir", "sub")
    assert "siocluster.toml: workers 0" in shown.err
    assert type_("nginx").code == EXIT_OK


# nginx


def test_the_nginx_file_names_the_command_that_prints_it_again(type_: Type) -> None:
    arguments = ["nginx", "--workers", "2", "--server-name", "a.example b.example"]
    first, *rest = type_(*arguments).out.splitlines()
    assert first == "# python cluster.py nginx --workers 2 --server-name 'a.example b.example'"
    assert any("a.example b.example" in line for line in rest)


def test_a_redis_url_stays_out_of_the_nginx_file(type_: Type) -> None:
    for redis in (["--redis", "redis://:hunter2@h"], ["--redis=redis://:hunter2@h"]):
        shown = type_("nginx", *redis, "--node", "b")
        assert shown.code == EXIT_OK
        assert shown.out.splitlines()[0] == "# python cluster.py nginx --node b"
        assert "hunter2" not in shown.out


def test_printing_the_nginx_file_leaves_nothing_behind(type_: Type, tmp_path: Path) -> None:
    assert type_("nginx").code == EXIT_OK
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_gets_no_complaint(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("nginx"),
        cwd=tmp_path,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None and writer.stderr is not None
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(SECONDS) == EXIT_INTERNAL


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["nginx", "--redis", "redis://:p@h", "-w", "2"], "nginx -w 2"),
        (["--redis=redis://:p@h"], ""),
        (["nginx", "--redis"], "nginx"),
        (["nginx", "--redis-fsync", "no"], "nginx --redis-fsync no"),
        (["nginx", "--static", "/a b/=x"], "nginx --static '/a b/=x'"),
    ],
)
def test_a_command_is_shown_as_one_types_it_without_secrets(
    arguments: list[str], shown: str
) -> None:
    assert cli.shown_command(arguments) == shown


# check


def check_arguments() -> list[str]:
    """For a cluster without a front on ports that are free; the last argument is the first one."""
    base_port, *_ = map(str, free_ports(4))
    return ["--front", "none", "--redis", "embedded", "--slots", "4", "--base-port", base_port]


def test_a_check_finds_everything_well_and_leaves_nothing_behind(
    type_: Type, tmp_path: Path
) -> None:
    shown = type_("check", "healthy:app", *check_arguments(), PYTHONPATH=str(BROKEN))
    assert (shown.code, shown.err) == (EXIT_OK, "")
    assert [line.split()[:2] for line in shown.out.splitlines()] == [
        ["ok", "settings"],
        ["ok", "target"],
        ["ok", "ports"],
        ["ok", "redis"],
        ["ok", "nginx"],
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_check_goes_on_after_what_is_wrong_and_exits_with_the_first_code(type_: Type) -> None:
    arguments = check_arguments()
    taken = Listener(Address("127.0.0.1", int(arguments[-1])))
    try:
        shown = type_("check", "nowhere_to_be_found:app", *arguments)
    finally:
        taken.close()
    assert shown.code == EXIT_TARGET
    words = [line.split()[:2] for line in shown.out.splitlines() if line.startswith("  ")]
    assert words[:3] == [["ok", "settings"], ["wrong", "target"], ["wrong", "ports"]]
    assert "There is no module named nowhere_to_be_found" in shown.out


def test_a_check_warns_of_a_variable_that_sets_nothing(type_: Type) -> None:
    arguments = check_arguments()
    shown = type_(
        "check", "healthy:app", *arguments, PYTHONPATH=str(BROKEN), SIOCLUSTER_WROKERS="hunter2"
    )
    assert shown.code == EXIT_OK
    assert "SIOCLUSTER_WROKERS is no setting. Did you mean SIOCLUSTER_WORKERS?" in shown.err
    assert "hunter2" not in shown.out + shown.err


# run


def test_a_run_on_a_taken_port_says_who_has_it_and_leaves_nothing(
    type_: Type, tmp_path: Path
) -> None:
    arguments = check_arguments()
    port = int(arguments[arguments.index("--base-port") + 1])
    taken = Listener(Address("127.0.0.1", port + 2))
    taken.listen()
    try:
        shown = type_("healthy:app", *arguments, PYTHONPATH=str(BROKEN), SIOCLUSTER_SLOTZ="8")
    finally:
        taken.close()
    assert shown.code == EXIT_BUSY
    assert f"error: 127.0.0.1:{port + 2} is in use by pid {os.getpid()}" in shown.err
    assert "SIOCLUSTER_SLOTZ is no setting. Did you mean SIOCLUSTER_SLOTS?" in shown.err
    assert not (tmp_path / ".siocluster" / "master.pid").exists()
