"""room_app under its own `socketio.run()`: `python stock.py PORT`."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from room_app import app, socketio  # noqa: E402

socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]))
