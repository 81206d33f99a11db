"""Another program that has a price to tell: `python publish.py QUEUE_URL SYMBOL PRICE`."""

import sys

from flask_socketio import SocketIO

if __name__ == "__main__":
    queue, symbol, price = sys.argv[1:]
    outside = SocketIO(message_queue=queue)
    outside.emit("price", {"symbol": symbol, "price": float(price)}, to=symbol)
