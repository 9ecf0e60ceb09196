"""Asks CXone: a token for an access key, and the activity of the skills."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from workers.systems.faults import BadAnswer, Refused, TranslateError
from workers.systems.web import Reach, Web

RENEW_SECONDS = 60.0
_WRONG_KEY = 400  # what some answer, beside 401, to a key that they do not know


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """Where a tenant is and how to be let in. Holds secrets: never printed."""

    token_url: str
    activity_url: str
    key_id: str
    key_secret: SecretStr
    timeout_seconds: float


class Client:
    """One tenant; token and connections are kept between two times."""

    def __init__(self, access: Access) -> None:
        self._access, self._web = access, Web(Reach(timeout_seconds=access.timeout_seconds))
        self._token, self._good_until = "", 0.0
        self._signing_in = asyncio.Lock()

    async def activity(self) -> Any:
        """Return the answer about all skills; with a new token, once, where ours is not taken. Raises SourceFault."""
        kept = self._token
        token = await self._good_token()
        try:
            return await self._asked(token)
        except Refused:
            if token != kept:
                raise  # a new one is not taken either
            self._token = ""
            return await self._asked(await self._good_token())

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        await self._web.close()

    async def _asked(self, token: str) -> Any:
        headers = {"authorization": f"Bearer {token}"}
        return await self._web.json("GET", self._access.activity_url, headers=headers)

    async def _good_token(self) -> str:
        async with self._signing_in:
            if not self._token or time.monotonic() >= self._good_until - RENEW_SECONDS:
                self._token = await self._new_token()
            return self._token

    async def _new_token(self) -> str:
        key = {"accessKeyId": self._access.key_id, "accessKeySecret": self._access.key_secret.get_secret_value()}
        headers = {"content-type": "application/json"}
        try:
            said = await self._web.json(
                "POST", self._access.token_url, content=json.dumps(key).encode(), headers=headers
            )
        except BadAnswer as fault:
            if fault.status == _WRONG_KEY:
                raise Refused("the token service does not accept our access key") from None
            raise
        token, lasts = (said.get("access_token"), said.get("expires_in")) if isinstance(said, dict) else (None, None)
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not isinstance(lasts, int):
            raise TranslateError("the token service answers without access_token or expires_in")
        self._good_until = time.monotonic() + lasts
        return token
