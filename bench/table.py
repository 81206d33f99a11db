"""Rows as an aligned table, in colour where it is a terminal that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.accounting import PARTS
from bench.suite import Quantity
from bench.summary import Row, Spread

BOLD, DIM, RED, GREEN, YELLOW, PLAIN = (f"\x1b[{code}m" for code in (1, 2, 31, 32, 33, 0))
CLEARLY = 1.1  # a ratio within a tenth of 1 is no difference on a busy machine
Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Column:
    head: str
    cells: Sequence[str]


def in_colour(text: str, colour: str) -> str:
    return f"{colour}{text}{PLAIN}"


def in_black(text: str, _colour: str) -> str:
    return text


def render(
    tables: Mapping[Quantity, Sequence[Row]], *, baseline: str, paint: Paint = in_black
) -> str:
    """A block for each quantity: a line for each server, void ones with their reason."""
    blocks = [
        _block(quantity, rows, baseline=baseline, paint=paint)
        for quantity, rows in tables.items()
        if rows
    ]
    return "\n\n".join(blocks)


def _block(quantity: Quantity, rows: Sequence[Row], *, baseline: str, paint: Paint) -> str:
    columns = _columns(rows, quantity, baseline=baseline)
    widths = [max(map(len, (column.head, *column.cells))) for column in columns]
    lines = [paint(f"{quantity.title} [{quantity.unit}]", BOLD)]
    lines.append(paint(_aligned([column.head for column in columns], widths), DIM))
    for index, row in enumerate(rows):
        cells = [column.cells[index] for column in columns]
        lines.append(paint(_line(row, cells, widths), _colour(row)))
    return "\n".join(lines)


def _columns(rows: Sequence[Row], quantity: Quantity, *, baseline: str) -> list[Column]:
    """Ratios and parts only where some row has them."""
    values = [_pair(row.value, quantity.scale, quantity.digits) for row in rows]
    ratios = [_pair(row.ratio, 1, 2) for row in rows]
    columns = [Column("", [row.server for row in rows])]
    columns += [Column("median", _first(values)), Column("spread", _second(values))]
    if any(row.ratio for row in rows):
        columns += [Column(f"÷ {baseline}", _first(ratios)), Column("spread", _second(ratios))]
    for part in _parts(rows):
        columns.append(Column(part, [_share(row, part, quantity) for row in rows]))
    return columns


def _parts(rows: Sequence[Row]) -> list[str]:
    """All that some row has; those of a server in their order."""
    names = {part for row in rows for part in row.parts}
    return [part for part in PARTS if part in names] + sorted(names - set(PARTS))


def _pair(spread: Spread | None, scale: float, digits: int) -> tuple[str, str]:
    if spread is None:
        return "", ""
    median, least, most = (
        f"{value * scale:.{digits}f}" for value in (spread.median, spread.least, spread.most)
    )
    return median, f"{least} … {most}"


def _first(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [first for first, _ in pairs]


def _second(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [second for _, second in pairs]


def _share(row: Row, part: str, quantity: Quantity) -> str:
    """A dash for what this server has not at all."""
    share = row.parts.get(part, 0.0) * quantity.scale
    rounded = round(share, quantity.digits) + 0.0  # no "-0.0"
    return f"{rounded:.{quantity.digits}f}" if share else "–"


def _line(row: Row, cells: Sequence[str], widths: Sequence[int]) -> str:
    if row.value is None:
        return f"  {row.server:<{widths[0]}}  {row.note}"
    return _aligned(cells, widths)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = cells
    padded = [f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True)]
    return f"  {name:<{widths[0]}}  {'  '.join(padded)}".rstrip()


def _colour(row: Row) -> str:
    if row.value is None:
        return RED if row.note.startswith("void") else YELLOW
    if row.ratio is None or 1 / CLEARLY < row.ratio.median < CLEARLY:
        return PLAIN
    return GREEN if row.ratio.median < 1 else YELLOW
