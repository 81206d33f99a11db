"""Which variables are taken for a person's mistake, and what is said of them."""

from __future__ import annotations

import pytest

from siocluster.environment import unknown_variables
from siocluster.options import OPTIONS


def test_every_option_s_variable_is_known() -> None:
    variables = [variable for option in OPTIONS for variable in option.environment]
    assert "SIOCLUSTER_WORKERS" in variables
    assert unknown_variables(dict.fromkeys(variables, "1")) == []


@pytest.mark.parametrize(
    "variable",
    [
        "SIOCLUSTER_TARGET",
        "SIOCLUSTER_PIPE",
        "SIOCLUSTER_SLOT",
        "SIOCLUSTER_TEST_SCALE",
        "REDIS_URL",
        "WORKERS",
        "MY_SIOCLUSTER_WORKER",
        "SIOCLUSTERS_WORKERS",
    ],
)
def test_variables_that_are_no_option_s_and_no_mistake_are_left_alone(variable: str) -> None:
    assert unknown_variables({variable: "1"}) == []


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("SIOCLUSTER_WROKERS", "SIOCLUSTER_WORKERS"),
        ("SIOCLUSTER_BASEPORT", "SIOCLUSTER_BASE_PORT"),
        ("SIOCLUSTER_BASE-PORT", "SIOCLUSTER_BASE_PORT"),
        ("SIOCLUSTER_workers", "SIOCLUSTER_WORKERS"),
        ("SIOCLUSTER_TARGTE", "SIOCLUSTER_TARGET"),
        ("SIOCLUSTER_SLOT_", "SIOCLUSTER_SLOTS"),
        ("SIOCLUSTER_TESTING", None),
        ("SIOCLUSTER_ZZZ", None),
        ("SIOCLUSTER_", None),
    ],
)
def test_an_unknown_variable_is_told_the_nearest_name(variable: str, near: str | None) -> None:
    (line,) = unknown_variables({variable: "1"})
    advice = f"Did you mean {near}?" if near else "`siocluster --help` lists the options."
    assert line == f"{variable} is no setting. {advice}"


def test_each_unknown_variable_has_a_line_in_the_order_of_the_alphabet() -> None:
    lines = unknown_variables({"SIOCLUSTER_B": "", "HOME": "/", "SIOCLUSTER_A": "1"})
    assert [line.split()[0] for line in lines] == ["SIOCLUSTER_A", "SIOCLUSTER_B"]


def test_the_value_of_an_unknown_variable_stays_unsaid() -> None:
    (line,) = unknown_variables({"SIOCLUSTER_REDIS_URL": "redis://:hunter2@h"})
    assert "hunter2" not in line
