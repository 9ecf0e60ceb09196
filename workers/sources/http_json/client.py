"""Asks one address for one JSON document."""

from dataclasses import dataclass

from workers.systems.web import Answer, Reach, Web

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What is asked: GET, or POST with a body that is always the same."""

    method: str
    url: str
    body: bytes | None


class Client:
    """Asks the question; connections are kept between two times."""

    def __init__(self, reach: Reach, question: Question) -> None:
        self._web, self._question = Web(reach), question

    async def answer(self) -> Answer:
        """Return what the system answers. Raises SourceFault."""
        asked = self._question
        headers = JSON if asked.body is not None else None
        return await self._web.ask(asked.method, asked.url, content=asked.body, headers=headers)

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        await self._web.close()
