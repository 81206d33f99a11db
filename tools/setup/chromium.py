"""A Chromium for the browser tests: one that has rendered a page here, or Stop."""

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from tools.setup import debian
from tools.setup.command import Stop, attempt, tell
from tools.setup.node import installed_copy, provide
from tools.setup.place import PYTHON, VENV

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MANIFEST = "tools/chromium"
FOLDER = VENV / "chromium"
LAUNCHER = FOLDER / "chromium"

# Chromium's own libraries, then those of the distribution that the package was built on.
LAUNCHER_TEXT = """\
#!/bin/sh
export LD_LIBRARY_PATH={folder}:{folder}/lib
export FONTCONFIG_PATH={folder}
exec {folder}/headless_shell "$@"
"""
# The package's own file names the folders of the place it was made for.
FONTS_TEXT = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""
DECODE = """\
const fs = require("node:fs"), zlib = require("node:zlib");
const { pipeline } = require("node:stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(fs.createReadStream(from), zlib.createBrotliDecompress(), fs.createWriteStream(to));
"""


def provide_chromium() -> Path:
    """The path of a Chromium that works: the machine's, else Debian's, else npm's."""
    for source in (_named, _of_the_machine, _of_debian, _of_npm):
        for candidate in source():
            if _renders(candidate):
                return candidate
            tell(f"{candidate} does not render a page.")
    raise Stop(
        "The browser tests need Chromium, and none could be found, installed or fetched.",
        hint="Debian:  sudo apt-get install chromium   (or SIOCLUSTER_TEST_CHROMIUM=/path/to/it)",
    )


def _named() -> Iterator[Path]:
    if named := os.environ.get("SIOCLUSTER_TEST_CHROMIUM"):
        yield Path(named)


def _of_the_machine() -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)


def _of_debian() -> Iterator[Path]:
    if debian.may_install() and debian.install("chromium", reason="for the browser tests"):
        yield from _of_the_machine()


def _of_npm() -> Iterator[Path]:
    if os.uname().machine != "x86_64":
        return  # the package holds no other
    tell("No Chromium that may be installed here: taking the one in npm's @sparticuz/chromium.")
    with installed_copy(MANIFEST, doing="Fetching Chromium from npm (about 70 MB)") as modules:
        _unpack(modules / "@sparticuz" / "chromium" / "bin")
    yield LAUNCHER


def _unpack(packed: Path) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    _decode(packed / "chromium.br", FOLDER / "headless_shell")
    (FOLDER / "headless_shell").chmod(0o755)
    for name in ("al2023", "swiftshader", "fonts"):
        _decode(packed / f"{name}.tar.br", FOLDER / f"{name}.tar")
        shutil.unpack_archive(FOLDER / f"{name}.tar", FOLDER)
        (FOLDER / f"{name}.tar").unlink()
    (FOLDER / "fonts.conf").write_text(FONTS_TEXT.format(folder=escape(str(FOLDER))))
    LAUNCHER.write_text(LAUNCHER_TEXT.format(folder=shlex.quote(str(FOLDER))))
    LAUNCHER.chmod(0o755)


def _decode(packed: Path, target: Path) -> None:
    result = attempt([provide().node, "-e", DECODE, "--", packed, target])
    if result.returncode != 0:
        raise Stop(f"{packed.name} cannot be unpacked: {result.stdout}", hint="Is the disk full?")


def _renders(chromium: Path) -> bool:
    """A stub that only names a package, or a library that is missing, shows only in a run."""
    probe = Path(__file__).with_name("render_probe.py")
    return attempt([PYTHON, probe, chromium]).returncode == 0
