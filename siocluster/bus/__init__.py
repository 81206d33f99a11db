"""The room bus: how workers reach each other through Redis."""
