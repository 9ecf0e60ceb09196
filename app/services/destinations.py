"""Where a URL of a user's may lead: resolved once, every address checked, and the one to connect to handed out."""

from typing import NamedTuple

from app.core.problem import Problem
from app.core.webhooks.address import Allowed, refusal
from app.core.webhooks.url import Target, parse_url
from app.errors import Invalid
from app.ports.webhooks import Resolve


class Destination(NamedTuple):
    """A URL taken apart, and the address that was checked: connect to that one and to no other."""

    target: Target
    address: str


class Destinations:
    """Checks where requests to users' URLs go, when they are saved and again before every request."""

    def __init__(self, resolve: Resolve, allowed: Allowed) -> None:
        self._resolve, self._allowed = resolve, allowed

    async def of(self, url: str, pointer: str = "/url") -> Destination:
        """Return where a URL leads now. Raises Invalid, its problem at `pointer`, when nothing may be sent there."""
        try:
            target = parse_url(url)
        except ValueError as fault:
            raise Invalid(str(fault), [Problem(pointer, str(fault))]) from None
        addresses = await self._resolve(target.host, target.port)
        if why := refusal(target.host, addresses, self._allowed):
            raise Invalid(why, [Problem(pointer, why)])
        return Destination(target, addresses[0])
