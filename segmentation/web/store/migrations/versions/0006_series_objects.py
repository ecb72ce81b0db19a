"""The objects of the images of a series, and which classifier made a result."""

import sqlalchemy as sql
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the columns."""
    key = sql.Column("objects_key", sql.String(128), sql.ForeignKey("blobs.key"))
    op.add_column("series_items", key, inline_references=True)
    op.add_column("series_items", sql.Column("made_by", sql.String(32)))
