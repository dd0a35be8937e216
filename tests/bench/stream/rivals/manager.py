"""FastAPI's documented ConnectionManager, as the first version of this product had it, by uvicorn."""

import asyncio
import json
import sys
from collections import defaultdict
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from tests.bench.stream.rivals import asked


class ConnectionManager:
    def __init__(self) -> None:
        self.subscribers: dict[str, list[WebSocket]] = defaultdict(list)

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()

    def disconnect(self, websocket: WebSocket) -> None:
        for held in self.subscribers.values():
            if websocket in held:
                held.remove(websocket)

    def subscribe(self, websocket: WebSocket, symbols: list[str]) -> None:
        for symbol in symbols:
            self.subscribers[symbol].append(websocket)

    async def broadcast(self, symbol: str, message: dict) -> None:
        for websocket in list(self.subscribers[symbol]):
            try:
                await websocket.send_text(json.dumps(message))
            except Exception:  # noqa: BLE001 - as it was
                self.disconnect(websocket)


manager = ConnectionManager()


async def play() -> None:
    async for symbol, body in asked.lines():
        await manager.broadcast(symbol, json.loads(body))


@asynccontextmanager
async def lifespan(application: FastAPI):
    task = asyncio.create_task(play())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/")
async def prices(websocket: WebSocket) -> None:
    await manager.connect(websocket)
    try:
        while True:
            manager.subscribe(websocket, asked.symbols(await websocket.receive_text()))
            await websocket.send_text(asked.ANSWER)
    except WebSocketDisconnect:
        manager.disconnect(websocket)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", backlog=4096)
