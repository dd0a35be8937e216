"""socketify: uWebSockets from Python, with its own publish. Updates come as messages of a client.

It runs on uWebSockets' own loop: with asyncio's beside it, it would look all the time whether there is anything.
"""

import sys

from socketify import App, AppListenOptions, CompressOptions, OpCode, WebSocket

from tests.bench.stream.rivals import asked

app = App()


def on_message(socket: WebSocket, text: str, opcode: OpCode) -> None:
    if text.startswith("{"):
        for symbol in asked.symbols(text):
            socket.subscribe(symbol)
        socket.send(asked.ANSWER, OpCode.TEXT)
    else:
        symbol, _, body = text.partition("\t")
        app.publish(symbol, body, OpCode.TEXT)


behaviour = {"compression": CompressOptions.DISABLED, "idle_timeout": 0, "max_backpressure": 1 << 20}

if __name__ == "__main__":
    app.ws("/*", {**behaviour, "message": on_message})
    app.listen(AppListenOptions(port=int(sys.argv[1]), host="127.0.0.1"))
    app.loop.uv_loop.run()
