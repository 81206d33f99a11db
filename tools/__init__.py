"""What the Makefile runs. Python's own library alone: nothing is installed yet."""
