"""Classifier files that were opened in a session."""

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "classifiers",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("hash", sql.String(64), primary_key=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("added", sql.Float, nullable=False),
        sql.Column("key", sql.String(128), sql.ForeignKey("blobs.key"), nullable=False),
    )
