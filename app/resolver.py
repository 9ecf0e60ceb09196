"""The system's resolver: from a host name to addresses, in bounded time and on threads of its own.

How long a look-up takes is up to the servers of whoever owns the name, and a thread that waits for them cannot be
called back. So users' names must not take the threads that other work of the process is done on.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

AT_ONCE = 8
PATIENCE_SECONDS = 5.0


class Resolver:
    """Looks names up, so many at once; who has to be protected from others' slow names gets one of their own."""

    def __init__(self, at_once: int = AT_ONCE, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="holdfire-resolver")
        self._patience = patience_seconds

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return every address of a host, in the resolver's order; none when it has none or nobody says so in time.

        What the resolver takes for a number (2130706433, 0x7f.1) comes back as the address that it is.
        """
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(self._patience):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        except (OSError, UnicodeError):  # unknown, unanswered or too late; UnicodeError for a label no name can have
            return ()
        return list(dict.fromkeys(str(address[0]) for *_, address in found))
