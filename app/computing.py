"""Computing in a process of its own, so that arithmetic never stands between an ask and its answer.

A thread would not do: numeric work in many small steps holds the interpreter most of the time, and whoever asks the
event loop meanwhile waits for it. The process begins with the first computation, runs at a lower priority, and ends
with its parent, however that ends.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

from app.errors import NotComputed

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 60.0
NICENESS = 10


class ChildProcess:
    """Runs functions one after the other in one child process, which is made anew after it died or took too long."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience = patience_seconds
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns, or raise what it raises. Raises NotComputed when it did not finish.

        The patience counts from when its turn has come.
        """
        async with self._turn:
            future = self._submitted(partial(function, *args, **kwargs))
            try:
                async with asyncio.timeout(self._patience):
                    return await asyncio.wrap_future(future)
            except TimeoutError as fault:
                self.close()
                raise NotComputed(f"a computation took more than {self._patience:g} seconds and was ended") from fault
            except BrokenProcessPool as fault:
                self.close()
                raise NotComputed("the process that computes has ended unexpectedly") from fault
            except MemoryError as fault:
                self.close()
                raise NotComputed("there was not memory enough to compute it") from fault
            except asyncio.CancelledError:
                self.close()
                raise

    def close(self) -> None:
        """End the process, whatever it is doing. A later computation starts another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            children = list((pool._processes or {}).values())  # noqa: SLF001  # the pool itself would wait for them
            for child in children:
                child.kill()
            pool.shutdown(wait=True, cancel_futures=True)

    def _submitted(self, call: "partial[R]") -> "Future[R]":
        """Hand a call to the process, or to a new one where that died while nobody used it."""
        try:
            return self._started().submit(call)
        except BrokenProcessPool:
            self.close()
            return self._started().submit(call)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            for library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
                os.environ.setdefault(library, "1")  # small matrices: threads would only wait for each other
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
        return self._pool


class InProcess:
    """Runs functions where it is called: for programs that have nobody to answer meanwhile, and for tests."""

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    def close(self) -> None:
        """Nothing is open."""


def _begin() -> None:
    """Settle into the child: be polite, leave signals to the parent, and end with it."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True, name="end-with-parent").start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
