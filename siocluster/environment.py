"""Variables that look like a setting of ours and are none: most often a typing error."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from siocluster.options import OPTIONS
from siocluster.wire import PIPE_VARIABLE, SLOT_VARIABLE

PREFIX = "SIOCLUSTER_"
TEST_PREFIX = "SIOCLUSTER_TEST_"
# What the command line takes beside the options.
TARGET_VARIABLE = "SIOCLUSTER_TARGET"
CONFIG_VARIABLE = "SIOCLUSTER_CONFIG"
CHDIR_VARIABLE = "SIOCLUSTER_CHDIR"
COMMAND_VARIABLES = (TARGET_VARIABLE, CONFIG_VARIABLE, CHDIR_VARIABLE)
SETTING_VARIABLES = frozenset(
    [*COMMAND_VARIABLES, *(variable for option in OPTIONS for variable in option.environment)]
)
# A cluster that is started by a worker of another one inherits these two.
OWN_VARIABLES = frozenset([PIPE_VARIABLE, SLOT_VARIABLE])


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A line for each SIOCLUSTER_… variable that no option has, with the nearest that one has.

    Values stay unsaid: they may hold a password.
    """
    return [
        f"{variable} is no setting. {_advice(variable)}"
        for variable in sorted(environ)
        if _claims_to_be_ours(variable) and variable not in SETTING_VARIABLES | OWN_VARIABLES
    ]


def _claims_to_be_ours(variable: str) -> bool:
    return variable.startswith(PREFIX) and not variable.startswith(TEST_PREFIX)


def _advice(variable: str) -> str:
    # Without the prefix: what all have in common would make everything look near.
    names = [known.removeprefix(PREFIX) for known in sorted(SETTING_VARIABLES)]
    near = difflib.get_close_matches(variable.removeprefix(PREFIX).upper(), names, n=1)
    return f"Did you mean {PREFIX}{near[0]}?" if near else "`siocluster --help` lists the options."
