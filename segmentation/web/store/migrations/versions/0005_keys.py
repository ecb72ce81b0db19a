"""Keys that all processes share, to sign what browsers keep."""

import secrets

import sqlalchemy as sql
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, and the key of the cookie that names sessions."""
    keys = op.create_table(
        "keys",
        sql.Column("name", sql.String(32), primary_key=True),
        sql.Column("value", sql.String(64), nullable=False),
    )
    op.bulk_insert(keys, [{"name": "sessions", "value": secrets.token_hex(32)}])
