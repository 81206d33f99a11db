"""Makes `.venv` and what else a person or a test needs, and does nothing twice."""
