"""A small client for programs that send: ask, wait, take a permit, and stop when told to.

Needs httpx2, the standard library and two enumerations of app.core; nothing of the server.

>>> with Holdfire("https://holdfire.example", key) as holdfire:
...     holdfire.wait_until_clear("default", audience=500_000, timeout=7200)
...     send()
"""

from app.client.answers import Answer, HoldfireClientError, NotCleared, Permit, PermitAnswer, Unanswered
from app.client.http import AsyncHoldfire, Holdfire

__all__ = [
    "Answer",
    "AsyncHoldfire",
    "Holdfire",
    "HoldfireClientError",
    "NotCleared",
    "Permit",
    "PermitAnswer",
    "Unanswered",
]
