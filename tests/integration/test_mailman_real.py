"""The real Mailman 3, driven: what it holds goes to everybody once the floor can take it, and to nobody before."""

import time
from dataclasses import replace

import pytest

from app.core.campaign.campaign import CampaignState
from app.core.sending.standing import SendingState, Standing
from app.ports.senders import SenderFault, SenderRefused
from tests.support.driven import Drive
from tests.support.mailman import PASSWORD, USER, a_mailman
from tests.support.tools import MAILMAN
from tests.support.vendors.mailing import Mailer
from tests.support.whole import a_whole
from workers.senders.registry import configured

MEMBERS = 25
PATIENCE_SECONDS = 60
TABLE = {"type": "mailman", "username": USER, "password": PASSWORD}


@pytest.fixture(scope="module")
def mailman(tmp_path_factory):
    with a_mailman(tmp_path_factory.mktemp("mailman")) as mailman:
        yield mailman


class Real(Mailer):
    """Stands where a fake does, and is the real one."""

    def __init__(self, url):
        super().__init__()
        self.real = url

    def url(self, path=""):
        return f"{self.real}{path}"


def arrived(mailman, name, members=MEMBERS):
    """Return who got the list's message, once it seems to be all."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        got = [each for each in mailman.delivered() if each.startswith(f"{name}-")]
        if len(got) >= members or time.monotonic() > deadline:
            return sorted(got)
        time.sleep(0.1)


def everybody(name):
    return sorted(f"{name}-{number}@example.org" for number in range(MEMBERS))


async def test_what_its_list_holds_is_sent_once_and_only_when_the_floor_can_take_it(mailman, tmp_path):
    mailman.make_list("news", MEMBERS)
    held = mailman.post("news")
    async with a_whole(tmp_path) as whole:
        drive = Drive(whole, Real(mailman.url), replace(MAILMAN, table=TABLE, campaign=held))
        drive.floor = whole.slam
        await drive.begin(MEMBERS, release={"mode": "manual"})
        await drive.seconds(3)
        assert (await drive.sender.status(held)).state is SendingState.READY
        assert mailman.delivered() == []
        drive.floor = whole.quiet
        await drive.second()
        await drive.start()
        for _ in range(5):
            await drive.second()
        assert (drive.booked, drive.campaign.state) == (MEMBERS, CampaignState.DONE)
        assert arrived(mailman, "news") == everybody("news")
        await drive.close()


async def test_it_answers_as_its_fake_does(mailman):
    mailman.make_list("shop", MEMBERS)
    held = mailman.post("shop")
    sender = configured([TABLE | {"url": mailman.url}])["mailman"].make()
    assert await sender.status(held) == Standing(SendingState.READY, 0, MEMBERS)
    await sender.start(held)
    assert await sender.status(held) == Standing(SendingState.FINISHED, MEMBERS, MEMBERS)
    with pytest.raises(SenderFault):
        await sender.start(held)
    for unknown in ("nowhere.example.com/1", "shop.example.com", "shop.example.com/../1"):
        with pytest.raises(SenderFault):
            await sender.status(unknown)
    assert arrived(mailman, "shop") == everybody("shop")
    await sender.close()
    wrong = configured([TABLE | {"url": mailman.url, "password": "wrong"}])["mailman"].make()
    with pytest.raises(SenderRefused):
        await wrong.status(held)
    await wrong.close()
