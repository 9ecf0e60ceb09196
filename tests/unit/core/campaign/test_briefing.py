from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.briefing import Acknowledgement, Briefing, Link, Question, Words
from app.core.campaign.images import ascii_name, file_name, label_faults, size_fault
from app.core.campaign.wording import (
    LONGEST_OFFER,
    MOST_LINKS,
    MOST_QUESTIONS,
    acknowledging_faults,
    url_fault,
    words_faults,
)
from tests.support.builders import NOW, after

WORDS = Words(
    "20 % off everything,\nuntil Sunday",
    "customers of the last two years",
    (Question("Does it include sale items?", "Yes,\nall of them."),),
    (Link("The offer", "https://shop.example/spring?a=1#top"),),
    ("orders-voice", "retention team"),
)


def a_briefing(*acknowledgements: Acknowledgement, version: int = 1, by: tuple[str, ...] = WORDS.acknowledge_by):
    said = (WORDS.offer, WORDS.recipients, WORDS.questions, WORDS.links, by)
    return Briefing("spring", *said, "crm", NOW, version, (), acknowledgements)


def read(by: str, version: int = 1, seconds: float = 0) -> Acknowledgement:
    return Acknowledgement(by, "Dana", after(seconds), version)


def pointers(words: Words) -> list[str]:
    return [fault.pointer for fault in words_faults(words)]


def test_everybody_named_is_missing_until_they_have_read_the_present_version():
    assert a_briefing().missing == ("orders-voice", "retention team")
    assert a_briefing(read("retention team")).missing == ("orders-voice",)
    assert a_briefing(read("retention team"), read("orders-voice")).missing == ()


def test_an_acknowledgement_of_a_former_version_does_not_count():
    changed = a_briefing(read("retention team"), read("orders-voice"), version=2)
    assert changed.missing == ("orders-voice", "retention team")
    assert not any(changed.holds(each) for each in changed.acknowledgements)
    assert changed.acknowledged("orders-voice") is None


def test_where_nobody_is_named_any_one_will_do():
    assert a_briefing(by=()).missing == ("anybody",)
    assert a_briefing(read("night shift"), by=()).missing == ()
    assert a_briefing(read("night shift"), by=(), version=2).missing == ("anybody",)


def test_who_reads_without_being_asked_clears_nothing():
    assert a_briefing(read("night shift")).missing == WORDS.acknowledge_by


@given(st.lists(st.builds(read, st.sampled_from("abcd"), st.integers(1, 3))), st.integers(1, 3))
def test_nobody_is_missing_exactly_when_all_named_have_read_this_very_version(given_ones, version):
    present = a_briefing(*given_ones, version=version, by=("a", "b"))
    have = {each.by for each in given_ones if each.version == version}
    assert (present.missing == ()) == ({"a", "b"} <= have)


def test_sound_words_have_no_faults():
    assert words_faults(WORDS) == []
    assert words_faults(Words("x" * LONGEST_OFFER, "all")) == []
    assert words_faults(replace(WORDS, offer="Zażółć 🎉 عرض")) == []


@pytest.mark.parametrize("text", ["", "  \n\t", "x" * (LONGEST_OFFER + 1), "a\x00b", "a\x1b[2Jb", "a\ud800b", "a\rb"])
def test_a_text_that_says_nothing_is_too_long_or_cannot_be_shown_is_refused_with_its_place(text):
    assert pointers(replace(WORDS, offer=text)) == ["/offer"]
    questions = (WORDS.questions[0], Question("Why?", text))
    assert pointers(replace(WORDS, questions=questions)) == ["/questions/1/answer"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)", "https://"),
        ("data:text/html,x", "https://"),
        ("ftp://files.example/x", "https://"),
        ("//shop.example/x", "https://"),
        ("shop.example", "https://"),
        ("https:///x", "no host"),
        ("https://user:secret@shop.example/", "password"),
        ("https://shop.example\\@evil.example/", "no URL has"),
        ("https://shop.example/a b", "no URL has"),
        ("https://shop.example/\u202egpj.exe", "no URL has"),
        ("https://[::1", "is no URL"),
        ("https://shop.example:port/", "is no URL"),
        ("https://shop.example/" + "x" * 2000, "2,000"),
    ],
)
def test_a_link_leads_to_a_plain_web_address_or_is_refused(url, said):
    fault = url_fault(url)
    assert fault is not None
    assert said in fault
    assert pointers(replace(WORDS, links=(*WORDS.links, Link("Bad", url)))) == ["/links/1/url"]


@pytest.mark.parametrize(
    "url", ["http://intranet:8080/x", "HTTPS://shop.example", "https://[::1]/", "https://ü.example/ä"]
)
def test_an_absolute_http_or_https_address_is_fine(url):
    assert url_fault(url) is None


def test_too_many_questions_links_and_names_twice_are_refused_at_once_each_with_its_place():
    words = Words(
        "x",
        "y",
        WORDS.questions * (MOST_QUESTIONS + 1),
        WORDS.links * (MOST_LINKS + 1),
        ("night", "day", "night", " x"),
    )
    assert pointers(words) == ["/questions", "/links", "/acknowledge_by/2", "/acknowledge_by/3"]


def test_only_who_is_asked_may_acknowledge_and_the_refusal_lists_them():
    (fault,) = acknowledging_faults(a_briefing(), "sales", "Dana", None)
    assert fault.pointer == "/by"
    assert "orders-voice, retention team" in fault.detail
    assert acknowledging_faults(a_briefing(), "orders-voice", "Dana", 1) == []
    assert acknowledging_faults(a_briefing(by=()), "sales", "Dana", None) == []


def test_nobody_acknowledges_a_version_that_is_not_the_present_one():
    for version in (1, 3):
        (fault,) = acknowledging_faults(a_briefing(version=2), "orders-voice", "Dana", version)
        assert fault.pointer == "/version"
        assert "version 2" in fault.detail


def test_an_acknowledgement_needs_names():
    faults = acknowledging_faults(a_briefing(by=()), "", "Da\nna", None)
    assert [fault.pointer for fault in faults] == ["/by", "/name"]


@pytest.mark.parametrize("name", ["", "..", " . ", "x" * 101, "a/b.png", "..\\b.png", 'a".png', "a\nb.png", "a\x7fb"])
def test_a_name_that_no_file_should_have_is_refused(name):
    assert [fault.pointer for fault in label_faults(name, "a letter")] == ["/query/name"]


def test_an_image_must_say_what_it_shows():
    assert [fault.pointer for fault in label_faults("a.png", " ")] == ["/query/alt"]


@pytest.mark.parametrize(
    ("name", "media_type", "kept"),
    [
        ("a.png", "image/png", "a.png"),
        ("a.JPEG", "image/jpeg", "a.JPEG"),
        ("offer.html", "image/png", "offer.html.png"),
        ("a.png", "image/webp", "a.png.webp"),
        ("png", "image/png", "png.png"),
        (".png", "image/png", ".png.png"),
        ("a.", "image/jpeg", "a.jpg"),
    ],
)
def test_a_kept_name_ends_as_its_bytes_deserve(name, media_type, kept):
    assert file_name(name, media_type) == kept


@given(st.text(min_size=1, max_size=100))
def test_the_plain_form_of_a_name_can_stand_in_any_header(name):
    plain = ascii_name(name)
    assert plain.isascii()
    assert plain.isprintable() or plain == ""
    assert not set('"\\;/%') & set(plain)


def test_size_is_bounded_by_pixels_and_by_side():
    assert size_fault(5000, 5000) is None
    assert "25,000,000" in (size_fault(5001, 5000) or "")
    assert "16,000" in (size_fault(16_001, 1) or "")


def test_words_leave_out_what_happened_to_the_briefing():
    assert a_briefing(read("orders-voice"), version=7).words == WORDS
    assert replace(a_briefing(), saved_at=NOW + timedelta(days=1)).words == WORDS
