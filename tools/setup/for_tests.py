"""What only the tests need of the machine, and how they are told where it is."""

import os
import shlex
import shutil
from pathlib import Path

from tools.setup import debian
from tools.setup.chromium import provide_chromium
from tools.setup.command import tell
from tools.setup.node import provide
from tools.setup.place import ROOT, TEST_ENVIRONMENT
from tools.setup.step import Step

SCRIPTS = ROOT / "tests" / "js"
INSTALL_SCRIPTS = Step(
    "test-scripts",
    inputs=(SCRIPTS / "package.json", SCRIPTS / "package-lock.json"),
    outputs=(SCRIPTS / "node_modules" / "socket.io-client" / "package.json",),
)
NETWORK_TOOLS = {"iproute2": "ip", "iptables": "iptables"}  # package: its program
NAMES = ("SIOCLUSTER_TEST_CHROMIUM", "SIOCLUSTER_TEST_NODE")
# Last on the PATH: a Node that came with the packages is found where the machine has none.
PATH_LINE = 'export PATH="$PATH:${SIOCLUSTER_TEST_NODE%/*}:/usr/sbin"\n'


def install_scripts() -> None:
    """The stock JavaScript client, for the tests that run it in Node."""
    if INSTALL_SCRIPTS.is_done():
        return
    provide().install(SCRIPTS, doing="Fetching the stock JavaScript client for the tests")
    INSTALL_SCRIPTS.mark_done()


def find_programs() -> None:
    """Leave in `.venv/test.env` where Chromium and Node are; look again when one has gone."""
    known = _read_environment()
    named = os.environ.get("SIOCLUSTER_TEST_CHROMIUM")
    if all(os.access(known.get(name, ""), os.X_OK) for name in NAMES) and not named:
        return
    found = {"SIOCLUSTER_TEST_CHROMIUM": provide_chromium(), "SIOCLUSTER_TEST_NODE": provide().node}
    _write_environment(found)


def _read_environment() -> dict[str, str]:
    try:
        lines = TEST_ENVIRONMENT.read_text().splitlines()
    except OSError:
        return {}
    words = (shlex.split(line)[1] for line in lines if line.startswith("export SIOCLUSTER_"))
    return dict(word.split("=", 1) for word in words)


def _write_environment(found: dict[str, Path]) -> None:
    """Lines for a shell: the Makefile sources them."""
    lines = [f"export {name}={shlex.quote(str(path))}\n" for name, path in found.items()]
    TEST_ENVIRONMENT.write_text("".join(lines) + PATH_LINE)


def install_system_packages() -> None:
    """For the tests that make network namespaces or use Debian's own nginx."""
    for package, program in NETWORK_TOOLS.items():
        _want_network_tool(package, program)
    _want_nginx()
    if os.geteuid() != 0:
        tell("Not root: tests that make network namespaces are left out.")


def _want_network_tool(package: str, program: str) -> None:
    if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        return
    if debian.may_install():
        debian.install(package, reason="for the tests in network namespaces")
    elif os.geteuid() == 0:
        tell(f"No {program} here, for tests in network namespaces: install {package}.")


def _want_nginx() -> None:
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return
    if not debian.may_install() or debian.starts_services_at_boot():
        # On a machine that boots, the package also starts a public web server for good.
        tell("No nginx of the machine's here: the tests use the wheel's alone.")
        return
    with debian.port_80_taken():
        debian.install("nginx", reason="for the tests with Debian's version")
