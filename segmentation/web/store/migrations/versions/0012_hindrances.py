"""Why the levels of an image are not made just now, as when a disk is full."""

import sqlalchemy as sql
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the column."""
    op.add_column("pyramids", sql.Column("hindrance", sql.Text))
