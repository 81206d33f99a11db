"""What the room bus costs beside python-socketio's own way over Redis, both without a front."""
