"""`holdfire serve`: the whole of holdfire in one process."""

import asyncio
import gc
import math
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn

from app.api.middleware import LocalOnly
from app.commands.connections import PatientProtocol, Room, raise_file_limit, room_for, shortage
from app.commands.first_admin import prepare_first_admin, setup_lines
from app.commands.output import FAILED, USAGE, fail
from app.core.simulation.twins import Twins
from app.errors import Invalid
from app.main import Background, HoldfireApp, create_app
from app.ports.clock import Clock
from app.settings import Settings, load_settings
from app.store.migrate import migrate
from app.store.sole import require_free
from app.stream.places import place_of, until_there
from app.telemetry.logs import configure_logs
from workers.supervisor import background_for

CANNOT_LISTEN = "cannot listen on {}:{}: {}; set another with --host or --port"
GRACE_SECONDS = 10
TICKS_A_SECOND = 10  # uvicorn's own
# Ingest makes hundreds of thousands of small tuples a second, none of them in cycles. With Python's defaults the
# collector looks at all of them again and again: a third of the cost of taking an observation in.
COLLECT_AFTER = (50_000, 20, 50)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Folder for the embedded database.")] = None,
) -> None:
    """Run holdfire: API, pages, evaluator and workers in one process."""
    try:
        settings = load_settings({"host": host, "port": port, "data_dir": data_dir})
        background = background_for(settings)
    except Invalid as fault:
        fail(fault, USAGE)
    configure_logs(settings.log_level, settings.log_format)
    if settings.auth == "off":
        print("holdfire: authentication is off; only this machine can reach it", file=sys.stderr)
    run_server(settings, background=background, ready=lambda url: print(f"holdfire listens on {url}", flush=True))


def run_server(
    settings: Settings,
    *,
    ready: Callable[[str], None],
    clock: Clock | None = None,
    background: Background | None = None,
    twins: Callable[[], Twins] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; ready gets the URL once requests are answered. Raises typer.Exit on failure."""
    _try_database(settings.resolved_database_url)
    _await_stream(settings)
    setup = prepare_first_admin(settings)
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    app = create_app(settings, clock=clock, background=background, twins=twins)

    def announce() -> None:
        ready(url)
        if setup is not None:
            print(setup_lines(settings.public_url or url, setup), flush=True)

    server = _Server(app, _make_room(), settings, ready=announce)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        listener.close()
    if server.is_deaf:
        fail(CANNOT_LISTEN.format(settings.host, settings.port, "another process was quicker"))
    if not server.started:
        raise typer.Exit(FAILED)


class _Server(uvicorn.Server):
    """A server that says when it answers, and waits for nobody without end."""

    def __init__(self, app: HoldfireApp, room: Room, settings: Settings, ready: Callable[[], None]) -> None:
        options = _uvicorn_options() | {"http": partial(PatientProtocol, room)}
        super().__init__(uvicorn.Config(LocalOnly(app) if settings.auth == "off" else app, **options))
        self._app, self._room, self._ready = app, room, ready
        self._drain_seconds, self._ends_at = settings.drain_seconds, math.inf
        self.is_deaf = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_deaf = not all(_listens(each) for each in sockets or ())
        if self.is_deaf:  # another process, begun at the same moment, listens there
            for each in sockets or ():
                each.detach()  # the loop has closed it, and its number may be another file's by now
            self.should_exit = True
            await self.shutdown()
            return
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            self._room.sweep(self.server_state.connections, time.monotonic())
        if time.monotonic() >= self._ends_at:
            self._ends_at = math.inf
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order, however often the signal comes: `timeout` and impatient people send it twice.

        SIGTERM, where there is time to drain, first tells who asks that nothing new should come.
        """
        is_first, self._app.is_stopping = not self._app.is_stopping, True
        if sig == signal.SIGTERM and self._drain_seconds:
            self._ends_at = time.monotonic() + self._drain_seconds if is_first else self._ends_at
        elif not self.should_exit:
            super().handle_exit(sig, frame)


def _listens(listener: socket.socket) -> bool:
    """Tell whether connections can come: the event loop says nothing when they cannot."""
    try:
        return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _try_database(url: str) -> None:
    """End with a sentence where the database cannot be used: once the server runs it would come as a traceback."""
    try:
        require_free(url)
        migrate(url)
    except Invalid as fault:
        fail(fault)


def _await_stream(settings: Settings) -> None:
    """Return once the stream is there, where it is not in the database; end with a sentence where it cannot be used."""
    place = place_of(settings)
    if place is None:
        return
    try:
        asyncio.run(until_there(place, lambda what: print(f"holdfire: {what}", file=sys.stderr, flush=True)))
    except Invalid as fault:
        fail(fault)
    except KeyboardInterrupt:
        raise typer.Exit(FAILED) from None


def _make_room() -> Room:
    """Return room for as many connections as this process may have files; say so where that is few."""
    files = raise_file_limit()
    if (sentence := shortage(files)) is not None:
        print(f"holdfire: {sentence}", file=sys.stderr)
    return Room(room_for(files))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as fault:
        fail(CANNOT_LISTEN.format(host, port, fault.strerror or fault))
    return listener


def _uvicorn_options() -> dict[str, Any]:
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "ws_max_size": 65_536,
        "ws_per_message_deflate": False,
        "proxy_headers": False,
    }
