"""The tables of people who sign in, of links that let them in, and of browsers in which they are."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Table
from sqlmodel import Field

from app.core.access import Role
from app.core.account.invitation import Purpose
from app.store.tables import StoreTable
from app.store.types import UtcDateTime

_ROLES, _PURPOSES = (", ".join(f"'{word}'" for word in words) for words in (Role, Purpose))


class UserRow(StoreTable, table=True):
    """Somebody who may sign in. password_hash: what argon2 makes of their password, with its own salt and costs."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email <> ''", name="email"),
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
        CheckConstraint("revision >= 1", name="revision"),
    )

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: str
    password_hash: str | None
    created_at: datetime = Field(sa_type=UtcDateTime)
    provider: str
    disabled_at: datetime | None = Field(sa_type=UtcDateTime)
    signed_in_at: datetime | None = Field(sa_type=UtcDateTime)
    revision: int


class InvitationRow(StoreTable, table=True):
    """A link that was handed out and not used yet. email: empty unless it is for joining; nobody can be asked twice."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("length(token_sha256) = 32", name="digest"),
        CheckConstraint(f"purpose IN ({_PURPOSES})", name="purpose"),
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
    )

    id: str = Field(primary_key=True)
    token_sha256: bytes = Field(unique=True)
    purpose: str
    role: str
    made_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    email: str
    user_id: str | None = Field(sa_column_args=[ForeignKey("users.id", ondelete="CASCADE")])


class SessionRow(StoreTable, table=True):
    """A browser in which somebody is signed in."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "expires_at"),
        CheckConstraint("length(id_sha256) = 32", name="digest"),
    )

    id_sha256: bytes = Field(primary_key=True)
    user_id: str = Field(sa_column_args=[ForeignKey("users.id", ondelete="CASCADE")])
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    browser: str


_tables = StoreTable.metadata.tables
USERS: Table = _tables["users"]
INVITATIONS: Table = _tables["invitations"]
SESSIONS: Table = _tables["sessions"]
