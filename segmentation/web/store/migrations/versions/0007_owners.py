"""Who began a session, and which links a person knows, whom a reverse proxy names."""

import sqlalchemy as sql
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the column and the table."""
    op.add_column("sessions", sql.Column("owner", sql.String(64)))
    op.create_index("ix_sessions_owner", "sessions", ["owner"])
    op.create_table(
        "known_links",
        sql.Column("person", sql.String(64), primary_key=True),
        sql.Column("link", sql.String(32), primary_key=True),
        sql.Column("since", sql.Float, nullable=False),
    )
