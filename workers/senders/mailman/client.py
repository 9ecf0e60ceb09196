"""Drives Mailman 3 by its REST API: a message that its list holds is accepted, which sends it to every member.

https://docs.mailman3.org/projects/mailman/en/latest/src/mailman/rest/docs/post-moderation.html, read November 2026.
"""

from collections.abc import Callable

from app.core.sending.standing import Abilities, Standing
from app.ports.senders import Sender, SenderFault
from workers.senders.mailman.translate import check_held, list_and_request, members_of, standing
from workers.senders.speaking import Declined, Speaker, step
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

_GONE = 404


def configured(table: Table) -> Callable[[], Sender]:
    """Return what makes the sender of {type="mailman", url, username, password}."""
    url, reach = table.url("url"), reach_of(table)
    return lambda: Mailman(url, reach)


class Mailman:
    """The Sender port on Mailman 3. A campaign is a held message: its list, a slash, and its request's number."""

    def __init__(self, url: str, reach: Reach) -> None:
        self._speaker = Speaker(url, reach)
        self._sent_to: dict[str, int] = {}

    @property
    def abilities(self) -> Abilities:
        return Abilities(can_pause=False)

    async def status(self, campaign: str) -> Standing:
        mailing_list, request = list_and_request(campaign)
        members = members_of(await self._speaker.ask(f"/3.1/lists/{step(mailing_list)}"))
        try:
            check_held(await self._speaker.ask(f"/3.1/lists/{step(mailing_list)}/held/{request}"), request)
        except Declined as fault:
            if fault.status != _GONE:
                raise
            return standing(is_held=False, members=self._sent_to.get(campaign, members))
        self._sent_to[campaign] = members
        return standing(is_held=True, members=members)

    async def start(self, campaign: str) -> None:
        mailing_list, request = list_and_request(campaign)
        path = f"/3.1/lists/{step(mailing_list)}/held/{request}"
        await self._speaker.tell("POST", path, form={"action": "accept"})

    async def resume(self, campaign: str) -> None:
        await self.start(campaign)

    async def pause(self, campaign: str) -> None:
        raise SenderFault(f"Mailman cannot take back a message that it accepted ({campaign})")

    async def close(self) -> None:
        await self._speaker.close()
