"""What people painted into the results of a series."""

import sqlalchemy as sql
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the column."""
    key = sql.Column("corrections_key", sql.String(128), sql.ForeignKey("blobs.key"))
    op.add_column("series", key, inline_references=True)
