"""The app as servers look for it; `python -m classroom.wsgi` runs it."""

import os

from . import create_app, socketio

app = create_app()

if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "5000")))
