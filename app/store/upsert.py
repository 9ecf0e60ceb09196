"""INSERT … ON CONFLICT, as PostgreSQL and SQLite both understand it.

SQLAlchemy has one `insert` per database. PostgreSQL's is compiled for SQLite as well, word for word the same; the other
way around fails. The contract suites run every statement made with it on both.
"""

from sqlalchemy.dialects.postgresql import Insert, insert

__all__ = ["Insert", "insert"]
