"""The ScoreStore port, on SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select

from app.ports.scores import KeptScore
from app.store.engine import Database
from app.store.learning_tables import DEBRIEFS
from app.store.upsert import insert
from app.store.value_tables import CAMPAIGN_SCORES


class SqlScores:
    """The ScoreStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_scores(self, scores: Sequence[KeptScore]) -> None:
        if not scores:
            return
        new = insert(CAMPAIGN_SCORES)
        replaced = {name: new.excluded[name] for name in ("began_at", "is_final", "score")}
        is_better = or_(CAMPAIGN_SCORES.c.is_final.is_(False), new.excluded.is_final)
        put = new.on_conflict_do_update(index_elements=["campaign"], set_=replaced, where=is_better)
        rows = [each._asdict() for each in scores]
        await self._database.write(lambda connection: connection.execute(put, rows))

    async def scores(self, start: datetime, until: datetime) -> Sequence[Mapping[str, object]]:
        column = CAMPAIGN_SCORES.c
        within = column.began_at >= start, column.began_at < until
        query = select(column.score).where(*within).order_by(column.began_at, column.campaign)
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def unscored(self, limit: int) -> Sequence[str]:
        both = DEBRIEFS.outerjoin(CAMPAIGN_SCORES, CAMPAIGN_SCORES.c.campaign == DEBRIEFS.c.campaign)
        has_none = or_(CAMPAIGN_SCORES.c.is_final.is_(None), CAMPAIGN_SCORES.c.is_final.is_(False))
        query = select(DEBRIEFS.c.campaign).select_from(both).where(has_none).order_by(DEBRIEFS.c.campaign).limit(limit)
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))
