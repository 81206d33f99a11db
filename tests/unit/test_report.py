"""An error on the screen: what is wrong, what to do, and what else was said."""

from __future__ import annotations

import io

import pytest

from siocluster import errors, report
from siocluster.errors import ReportedError, SettingsError, SioclusterError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_error_is_told_in_the_order_message_hint_detail() -> None:
    error = SettingsError("It is wrong.", hint="Mend it.", detail="line 1\nline 2")
    text = report.render_error(error, colour=False)
    assert text == "error: It is wrong.\nMend it.\n\n  line 1\n  line 2"


def test_what_an_error_does_not_have_leaves_no_gap() -> None:
    assert report.render_error(SettingsError("It is wrong."), colour=False) == "error: It is wrong."


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    plain, terminal = io.StringIO(), Terminal()
    for stream in (plain, terminal):
        report.print_error(SettingsError("It is wrong.", detail="x"), stream)
    assert plain.getvalue() == "error: It is wrong.\n\n  x\n"
    assert terminal.getvalue().startswith("\033[31;1merror:\033[0m It is wrong.")
    assert terminal.getvalue().endswith("\033[0m\n")


def test_exit_codes_are_a_contract() -> None:
    codes = {
        errors.SioclusterError: 1,
        errors.SettingsError: 2,
        errors.TargetError: 3,
        errors.BusyError: 4,
        errors.RedisError: 5,
        errors.FrontError: 6,
    }
    assert {kind: kind("x").exit_code for kind in codes} == codes


def test_a_worker_s_error_keeps_its_own_exit_code() -> None:
    error = ReportedError("x", hint="", detail="", exit_code=5)
    assert isinstance(error, SioclusterError)
    assert error.exit_code == 5
    assert ReportedError.exit_code == 1
