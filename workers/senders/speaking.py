"""How senders speak HTTP: to one base address, with ids that cannot lead elsewhere, and faults of the senders' port."""

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from app.ports.senders import SenderBusy, SenderFault, SenderRefused
from workers.systems.faults import BadAnswer, RateLimited, Refused, SourceFault
from workers.systems.web import Reach, Web

Said = TypeVar("Said")
LARGEST = 1e12
JSON_TYPE = {"content-type": "application/json"}


class Declined(SenderFault):
    """The tool answered that it will not. status: its HTTP status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class NotUnderstood(SenderFault):
    """The tool answered, and what came makes no sense. The sentence says where, and never what stood there."""


class Speaker:
    """Speaks to one tool. The connection is opened with the first word."""

    def __init__(self, url: str, reach: Reach) -> None:
        self._url, self._reach = url.rstrip("/"), reach
        self._web: Web | None = None

    async def ask(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return what GET says in JSON. Raises SenderFault."""
        return await self._said(self._open().json("GET", f"{self._url}{path}", params=params))

    async def tell(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, form: Mapping[str, str] | None = None
    ) -> None:
        """Send a command. What a good answer says is not read: it proves nothing. Raises SenderFault."""
        content = None if body is None else msgspec.json.encode(body)
        headers = JSON_TYPE if content is not None else None
        await self._said(self._open().ask(method, f"{self._url}{path}", content=content, data=form, headers=headers))

    async def close(self) -> None:
        """Let go of connections."""
        if self._web is not None:
            await self._web.close()
            self._web = None

    def _open(self) -> Web:
        if self._web is None:
            self._web = Web(self._reach)
        return self._web

    @staticmethod
    async def _said(spoken: Awaitable[Said]) -> Said:
        """Return what was said. Raises the fault as the senders' port knows it."""
        try:
            return await spoken
        except RateLimited as fault:
            raise SenderBusy(str(fault), fault.retry_after_seconds) from None
        except Refused as fault:
            raise SenderRefused(str(fault)) from None
        except BadAnswer as fault:
            raise Declined(str(fault), fault.status) from None
        except SourceFault as fault:
            raise SenderFault(str(fault)) from None


def step(campaign: str) -> str:
    """Return an id as one step of a path: whatever is in it leads nowhere else."""
    return quote(campaign, safe="")


def member(document: Any, *path: str) -> Any:
    """Return what stands at a path of objects. Raises NotUnderstood naming the path."""
    found = document
    for place, name in enumerate(path):
        if not isinstance(found, dict) or name not in found:
            raise NotUnderstood(f"the answer has no {'.'.join(path[: place + 1])}")
        found = found[name]
    return found


def count(value: Any, name: str) -> int:
    """Return a whole number of at least 0. Raises NotUnderstood naming it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST or value != int(value):
        raise NotUnderstood(f"{name} of the answer is no whole number from 0 on")
    return int(value)
