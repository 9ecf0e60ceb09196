"""One wave: the sender's command in a process group of its own, which ends when it has to, whatever happens to us."""

import asyncio
import os
import queue
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from subprocess import DEVNULL, PIPE, Popen
from typing import BinaryIO

SHELL = "/bin/sh"
LOOK_SECONDS = 0.02
CHUNK_BYTES = 65_536
LAST_CHUNKS = 32
TAIL_BYTES = 4_096
SENT = re.compile(rb"sent=(\d{1,12})")
# A wave does nothing before it is told to; where we are killed before that, it never does.
GATED = 'read -r line || exit 1; exec </dev/null; exec "$0" -c "$1"'
# It outlives us: where we are killed its input ends without a line, and it ends the wave in our place.
GUARD = 'read -r line || { kill -s TERM -- "-$1"; sleep "$2"; kill -s KILL -- "-$1"; }'


@asynccontextmanager
async def running(
    command: str, environment: Mapping[str, str], output: BinaryIO, grace_seconds: float
) -> AsyncIterator["Wave"]:
    """Yield the wave that a shell command is; leaving the context stops what still runs. output gets what it prints.

    Nothing can come between the start and the first statement of the context. Raises OSError where it cannot be
    started, PermissionError where it cannot be stopped.
    """
    wave = Wave(command, environment, output)
    try:
        with _guarded(wave.group, grace_seconds):
            try:
                wave.begin()
                yield wave
            finally:
                await wave.stop(grace_seconds)
    finally:
        await wave.stop(grace_seconds)  # where there is no guard; else it has ended by now
        await wave.close()


@contextmanager
def _guarded(group: int, grace_seconds: float) -> Iterator[None]:
    command = (SHELL, "-c", GUARD, "guard", str(group), f"{grace_seconds:g}")
    guard = Popen(command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)  # noqa: S603 - our own
    try:
        yield
    finally:
        guard.communicate(b"over\n")


class Wave:
    """A command that runs. What it prints is passed on; its last line may say how many it sent: sent=123."""

    def __init__(self, command: str, environment: Mapping[str, str], output: BinaryIO) -> None:
        self._reading, writing = os.pipe()
        try:
            self._process = Popen(  # noqa: S603 - running what we are told to is what this is for
                (SHELL, "-c", GATED, SHELL, command),
                stdin=PIPE,
                stdout=writing,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            os.close(self._reading)
            raise
        finally:
            os.close(writing)
        self._tail = b""
        self._echo = _Echo(output)
        os.set_blocking(self._reading, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    def begin(self) -> None:
        """Let the command run."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as told:
                told.write(b"begin\n")

    @property
    def group(self) -> int:
        """The id of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    @property
    def sent(self) -> int | None:
        """How many its last line says were sent; None when it does not say."""
        lines = [line for line in map(bytes.strip, self._tail.splitlines()) if line]
        found = SENT.fullmatch(lines[-1]) if lines else None
        return int(found[1]) if found else None

    async def ended(self) -> None:
        """Return once it and all that it left running in its group have ended, and what they printed is taken in."""
        await self._all_gone()
        for _ in range(LAST_CHUNKS):
            if not self._read():
                return

    async def stop(self, grace_seconds: float) -> None:
        """Ask its group to end, and kill what is left of it after the grace; nothing if all of it has ended.

        Raises PermissionError.
        """
        if self._is_gone():
            return
        gone = False
        try:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._all_gone()
                    gone = True
        finally:
            if not gone:
                self._signal(signal.SIGKILL)
        await self.ended()

    async def close(self) -> None:
        """Stop passing on what it prints."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        await asyncio.to_thread(self._echo.close)

    async def _all_gone(self) -> None:
        while not self._is_gone():  # noqa: ASYNC110 - a process tells nobody but who waits for it
            await asyncio.sleep(LOOK_SECONDS)

    def _is_gone(self) -> bool:
        self._reap()
        return self.exit_code is not None and not self._signal(0)

    def _reap(self) -> None:
        """Let go of what has ended as an orphan and came to us: in a container we may be everybody's parent."""
        if self.exit_code is not None:
            with suppress(ChildProcessError):
                os.waitpid(-self.group, os.WNOHANG)

    def _signal(self, number: int) -> bool:
        """Send a signal to the group; return whether there was anybody."""
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return False
        return True

    def _read(self) -> bool:
        """Take in what is there; return whether there may be more."""
        try:
            chunk = os.read(self._reading, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._reading)
            return False
        self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        self._echo.write(chunk)
        return True


class _Echo:
    """Passes bytes on in a thread of its own: a terminal that is stopped must not stop who watches the wave.

    What a blocked output cannot take in time is dropped.
    """

    WAITING_CHUNKS = 256
    CLOSE_SECONDS = 1.0

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._chunks: queue.Queue[bytes | None] = queue.Queue(self.WAITING_CHUNKS)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, chunk: bytes) -> None:
        with suppress(queue.Full):
            self._chunks.put_nowait(chunk)

    def close(self) -> None:
        with suppress(queue.Full):
            self._chunks.put(None, timeout=self.CLOSE_SECONDS)
        self._thread.join(self.CLOSE_SECONDS)

    def _run(self) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            while (chunk := self._chunks.get()) is not None:
                self._output.write(chunk)
                self._output.flush()
