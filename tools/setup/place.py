"""Where things are. Whatever is made lies in ignored folders of the project's own tree."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "locks"
PAGE_CLIENT = ROOT / "static" / "vendor" / "socket.io.esm.min.js"
TEST_ENVIRONMENT = VENV / "test.env"
