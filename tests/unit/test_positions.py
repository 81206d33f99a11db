"""Positions come from clients: what is none is named as such, whatever it is."""

from __future__ import annotations

import pickle

import pytest

from siocluster.bus.positions import InvalidPosition, Position


@pytest.mark.parametrize("text", ["1-k3f9ab2c", "4711-00000000", "999999999999999999-zzzzzzzz"])
def test_a_position_reads_back_as_it_was_written(text: str) -> None:
    assert str(Position.parse(text)) == text


def test_number_and_epoch_are_told_apart() -> None:
    assert Position.parse("4711-k3f9ab2c") == Position(number=4711, epoch="k3f9ab2c")


def test_leading_zeros_make_no_other_position() -> None:
    assert Position.parse("007-k3f9ab2c") == Position(7, "k3f9ab2c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "4711",
        "k3f9ab2c",
        "-k3f9ab2c",
        "4711-",
        "-1-k3f9ab2c",
        "+1-k3f9ab2c",
        "1.5-k3f9ab2c",
        "1e3-k3f9ab2c",
        "1_0-k3f9ab2c",
        " 1-k3f9ab2c",
        "1-k3f9ab2c ",
        "1-k3f9ab2c\n",
        "1-k3f9ab2",
        "1-k3f9ab2cd",
        "1-K3F9AB2C",
        "1-k3f9ab2é",
        "1--k3f9ab2c",
        "1000000000000000000-k3f9ab2c",
        "١-k3f9ab2c",
        "²-k3f9ab2c",
        "1-k3f9ab2c\x00",
        "9" * 1_000_000 + "-k3f9ab2c",
        "\ud800",
    ],
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidPosition, match="is no position; one looks like"):
        Position.parse(text)


@pytest.mark.parametrize(
    "value", [None, 0, 4711, 1.5, True, b"1-k3f9ab2c", ["1-k3f9ab2c"], {"position": 1}, object()]
)
def test_a_value_of_another_type_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(InvalidPosition, match=type(value).__name__):
        Position.parse(value)


def test_an_invalid_position_is_a_value_error() -> None:
    assert issubclass(InvalidPosition, ValueError)


def test_a_megabyte_is_not_repeated_in_the_message() -> None:
    with pytest.raises(InvalidPosition, match="1000000 characters") as refused:
        Position.parse("x" * 1_000_000)
    assert len(str(refused.value)) < 200


def test_positions_are_values() -> None:
    position = Position(1, "k3f9ab2c")
    assert len({position, Position.parse("1-k3f9ab2c")}) == 1
    assert pickle.loads(pickle.dumps(position)) == position
    with pytest.raises(AttributeError):
        position.number = 2  # type: ignore[misc]
