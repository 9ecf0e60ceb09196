from app.core.event import EventType
from app.ports.learning import KeptDebrief, Lift
from tests.support.builders import NOW, after, an_event

LIFT = Lift("spring", "orders", NOW, (1.5, 0.25, 0.0))
KEPT = KeptDebrief("spring", after(60), {"campaign": "spring", "n": 1.5}, b"\x00inputs", {"kind": "offer"}, (LIFT,))


def told(campaign="spring"):
    return an_event(EventType.CAMPAIGN_CREATED, campaign=campaign)


async def test_a_debrief_is_read_back_whole(store):
    assert await store.debriefs.debrief("spring") is None
    assert await store.debriefs.save_debrief(KEPT, told()) is True
    assert await store.debriefs.debrief("spring") == KEPT
    assert len(await store.events.events(campaign="spring")) == 1


async def test_a_campaign_is_debriefed_once_and_told_of_once(store):
    other = KeptDebrief("spring", after(90), {}, b"")
    assert await store.debriefs.save_debrief(KEPT, told()) is True
    assert await store.debriefs.save_debrief(other, told()) is False
    assert await store.debriefs.debrief("spring") == KEPT
    assert len(await store.events.events(campaign="spring")) == 1
    assert await store.debriefs.debriefed() == {"spring"}


async def test_lessons_come_in_the_order_in_which_they_were_taught(store):
    for number, lesson in enumerate([{"kind": "late"}, None, {"kind": "early"}]):
        kept = KeptDebrief(f"c{number}", after(-number), {}, b"", lesson)
        await store.debriefs.save_debrief(kept, told(kept.campaign))
    assert await store.debriefs.lessons() == [{"kind": "early"}, {"kind": "late"}]


async def test_lifts_are_those_of_the_debriefs_made_since(store):
    await store.debriefs.save_debrief(KEPT, told())
    assert await store.debriefs.lifts(after(60)) == [LIFT]
    assert await store.debriefs.lifts(after(61)) == []
