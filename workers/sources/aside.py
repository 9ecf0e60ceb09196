"""Work that may take long, done beside the event loop, which has asks to answer."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from workers.sources.worker import Got


class Aside:
    """One thread of a source's own, begun when it is needed: where it hangs, that source waits and nobody else."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[..., Got], *given: object) -> Got:
        """Return what the work gives, once what the thread does before is done. Raises what the work raises.

        Whoever stops waiting does not stop the thread: what it gives then is dropped.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
