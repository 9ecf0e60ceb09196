"""Asks Zendesk Talk for its current queue activity."""

from collections.abc import Sequence
from typing import Any

from workers.systems.web import Reach, Web

PATH = "/api/v2/channels/voice/stats/current_queue_activity"


class Client:
    """One account; connections are kept between two times."""

    def __init__(self, url: str, reach: Reach) -> None:
        self._url, self._web = url.rstrip("/") + PATH, Web(reach)

    async def activity(self, numbers: Sequence[str]) -> Any:
        """Return the answer about the calls to these phone numbers, () for all of them. Raises SourceFault."""
        params = {"phone_number_ids": ",".join(numbers)} if numbers else None
        return await self._web.json("GET", self._url, params=params)

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        await self._web.close()
