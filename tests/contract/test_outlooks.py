"""Every place where outlooks are kept, against what its users rely on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports.outlooks import KeptOutlook
from tests.support.builders import NOW

FIRST = KeptOutlook("default", NOW, 3, b"asked", b"found")


@pytest.fixture
def outlooks(store):
    return store.outlooks


async def test_the_newest_outlook_up_to_an_instant_is_found(outlooks):
    later = replace(FIRST, at=NOW + timedelta(seconds=30), found=b"\x00\xffmore")
    for each in (FIRST, later, replace(FIRST, gate="other", found=b"of another")):
        await outlooks.add_outlook(each)
    assert await outlooks.outlook("default", NOW + timedelta(seconds=29)) == FIRST
    assert await outlooks.outlook("default", NOW + timedelta(days=1)) == later
    assert await outlooks.outlook("default", NOW - timedelta(microseconds=1)) is None
    assert await outlooks.outlook("nowhere", NOW) is None


async def test_another_outlook_of_the_same_instant_takes_its_place(outlooks):
    await outlooks.add_outlook(FIRST)
    await outlooks.add_outlook(replace(FIRST, policy_version=4, found=b"anew"))
    assert await outlooks.outlook("default", NOW) == replace(FIRST, policy_version=4, found=b"anew")


async def test_pruning_deletes_what_is_older_and_nothing_else(outlooks):
    await outlooks.add_outlook(FIRST)
    await outlooks.add_outlook(replace(FIRST, at=NOW + timedelta(seconds=30)))
    assert await outlooks.prune_outlooks(NOW + timedelta(seconds=30)) == 1
    assert await outlooks.outlook("default", NOW + timedelta(seconds=29)) is None
    assert await outlooks.outlook("default", NOW + timedelta(seconds=30)) is not None
