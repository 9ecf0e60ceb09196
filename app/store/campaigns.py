"""The CampaignStore port, on SQL."""

from app.store.engine import Database


class SqlCampaigns:
    """The CampaignStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
