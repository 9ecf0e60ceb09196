"""What every sender promises, run on each tool's strict fake over real sockets."""

import threading
from contextlib import suppress

import pytest

from app.core.sending.standing import MAY_SEND, OVER, SendingState
from app.ports.senders import SenderBusy, SenderFault, SenderRefused
from tests.support.builders import NOW
from tests.support.memory import SteppedClock
from tests.support.tools import ACME, DITTOFEED, KEILA, LISTMONK, MAILMAN, TOOLS
from tests.support.vendors.strict import Broken, Cut, Limited, Lost, Silent, Truncated, serving

PAUSABLE = [LISTMONK, DITTOFEED, ACME]
RECIPIENTS = 1_000


class Bench:
    """A tool's fake that stands on a clock of its own, and the sender that drives it."""

    def __init__(self, tool, fake):
        self.tool, self.fake, self.clock = tool, fake, SteppedClock(NOW)
        fake.base = self.clock.now
        self.job = fake.add(tool.campaign, RECIPIENTS, tool.ready)
        self.sender = tool.sender(fake.url())

    async def status(self):
        return await self.sender.status(self.tool.campaign)

    async def begin(self):
        """Start it and let it send for a while."""
        await self.sender.start(self.tool.campaign)
        self.clock.move(10)
        return await self.status()


@pytest.fixture
async def bench(request):
    with serving(request.param.make()) as fake:
        bench = Bench(request.param, fake)
        yield bench
        await bench.sender.close()


every_tool = pytest.mark.parametrize("bench", TOOLS, ids=lambda tool: tool.kind, indirect=True)
every_pausable_tool = pytest.mark.parametrize("bench", PAUSABLE, ids=lambda tool: tool.kind, indirect=True)


@every_tool
async def test_a_campaign_that_nobody_began_is_ready_and_nothing_of_it_is_sent(bench):
    standing = await bench.status()
    assert (standing.state, standing.sent) == (SendingState.READY, 0)
    assert (bench.job.sink, bench.fake.commands, bench.fake.complaints) == ([], [], [])


@every_tool
async def test_once_started_it_is_sent(bench):
    standing = await bench.begin()
    assert standing.state in {SendingState.RUNNING, SendingState.FINISHED}
    assert bench.job.sink
    assert bench.fake.commands == [bench.tool.start]


@every_tool
async def test_it_is_finished_once_everybody_was_sent_to_and_nobody_twice(bench):
    await bench.begin()
    bench.clock.move(60)
    standing = await bench.status()
    assert standing.state is SendingState.FINISHED
    assert standing.sent in {RECIPIENTS, None}
    assert bench.job.sink == list(range(RECIPIENTS))


@every_pausable_tool
async def test_a_paused_one_sends_nothing_more_and_counts_what_it_sent(bench):
    await bench.begin()
    await bench.sender.pause(bench.tool.campaign)
    bench.clock.move(60)
    standing = await bench.status()
    assert standing.state is SendingState.PAUSED
    assert standing.sent == len(bench.job.sink) < RECIPIENTS


@every_pausable_tool
async def test_a_resumed_one_goes_on_to_the_end_and_sends_nobody_twice(bench):
    await bench.begin()
    await bench.sender.pause(bench.tool.campaign)
    await bench.sender.resume(bench.tool.campaign)
    bench.clock.move(60)
    assert (await bench.status()).state is SendingState.FINISHED
    assert bench.job.sink == list(range(RECIPIENTS))


@pytest.mark.parametrize("bench", [MAILMAN, KEILA], ids=lambda tool: tool.kind, indirect=True)
async def test_one_that_cannot_be_paused_says_so(bench):
    assert not bench.sender.abilities.can_pause
    with pytest.raises(SenderFault):
        await bench.sender.pause(bench.tool.campaign)
    assert bench.fake.commands == []


@every_tool
async def test_a_tool_that_says_yes_and_does_nothing_is_seen_through(bench):
    bench.fake.deaf.add(bench.tool.start)
    await bench.sender.start(bench.tool.campaign)
    assert (await bench.status()).state is SendingState.READY


@every_pausable_tool
async def test_a_pause_that_was_not_followed_is_seen(bench):
    bench.fake.deaf.add(bench.tool.pause)
    await bench.begin()
    await bench.sender.pause(bench.tool.campaign)
    assert (await bench.status()).state in MAY_SEND


@every_tool
async def test_a_command_whose_answer_was_lost_is_done_all_the_same(bench):
    await bench.status()
    bench.fake.troubles.append(Lost())
    with pytest.raises(SenderFault):
        await bench.sender.start(bench.tool.campaign)
    bench.clock.move(10)
    assert (await bench.status()).state in {SendingState.RUNNING, *OVER}


@every_tool
async def test_wrong_credentials_are_said_clearly_and_not_repeated(bench):
    wrong = {"headers": {"X-Acme-Token": "wrong"}} if bench.tool is ACME else {}
    secret = {"password": "wrong"} if "password" in bench.tool.table else {"bearer_token": "wrong"}
    sender = bench.tool.sender(bench.fake.url(), **(wrong or secret))
    with pytest.raises(SenderRefused) as asked:
        await sender.status(bench.tool.campaign)
    with pytest.raises(SenderRefused):
        await sender.start(bench.tool.campaign)
    await sender.close()
    assert "wrong" not in str(asked.value)
    assert bench.job.sink == []


@every_tool
async def test_a_tool_that_wants_to_be_left_alone_says_for_how_long(bench):
    bench.fake.troubles.append(Limited("7"))
    with pytest.raises(SenderBusy) as busy:
        await bench.status()
    assert busy.value.retry_after_seconds == 7


@every_tool
@pytest.mark.parametrize("trouble", [Truncated(), Cut(), Broken(500), Broken(502)], ids=str)
async def test_half_an_answer_is_none(bench, trouble):
    bench.fake.troubles.append(trouble)
    with pytest.raises(SenderFault) as fault:
        await bench.status()
    assert "canary" not in str(fault.value)


@every_tool
async def test_an_answer_that_takes_too_long_is_none(bench):
    until = threading.Event()
    bench.fake.troubles.append(Silent(until))
    with pytest.raises(SenderFault):
        await bench.status()
    until.set()


@every_tool
async def test_a_tool_that_is_not_there_is_a_fault(bench):
    sender = bench.tool.sender("http://127.0.0.1:1")
    with pytest.raises(SenderFault):
        await sender.status(bench.tool.campaign)
    await sender.close()


@pytest.mark.parametrize("bench", [LISTMONK, KEILA, DITTOFEED, ACME], ids=lambda tool: tool.kind, indirect=True)
async def test_a_campaign_that_the_tool_does_not_know_is_a_fault_and_not_ready(bench):
    with pytest.raises(SenderFault):
        await bench.sender.status("99999")


@pytest.mark.parametrize("bench", [LISTMONK, DITTOFEED, ACME], ids=lambda tool: tool.kind, indirect=True)
async def test_a_state_that_no_version_had_so_far_is_a_fault(bench):
    bench.job.status = "resting"
    with pytest.raises(SenderFault):
        await bench.status()


@every_tool
async def test_an_id_leads_nowhere_but_to_a_campaign(bench):
    with suppress(SenderFault):
        await bench.sender.start("../../elsewhere?x=1#")
    with pytest.raises(SenderFault):
        await bench.sender.status("../../elsewhere?x=1#")
    assert not [asked for asked in bench.fake.asked if "elsewhere" in asked.path.split("/") or "x" in asked.params]
    assert bench.job.sink == []
