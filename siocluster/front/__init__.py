"""The front: nginx before the workers: its file, its program, and a check of both."""
