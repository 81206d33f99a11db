"""Raises at import, two files deep."""

from .models import socketio

__all__ = ["socketio"]
