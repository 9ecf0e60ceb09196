"""What a grant looks at does not grow with what was: it finds permits by id, or among those that are live."""

import re
from dataclasses import replace

import pytest

from app.core.event import HOLDFIRE
from app.core.permit.permit import Permit, PermitState
from app.core.permit.steps import granted, report
from app.ports.decisions import DecisionRow
from app.ports.permits import Grant, PermitAsk
from tests.integration.test_store_plans import plans
from tests.support.builders import NOW, after
from tests.support.databases import a_store

PERMIT = Permit("prm_1", "default", "spring", "key1", "dec_1", 9, 9, PermitState.ACTIVE, NOW, after(60))
FEW = r"SEARCH permits USING (COVERING )?INDEX (sqlite_autoindex_permits_1|ix_permits_live\w*)\b.*"
LIVE_SCAN = r"SCAN permits USING (COVERING )?INDEX ix_permits_live\w*"
PAGES = r"(SEARCH|SCAN) permits USING INDEX ix_permits_\w*granted_at_id\b.*"


def ask(permit: Permit) -> PermitAsk:
    row = DecisionRow(permit.decision_id, "asked", "default", permit.granted_at, "send", 1, "")
    grant = Grant(permit, row, (granted(permit, HOLDFIRE),), b"{}")
    return PermitAsk("default", "spring", "key1", permit.granted_at, lambda *_: grant, permit.id, b"1" * 32)


NEXT = replace(PERMIT, id="prm_2", decision_id="dec_2", granted_at=after(70), expires_at=after(130))
CALLS = {
    "grant": (FEW, lambda s: s.permits.grant(ask(NEXT))),
    "change": (FEW, lambda s: s.permits.change("prm_1", NOW, lambda permit: report(permit, 3, HOLDFIRE, NOW))),
    "a gate's live": (FEW, lambda s: s.permits.change_live("default", None, NOW, lambda _: None)),
    "a campaign's live": (FEW, lambda s: s.permits.change_live(None, "spring", NOW, lambda _: None)),
    "expire_due": (FEW, lambda s: s.permits.expire_due(after(60))),
    "permit": (FEW, lambda s: s.permits.permit("prm_1")),
    "held": (LIVE_SCAN, lambda s: s.permits.held(NOW)),
    "spent": (LIVE_SCAN, lambda s: s.permits.spent(NOW)),
    "spent_by_campaign": (FEW, lambda s: s.permits.spent_by_campaign(["spring"], NOW)),
    "newest": (PAGES, lambda s: s.permits.permits()),
    "a gate's": (PAGES, lambda s: s.permits.permits(gate="default", before=(NOW, "prm_1"))),
    "a campaign's": (PAGES, lambda s: s.permits.permits(campaign="spring")),
}


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        await opened.permits.grant(ask(PERMIT))
        yield opened


@pytest.mark.parametrize("name", CALLS)
async def test_permits_are_found_by_id_or_among_the_live_ones(store, name):
    found, call = CALLS[name]
    steps = await plans(store, lambda: call(store))
    looked = [step for step in steps if re.match(r"(SEARCH|SCAN) permits\b", step)]
    assert looked
    for step in looked:
        assert re.fullmatch(found, step), step
    assert not [step for step in steps if re.search("ORDER BY|SCAN permit_(ledger|repeats)$", step)], steps


@pytest.mark.parametrize("campaign", [None, "spring"])
async def test_sendings_are_found_among_those_granted_lately_and_those_that_are_live(store, campaign):
    steps = await plans(store, lambda: store.permits.sendings(NOW, campaign=campaign))
    lately, live = (step for step in steps if re.match(r"(SEARCH|SCAN) permits\b", step))
    assert re.fullmatch(r"SEARCH permits USING INDEX ix_permits_(campaign_)?granted_at_id \(.*granted_at>\?\)", lately)
    assert re.fullmatch(rf"{FEW}|{LIVE_SCAN}", live)
