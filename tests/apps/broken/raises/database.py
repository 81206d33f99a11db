"""Finds no database."""


def connect(address: str) -> list[str]:
    raise RuntimeError(f"no database at {address}")


tables = connect("db.example.test")
