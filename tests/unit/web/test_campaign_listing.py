"""The list of campaigns: filters, places of pages, rows and files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.permit.permit import Spent
from app.services.campaigns import Campaigns
from app.web.campaigns.listing import (
    PAGE,
    SHEET,
    Listed,
    ListQuery,
    campaign_row,
    cursor_of,
    fits,
    found,
    place_of,
    sheet_row,
    states_of,
)

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SPRING = Campaign("spring", "Spring sale", "default", 1_000, "Kim", NOW, kind="offer")


class Kept:
    """Campaigns in a list, newest first, in pages as the service has them."""

    def __init__(self, *campaigns: Campaign) -> None:
        self.kept = campaigns

    async def page(self, *, before: tuple[datetime, str] | None, limit: int, **_filters: Any) -> Sequence[Campaign]:
        later = [each for each in self.kept if before is None or (each.created_at, each.id) < before]
        return later[:limit]

    def progress(self, _campaign: Campaign) -> Any:
        return SimpleNamespace(spent=Spent(sent_last_hour=250))


@pytest.mark.parametrize(("text", "is_found"), [("", True), ("SALE spr", True), ("kim offer", True), ("sale x", False)])
def test_a_text_fits_where_all_its_words_are_somewhere(text, is_found):
    assert fits(SPRING, text) is is_found


def test_groups_of_states_and_single_ones_can_be_asked_for():
    assert states_of(ListQuery(state="draft")) == (CampaignState.DRAFT,)
    assert set(states_of(ListQuery(state="ended"))) == {
        CampaignState.DONE,
        CampaignState.CANCELLED,
        CampaignState.GAVE_UP,
    }
    assert states_of(ListQuery(state="gave_up")) == (CampaignState.GAVE_UP,)
    assert states_of(ListQuery(state="nonsense")) == ()


async def test_a_text_is_looked_for_beyond_the_first_page():
    many = [Campaign(f"c{n}", f"No {n}", "default", 10, "Kim", NOW - timedelta(hours=n)) for n in range(PAGE + 20)]
    campaigns = cast("Campaigns", Kept(*many))
    listed = [each.campaign.id async for each in found(campaigns, ListQuery(q=f"no {PAGE + 10}"), None)]
    assert listed == [f"c{PAGE + 10}"]
    assert [each.sent async for each in found(campaigns, ListQuery(q="c7"), None)][:1] == [250]


def test_a_place_is_found_again_and_what_is_none_is_the_beginning():
    assert place_of(cursor_of(SPRING)) == (NOW, "spring")
    assert place_of("") is None
    assert place_of("yesterday~spring") is None


def test_a_row_says_when_and_how_far():
    row = campaign_row(Listed(SPRING, 250), ZoneInfo("America/Chicago"))
    assert (row.word, row.sent, row.audience, row.fill, row.when_word, row.when) == (
        *("Draft", "250", "1,000", 0.25),
        *("as soon as it may", None),
    )
    began = Campaign("a", "A", "default", 1_000, "Kim", NOW, started_at=NOW)
    shown = campaign_row(Listed(began, 0), ZoneInfo("America/Chicago"))
    assert (shown.when_word, shown.when) == ("began", ("2026-11-23T15:00:00Z", "Mon 23 Nov 09:00"))


def test_a_file_has_a_cell_for_every_column():
    assert len(sheet_row(Listed(SPRING, 250))) == len(SHEET.columns)
