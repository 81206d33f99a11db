"""nginx's syntax: blocks, and text that must arrive as it is."""

from __future__ import annotations

import re

from siocluster.errors import FrontError

INDENT = "    "

Lines = list[str]


def block(header: str, *body: str | Lines) -> Lines:
    """`header { body }`, one line an item; items may be blocks themselves."""
    return [f"{header} {{", *(INDENT + line if line else "" for line in flat(*body)), "}"]


def flat(*items: str | Lines) -> Lines:
    return [line for item in items for line in ([item] if isinstance(item, str) else item)]


def spaced(*sections: Lines) -> Lines:
    """The sections that are not empty, with an empty line between them."""
    lines: Lines = []
    for section in filter(None, sections):
        lines += ["", *section] if lines else section
    return lines


def quoted(text: str) -> str:
    """`text` as one word of the file; raises FrontError where nginx has no way to write it."""
    if re.search(r"[$\x00-\x1f\x7f]", text):
        raise FrontError(
            f"nginx cannot be given {text!r}: it holds a $ or a control character.",
            hint="Rename it, or reach it through a symbolic link with a plain name.",
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return text if re.fullmatch(r"[\w./:~@%+,=*-]+", text) else f'"{escaped}"'


def pattern(text: str) -> str:
    """A regular expression that matches `text` itself; raises FrontError as `quoted` does."""
    if re.search(r"[\\\"'${};\x00-\x20\x7f]", text):
        raise FrontError(
            f"nginx cannot be given the path {text!r}.",
            hint="Use letters, digits and . _ ~ - in the app's Socket.IO path.",
        )
    return re.sub(r"([.+*?()\[\]^|])", r"\\\1", text)
