"""The system's resolver: from a host name to addresses."""

import asyncio
import socket
from collections.abc import Sequence


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """Return every address of a host, in the resolver's order; none when it has none or nobody knows it.

    What the resolver takes for a number (2130706433, 0x7f.1) comes back as the address that it is.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # unknown or unanswered; UnicodeError for a label that no name can have
        return ()
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
