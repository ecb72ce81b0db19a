"""Links to work that came for others, and links that were taken back."""

import sqlalchemy as sql
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the column and the table."""
    op.add_column("sessions", sql.Column("working", sql.String(32)))
    op.create_index("ix_sessions_working", "sessions", ["working"], unique=True)
    op.create_table(
        "former_links",
        sql.Column("link", sql.String(32), primary_key=True),
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), nullable=False),
        sql.Column("since", sql.Float, nullable=False),
    )
    op.create_index("ix_former_links_session_id", "former_links", ["session_id"])
