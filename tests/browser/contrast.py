"""Colours of the page's style sheet, and how well they can be read on each other."""

from __future__ import annotations

import re

from tests.integration.app_server import ROOT

STYLE = ROOT / "static" / "style.css"
COLOUR = re.compile(r"--([a-z-]+): #([0-9a-f]{6});")


def palettes() -> dict[str, dict[str, str]]:
    """Name and six digits of each colour, for light and for dark."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)
    return {"light": dict(COLOUR.findall(light)), "dark": dict(COLOUR.findall(dark))}


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(digits: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (_linear(int(part, 16) / 255) for part in re.findall("..", digits))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
