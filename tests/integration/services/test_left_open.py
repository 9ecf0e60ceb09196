"""What a source began and did not end, read back from a real stream after a start."""

from datetime import timedelta

from app.core.floor.contact import ContactEvent, ContactEventKind
from tests.support.builders import NOW
from tests.support.whole import a_whole

Kind = ContactEventKind


def told(contact, kind, seconds, source="pbx"):
    return ContactEvent(contact, "sales", kind, NOW - timedelta(seconds=seconds), source, agent="Ann")


async def test_contacts_that_are_over_or_anothers_or_too_old_are_left_out(tmp_path):
    async with a_whole(tmp_path) as whole:
        ingest = whole.services.ingest
        await ingest.contacts([told("long ago", Kind.QUEUED, 9_000)])
        whole.clock.move(3_600)
        waiting, talking = told("waiting", Kind.QUEUED, 60), told("talking", Kind.ANSWERED, 30)
        await ingest.contacts([told("over", Kind.ABANDONED, 20), talking, waiting, told("other", Kind.QUEUED, 5, "x")])
        await ingest.contacts([told("over", Kind.QUEUED, 50), told("talking", Kind.QUEUED, 40)])
        left = await ingest.left_open("pbx", whole.clock.now() - timedelta(minutes=30))
        assert sorted(left) == sorted([talking, waiting])
        assert await ingest.left_open("nobody", NOW - timedelta(hours=4)) == []
