"""A campaign of a whole holdfire that a fake email tool sends, driven second by second on one clock."""

from typing import Any

from app.core.campaign.machine import CampaignStep
from app.core.event import Actor, EventType
from app.ports.senders import Sender
from tests.support.tools import LISTMONK, Tool
from tests.support.vendors.mailing import Mailer
from tests.support.whole import Whole

ANN = Actor("key_ann", "ann")
WAVES = {"mode": "waves", "audience_per_wave": 1_000, "wave_gap_seconds": 30}
LOOK_SECONDS = 1.0


class Drive:
    """The tool's fake, what drives it, and a floor that stays as it was last told to be."""

    def __init__(self, whole: Whole, fake: Mailer, tool: Tool = LISTMONK) -> None:
        self.whole, self.fake, self.tool = whole, fake, tool
        self.services, self.clock = whole.services, whole.clock
        fake.base = whole.clock.now
        self.floor = whole.quiet
        self.senders: list[Sender] = []
        self.start_anew()

    def start_anew(self) -> None:
        """Let a new process take over, which knows nothing of what the last one did."""
        self.sender = self.tool.sender(self.fake.url())
        self.senders.append(self.sender)
        self.driver = self.services.driving.driver(self.tool.kind, self.tool.kind, self.sender, LOOK_SECONDS)

    async def close(self) -> None:
        for sender in self.senders:
            await sender.close()

    async def begin(self, recipients: int = 2_000, **members: Any) -> None:
        """Announce a campaign that the tool has, and let its gate let it go."""
        handed = {"name": self.tool.kind, "campaigns": [self.tool.campaign]}
        document = {"id": "spring", "title": "Spring", "audience": recipients, "release": WAVES, "sender": handed}
        await self.services.campaigns.create(document | members, ANN)
        await self.services.campaigns.take("spring", CampaignStep.SCHEDULE, ANN, "as agreed")
        await self.second()

    async def start(self) -> None:
        """Let a person start it, one that is released by hand."""
        await self.services.campaigns.take("spring", CampaignStep.START, ANN, "now")

    async def second(self, seconds: float = LOOK_SECONDS) -> None:
        """Let time pass, and do what a running holdfire does about once a second."""
        self.clock.move(seconds)
        await self.floor()
        await self.services.permits.follow()
        await self.services.releases.advance()
        await self.driver.look()

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.second()

    async def until(self, true: Any, most: int = 400) -> None:
        """Let seconds pass until something is true, five at a time while nothing sends; fail when it never is."""
        for _ in range(most):
            if true():
                return
            sends = any(job.since is not None for job in self.fake.jobs.values())
            await self.second(LOOK_SECONDS if sends else 5 * LOOK_SECONDS)
        raise AssertionError(f"not within {most} seconds: {self.job}, {self.services.senders.all()}")

    @property
    def job(self) -> Any:
        return self.fake.jobs[self.tool.campaign]

    @property
    def sent(self) -> int:
        """How many the tool really sent."""
        return len(self.job.sink)

    @property
    def booked(self) -> int:
        return self.services.permits.spent_by_campaign("spring", self.clock.now()).sent_last_hour

    @property
    def campaign(self) -> Any:
        return self.services.campaigns.known("spring")

    @property
    def wave(self) -> Any:
        return self.services.campaigns.book.wave("spring")

    @property
    def health(self) -> Any:
        return self.services.senders.all()[0]

    async def told(self, *kinds: EventType) -> list[Any]:
        """Return the campaign's events of these types, oldest first."""
        written = await self.whole.store.events.events(types=kinds, campaign="spring", limit=1_000)
        return [each.event for each in reversed(written)]
