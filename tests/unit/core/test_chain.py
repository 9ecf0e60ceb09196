from datetime import timedelta
from hashlib import sha256

import pytest

from app.core.chain import START, Break, Entry, Link, canonical, digest, follow
from tests.support.builders import NOW

ENTRY = Entry(
    seq=1,
    type="policy.saved",
    at=NOW + timedelta(microseconds=7),
    actor_id="key1",
    actor_name='Ann "A." Müller',
    subject="gate/default",
    reason="line\nbreak",
    gate="default",
    campaign=None,
    before=None,
    after='{"version":1.50}',
)
CANONICAL = (
    '{"actor":{"id":"key1","name":"Ann \\"A.\\" Müller"},"after":{"version":1.50},"at":"2026-11-21T15:00:00.000007Z",'
    '"before":null,"campaign":null,"gate":"default","reason":"line\\nbreak","seq":1,"subject":"gate/default",'
    '"type":"policy.saved"}'
)


def chained(*entries):
    kept, last = [], START
    for entry in entries:
        last = digest(last, entry)
        kept.append((entry, last))
    return kept


def numbered(count):
    return [ENTRY._replace(seq=seq) for seq in range(1, count + 1)]


def broken_at(kept):
    _, broken = follow(Link(), kept)
    return broken and broken.seq


def test_an_entry_has_one_form_in_every_version_of_holdfire():
    assert canonical(ENTRY).decode() == CANONICAL


def test_a_digest_is_the_sha256_of_the_one_before_and_the_entry():
    assert digest(START, ENTRY) == sha256(bytes(32) + CANONICAL.encode()).digest()
    assert digest(START, ENTRY).hex() == "0f7147f05eb889eeae864e0c93582043b0d00dc60ede7232cac85c9125962bdf"


def test_a_whole_chain_is_followed_to_its_head_also_in_parts():
    kept = chained(*numbered(5))
    whole, broken = follow(Link(), kept)
    assert (whole, broken) == (Link(5, kept[-1][1]), None)
    half, _ = follow(Link(), kept[:2])
    assert follow(half, kept[2:]) == (whole, None)
    assert follow(whole, []) == (whole, None)


@pytest.mark.parametrize("member", [name for name in Entry._fields if name != "seq"])
def test_a_change_of_any_member_breaks_the_chain_where_it_was_made(member):
    kept = chained(*numbered(4))
    changed = NOW if member == "at" else '{"version":1.5}'
    kept[2] = (kept[2][0]._replace(**{member: changed}), kept[2][1])
    link, broken = follow(Link(), kept)
    assert link == Link(2, kept[1][1])
    assert broken == Break(3, "event 3 is not what was written, or an event before it is not")


def test_a_changed_entry_whose_digest_was_changed_too_breaks_at_the_next_one():
    kept = chained(*numbered(4))
    forged = kept[1][0]._replace(reason="forged")
    kept[1] = (forged, digest(kept[0][1], forged))
    assert broken_at(kept) == 3


def test_a_missing_entry_is_named():
    kept = chained(*numbered(4))
    del kept[1]
    assert follow(Link(), kept)[1] == Break(2, "event 2 is missing; the next one there is 3")


def test_swapped_entries_are_found():
    first, second = ENTRY._replace(reason="a"), ENTRY._replace(seq=2, reason="b")
    kept = chained(first, second)
    swapped = [(second._replace(seq=1), kept[1][1]), (first._replace(seq=2), kept[0][1])]
    assert broken_at(swapped) == 1


def test_what_is_no_text_fits_no_digest():
    kept = chained(*numbered(2))
    kept[1] = (kept[1][0]._replace(reason=b"bytes"), kept[1][1])
    assert broken_at(kept) == 2
