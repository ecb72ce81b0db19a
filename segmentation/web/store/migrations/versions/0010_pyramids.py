"""The coarser levels that are made of images which lack them."""

import sqlalchemy as sql
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pyramids",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("hash", sql.String(64), primary_key=True),
        sql.Column("wanted", sql.Float, nullable=False),
        sql.Column("part", sql.Float, nullable=False),
        sql.Column("reason", sql.Text, nullable=False),
        sql.Column("owner", sql.String(64), nullable=False),
        sql.Column("until", sql.Float, nullable=False),
        sql.Column("tries", sql.Integer, nullable=False),
        sql.Column("key", sql.String(128), sql.ForeignKey("blobs.key")),
    )
