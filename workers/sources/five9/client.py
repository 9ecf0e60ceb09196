"""Asks Five9's supervisor service for statistics, in a session that it opens itself."""

from dataclasses import dataclass

import httpx2
from pydantic import SecretStr

from workers.sources.five9.soap import SoapFault, Statistics, read, session_question, statistics_question
from workers.sources.five9.translate import COLUMNS, KIND
from workers.systems.faults import BadAnswer, RateLimited
from workers.systems.web import Reach, Web

LARGEST_BYTES = 4 << 20
NO_SESSION_SECONDS = 60.0
_FAULT = 500  # the status of SOAP faults (SOAP 1.1, section 6.2)
_HEADERS = {"accept": "text/xml", "content-type": "text/xml; charset=utf-8", "soapaction": '""'}


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """Where the service is and how to be let in. Holds a secret: never printed."""

    url: str
    user: str
    password: SecretStr
    force_logout: bool
    timeout_seconds: float


class Client:
    """One supervisor; session and connections are kept between two times."""

    def __init__(self, access: Access) -> None:
        auth = httpx2.BasicAuth(access.user, access.password.get_secret_value())
        self._access = access
        self._web = Web(Reach(timeout_seconds=access.timeout_seconds, auth=auth, largest_bytes=LARGEST_BYTES))
        self._in_session = False

    async def statistics(self) -> Statistics:
        """Return how all skills stand; in a new session, once, where ours has ended. Raises SourceFault."""
        if not self._in_session:
            await self._open_session()
            return await self._asked(statistics_question(KIND, COLUMNS))
        try:
            return await self._asked(statistics_question(KIND, COLUMNS))
        except SoapFault:
            self._in_session = False
            return await self.statistics()

    async def close(self) -> None:
        """Let go of connections; the session ends by itself when nobody asks in it."""
        await self._web.close()

    async def _open_session(self) -> None:
        try:
            await self._asked(session_question(force=self._access.force_logout))
        except SoapFault:
            raise RateLimited(
                "it opens no supervisor session: perhaps as many are open as the licence allows, or this user has one"
                " elsewhere",
                NO_SESSION_SECONDS,
            ) from None
        self._in_session = True

    async def _asked(self, question: bytes) -> Statistics:
        try:
            answer = await self._web.ask("POST", self._access.url, content=question, headers=_HEADERS)
        except BadAnswer as fault:
            if fault.status == _FAULT:
                raise SoapFault(f"{fault}: a SOAP fault") from None
            raise
        return read(answer.body)
