"""Whole images of sessions, segmented in the background, and how far items are."""

import sqlalchemy as sql
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the columns."""
    op.add_column("series", sql.Column("image", sql.String(64)))
    op.add_column("series_items", sql.Column("part", sql.Float))
