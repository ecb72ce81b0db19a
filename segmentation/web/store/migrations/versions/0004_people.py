"""Links that only let look, and who is in a session now."""

import sqlalchemy as sql
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the column and the table."""
    op.add_column("sessions", sql.Column("looking", sql.String(32)))
    op.create_index("ix_sessions_looking", "sessions", ["looking"], unique=True)
    op.create_table(
        "presences",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("person", sql.String(64), primary_key=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("image", sql.String(64), nullable=False),
        sql.Column("view", sql.Text, nullable=False),
        sql.Column("seen", sql.Float, nullable=False),
    )
