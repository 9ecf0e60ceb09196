"""What holdfire is compared with: the least an ASGI server can do, and the least a FastAPI endpoint can.

`python -m bench.baselines raw|fastapi|parse|commit SIZE` serves one of them on a free port and prints its URL.
SIZE is the length of the constant answer in bytes.
"""

import asyncio
import socket
import sqlite3
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HEADERS = [(b"content-type", b"application/json")]


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """The observation as the load sends it."""

    queue: str
    source: str
    observed_at: str
    backlog: int
    oldest_wait_seconds: float
    agents_staffed: int
    agents_available: int
    agents_busy: int


def raw(answer: bytes) -> ASGIApp:
    """Return an ASGI callable that answers everything with the same bytes."""
    headers = [*HEADERS, (b"content-length", str(len(answer)).encode())]

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    return application


def bare_fastapi(answer: bytes) -> ASGIApp:
    """Return a FastAPI app with one endpoint that returns the same bytes."""
    app = FastAPI(openapi_url=None)

    @app.get("/answer")
    async def constant() -> Response:
        return Response(answer, media_type="application/json")

    return app


def parse_only(answer: bytes) -> ASGIApp:
    """Return an ASGI callable that reads and parses observations, one or a list, and keeps none."""
    respond = raw(answer)
    decoder = msgspec.json.Decoder(list[Item] | Item)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            decoder.decode(body)
            await respond(scope, receive, send)

    return application


def commit_only(answer: bytes) -> ASGIApp:
    """Return a FastAPI app with one endpoint that commits each body as a row, durable as holdfire's are."""
    app = FastAPI(openapi_url=None)
    writer = ThreadPoolExecutor(1)
    folder = tempfile.TemporaryDirectory(prefix="holdfire-bench-")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(Path(folder.name) / "rows.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB)")
        return connection

    database = writer.submit(connect).result()

    @app.post("/answer")
    async def commit(request: Request) -> Response:
        row = (await request.body(),)
        insert = "INSERT INTO bodies (body) VALUES (?)"
        await asyncio.get_running_loop().run_in_executor(writer, database.execute, insert, row)
        return Response(answer, media_type="application/json")

    return app


KINDS = {"raw": raw, "fastapi": bare_fastapi, "parse": parse_only, "commit": commit_only}


def main() -> None:
    """Serve the baseline that the command line names."""
    application = KINDS[sys.argv[1]](b"x" * int(sys.argv[2]))
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(application, lifespan="off", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
