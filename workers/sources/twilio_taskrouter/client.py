"""Asks TaskRouter for the statistics of task queues."""

from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import SecretStr

from workers.systems.web import Reach, Web


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """Where a workspace is and how to be let in. Holds a secret: never printed."""

    url: str
    workspace: str
    user: str
    password: SecretStr
    task_channel: str | None
    timeout_seconds: float


class Client:
    """One workspace; connections are kept between two times."""

    def __init__(self, access: Access) -> None:
        auth = httpx2.BasicAuth(access.user, access.password.get_secret_value())
        self._web = Web(Reach(timeout_seconds=access.timeout_seconds, auth=auth))
        self._base = f"{access.url.rstrip('/')}/v1/Workspaces/{access.workspace}/TaskQueues"
        self._common = {} if access.task_channel is None else {"TaskChannel": access.task_channel}

    async def current(self, task_queue: str) -> Any:
        """Return the answer about how a task queue stands now. Raises SourceFault."""
        return await self._web.json("GET", f"{self._base}/{task_queue}/RealTimeStatistics", params=self._common)

    async def windowed(self, task_queue: str, minutes: int, target_seconds: int) -> Any:
        """Return the answer about a task queue's last minutes. Raises SourceFault."""
        params = {**self._common, "Minutes": str(minutes), "SplitByWaitTime": str(target_seconds)}
        return await self._web.json("GET", f"{self._base}/{task_queue}/CumulativeStatistics", params=params)

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        await self._web.close()
