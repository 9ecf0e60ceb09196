import pytest

from app.core.debrief.tagging import Place, TaggedContact, tagged_contacts
from tests.support.builders import NOW, a_contact, after

QUEUED = a_contact("queued", after(299), channel="voice", campaign="spring")


def test_a_contact_that_names_no_campaign_is_none():
    assert tagged_contacts([a_contact("queued", reason="price")]) == ()


@pytest.mark.parametrize(("seconds", "bucket"), [(0, 0), (299.9, 0), (300, 300), (-1, -300)])
def test_it_is_counted_in_the_five_minutes_in_which_it_queued(seconds, bucket):
    (contact,) = tagged_contacts([a_contact("queued", after(seconds), campaign="spring")])
    assert contact.place == Place("spring", "orders-voice", "", "", after(bucket))


def test_what_is_said_last_counts_and_what_is_said_at_once_in_the_order_of_a_contacts_life():
    first = QUEUED._replace(reason="menu 3")
    wrapped_up = a_contact("completed", after(900), reason="complaint", channel="chat")
    at_once = a_contact("answered", after(900), reason="transfer")
    (contact,) = tagged_contacts([wrapped_up, at_once, first])
    assert (contact.reason, contact.channel, contact.queued_at) == ("complaint", "chat", after(299))


def test_a_reason_given_with_one_campaign_says_nothing_of_another():
    other = a_contact("completed", after(900), campaign="summer", reason="price")
    spring, summer = tagged_contacts([QUEUED, other])
    assert (spring.campaign, spring.reason) == ("spring", "")
    assert (summer.campaign, summer.reason) == ("summer", "price")


def test_without_its_queueing_it_has_no_place_yet():
    (contact,) = tagged_contacts([a_contact("completed", campaign="spring")])
    assert (contact.place, contact.queue) == (None, "orders-voice")


def test_what_was_known_before_stays_where_nothing_new_is_known():
    before = TaggedContact("c-1", "spring", "orders-voice", "voice", "price", NOW)
    (now,) = tagged_contacts([a_contact("completed", after(9), queue="billing")], ["spring"])
    assert now.after(before) == before
    assert now.after(None) == now
