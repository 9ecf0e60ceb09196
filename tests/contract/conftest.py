"""Every suite in this folder runs on every store."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from app.clocks import DataClock
from app.ports.sessions import SessionStore
from app.ports.users import InvitationStore, UserStore
from app.store.invitations import SqlInvitations
from app.store.sessions import SqlSessions
from app.store.users import SqlUsers
from tests.support.builders import NOW
from tests.support.databases import STORES, a_store
from tests.support.memory_people import MemoryPeople


@pytest.fixture
def clock():
    return DataClock(NOW)


@pytest.fixture(params=STORES)
def kind(request):
    return request.param


@pytest.fixture
async def store(kind, tmp_path, clock):
    async with a_store(tmp_path, kind, clock) as opened:
        yield opened


class People(NamedTuple):
    """The ports of people, their links and their browsers, on one store."""

    users: UserStore
    links: InvitationStore
    sessions: SessionStore


@pytest.fixture(params=(*STORES, "memory"))
async def people(request, tmp_path, clock) -> AsyncIterator[People]:
    if request.param == "memory":
        memory = MemoryPeople()
        yield People(memory, memory, memory)
        return
    async with a_store(tmp_path, request.param, clock) as opened:
        database = opened.database
        yield People(SqlUsers(database), SqlInvitations(database), SqlSessions(database))
