"""Briefings: written, illustrated, acknowledged."""

from dataclasses import replace
from typing import NamedTuple, Protocol

from app.core.campaign.briefing import MOST_ACKNOWLEDGEMENTS, Acknowledgement, Briefing, Image, Words
from app.core.campaign.campaign import Campaign
from app.core.campaign.images import MOST_IMAGES, file_name, label_faults
from app.core.campaign.wording import acknowledging_faults, words_faults
from app.core.event import Actor, Event, EventType
from app.errors import Conflict, Invalid, NotFound
from app.ports.campaigns import BriefingStore, CampaignStore
from app.ports.clock import Clock
from app.services.briefing_shapes import acknowledgement_shape, image_shape, words_shape
from app.services.pictures import Picture, Pictures
from app.services.shapes import Shape

IMAGE_ID_DIGITS = 20


class Told(Protocol):
    """Whoever must know what a briefing says as soon as it is durable: the campaigns, and through them the gate."""

    def briefing_changed(self, briefing: Briefing) -> None:
        """Take note of a briefing as it is now."""


class Kept(NamedTuple):
    """A briefing after something was done to it, what was done, and whether that changed anything."""

    briefing: Briefing
    is_new: bool


class KeptImage(NamedTuple):
    """An image that is kept now, and whether it was not before."""

    image: Image
    is_new: bool


class Briefings:
    """Briefings of campaigns. `told` learns of each change after it is durable, in the order of the changes."""

    def __init__(self, store: BriefingStore, campaigns: CampaignStore, told: Told, clock: Clock) -> None:
        self._store, self._campaigns, self._told = store, campaigns, told
        self._clock, self._pictures = clock, Pictures()

    async def find(self, campaign_id: str) -> Briefing | None:
        """Return a campaign's briefing, None when it has none. Raises NotFound for an unknown campaign."""
        return await self._store.briefing(campaign_id)

    async def of(self, campaign_id: str) -> Briefing:
        """Return a campaign's briefing. Raises NotFound for an unknown campaign, and for one without a briefing."""
        found = await self.find(campaign_id)
        if found is None:
            raise NotFound(f"campaign {campaign_id!r} has no briefing yet; write it first")
        return found

    async def with_campaign(self, campaign_id: str) -> tuple[Campaign, Briefing]:
        """Return a campaign and its briefing. Raises NotFound for either."""
        return await self._campaigns.campaign(campaign_id), await self.of(campaign_id)

    async def save(self, campaign_id: str, words: Words, actor: Actor, *, expected: int) -> Kept:
        """Make words the briefing's; other words than before are a new version, to be acknowledged anew.

        expected: the version their author read, 0 for none. Raises Invalid with a problem per fault, NotFound for an
        unknown campaign, Conflict when somebody was faster.
        """
        if faults := words_faults(words):
            raise Invalid("the briefing was refused; nothing was changed", faults)
        campaign = await self._campaigns.campaign(campaign_id)
        present = await self.find(campaign_id)
        if present is not None and present.version == expected and present.words == words:
            return Kept(present, is_new=False)
        draft = _briefing(campaign_id, words, actor.name, self._clock, expected + 1)
        before = words_shape(present.words) | {"version": present.version} if present else None
        after = words_shape(words) | {"version": draft.version}
        event = self._event(EventType.BRIEFING_SAVED, campaign, actor, before, after)
        return self._changed(await self._store.save_briefing(draft, event, expected=expected))

    async def add_image(self, campaign_id: str, content: bytes, name: str, alt: str, actor: Actor) -> KeptImage:
        """Keep a picture under a name; alt says what it shows. The same one sent again is kept once.

        Raises Invalid for a bad name, text or picture, NotFound without a briefing, Conflict when there are too many.
        """
        if faults := label_faults(name, alt):
            raise Invalid("the image was refused; nothing was changed", faults)
        campaign, briefing = await self.with_campaign(campaign_id)
        picture = await self._pictures.picture(content)
        image = _image(picture, name, alt, self._clock)
        for there in briefing.images:
            if replace(there, added_at=image.added_at) == image:
                return KeptImage(there, is_new=False)
        event = self._event(EventType.IMAGE_ADDED, campaign, actor, None, image_shape(image))
        kept = await self._store.add_image(campaign_id, image, picture.content, event, most=MOST_IMAGES)
        self._changed(kept)
        return KeptImage(image, is_new=True)

    async def image(self, campaign_id: str, image_id: str) -> tuple[Image, bytes]:
        """Return an image and its bytes. Raises NotFound."""
        return await self._store.image(campaign_id, image_id)

    async def remove_image(self, campaign_id: str, image_id: str, actor: Actor) -> None:
        """Take an image away. Raises NotFound."""
        campaign, briefing = await self.with_campaign(campaign_id)
        before = next((image_shape(image) for image in briefing.images if image.id == image_id), None)
        event = self._event(EventType.IMAGE_REMOVED, campaign, actor, before, None)
        self._changed(await self._store.remove_image(campaign_id, image_id, event))

    async def acknowledge(self, campaign_id: str, by: str, name: str, version: int | None, actor: Actor) -> Kept:
        """Note that somebody (`name`) of a queue or team (`by`) has read the briefing. Again, it changes nothing.

        version: the one they read; None: the present one. Raises Invalid for who is not asked, for a bad name and for
        another version, NotFound without a briefing, Conflict when too many have acknowledged.
        """
        campaign = await self._campaigns.campaign(campaign_id)
        now, is_new = self._clock.now(), False

        def step(briefing: Briefing) -> tuple[Acknowledgement, Event] | None:
            nonlocal is_new
            if faults := acknowledging_faults(briefing, by, name, version):
                raise Invalid("the acknowledgement was refused; nothing was changed", faults)
            if briefing.acknowledged(by) is not None:
                return None
            _refuse_crowd(briefing)
            is_new = True
            given = Acknowledgement(by, name, now, briefing.version)
            after = acknowledgement_shape(given, briefing)
            return given, self._event(EventType.BRIEFING_ACKNOWLEDGED, campaign, actor, None, after)

        kept = await self._store.acknowledge(campaign_id, step)
        return self._changed(kept) if is_new else Kept(kept, is_new=False)

    def _changed(self, briefing: Briefing) -> Kept:
        self._told.briefing_changed(briefing)
        return Kept(briefing, is_new=True)

    def _event(
        self, kind: EventType, campaign: Campaign, actor: Actor, before: Shape | None, after: Shape | None
    ) -> Event:
        return Event(
            kind,
            self._clock.now(),
            actor,
            f"campaign/{campaign.id}",
            gate=campaign.gate,
            campaign=campaign.id,
            before=before,
            after=after,
        )


def _briefing(campaign_id: str, words: Words, author: str, clock: Clock, version: int) -> Briefing:
    said = (words.offer, words.recipients, words.questions, words.links, words.acknowledge_by)
    return Briefing(campaign_id, *said, author, clock.now(), version)


def _image(picture: Picture, name: str, alt: str, clock: Clock) -> Image:
    """Return what is kept of a picture. Its id comes from its bytes, so that the same one sent again has the same."""
    return Image(
        id=f"img_{picture.sha256[:IMAGE_ID_DIGITS]}",
        name=file_name(name, picture.media_type),
        media_type=picture.media_type,
        size=len(picture.content),
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        alt=alt,
        added_at=clock.now(),
    )


def _refuse_crowd(briefing: Briefing) -> None:
    """Raise Conflict where nobody is named and very many have acknowledged: a script must not fill the database."""
    present = sum(1 for each in briefing.acknowledgements if briefing.holds(each))
    if present >= MOST_ACKNOWLEDGEMENTS:
        raise Conflict(f"{present} queues and teams have acknowledged this version already; that is the most it keeps")
