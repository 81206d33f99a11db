"""Supervision: starts, watches, replaces and stops the workers; serves nothing itself."""
