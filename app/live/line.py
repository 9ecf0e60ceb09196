"""One live socket that is served: frames go out as they come, and what the other side says is counted.

Thousands of sockets are open for hours and nearly always still. So each costs one task that waits for the other side;
what writes a frame exists only while the frame is written.
"""

import asyncio
import logging
from collections.abc import Callable

from starlette.types import Receive, Send

from app.live.hub import Seat

log = logging.getLogger(__name__)

SIGNED_OUT, CHATTER, RESTART, TRY_LATER = 4401, 1008, 1012, 1013

SEND_TIMEOUT_SECONDS = 5.0
MAX_MESSAGES = 100


class Line:
    """Brings a seat's frames to one socket. To be made and served in the socket's own task.

    may_go_on: asked before each frame, from memory. dropped: told why when we end it because the other side is slow.
    """

    __slots__ = ("_code", "_dropped", "_is_over", "_may_go_on", "_reader", "_seat", "_send", "_writer")

    def __init__(self, seat: Seat, send: Send, may_go_on: Callable[[], bool], dropped: Callable[[str], None]) -> None:
        self._seat, self._send, self._may_go_on, self._dropped = seat, send, may_go_on, dropped
        self._reader: asyncio.Task[None] | None = asyncio.current_task()
        self._writer: asyncio.Task[None] | None = None
        self._code: int | None = None
        self._is_over = False

    async def serve(self, receive: Receive) -> int | None:
        """Return with which code the socket has to be closed, None when the other side has gone."""
        try:
            self._seat.on_news(self._write_soon)
            heard = 0
            while heard < MAX_MESSAGES and (await receive())["type"] != "websocket.disconnect":
                heard += 1
        except asyncio.CancelledError:
            if not self._is_over or (self._reader is not None and self._reader.uncancel()):
                raise
            return self._code
        else:
            return CHATTER if heard == MAX_MESSAGES else None
        finally:
            self._is_over = True
            self._seat.on_news(None)
            if self._writer is not None:
                self._writer.cancel()
                await asyncio.wait([self._writer])

    def end(self, code: int | None) -> None:
        """Have `serve` return this code. The first who calls decides."""
        if not self._is_over and self._reader is not None:
            self._is_over, self._code = True, code
            self._reader.cancel()

    def sign_out(self) -> None:
        """End it: whoever watches may no longer."""
        self.end(SIGNED_OUT)

    def _write_soon(self) -> None:
        if self._writer is None and not self._is_over:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Send what is in the seat until nothing is: who left unheard would never be noticed."""
        try:
            while not self._is_over and (frame := self._seat.take()) is not None:
                if not self._may_go_on():
                    return self.end(SIGNED_OUT)
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await self._send(frame)
            if self._seat.closed:
                self.end(RESTART)
        except TimeoutError:
            self._dropped("slow")
            self.end(TRY_LATER)
        except (OSError, RuntimeError):  # it left while we wrote
            self.end(None)
        except Exception:
            log.exception("frame_not_sent")
            self.end(None)
        finally:
            self._writer = None
