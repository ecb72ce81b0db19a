"""Series of images that a classifier is applied to in the background."""

import sqlalchemy as sql
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "series",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("running", sql.Boolean, nullable=False),
        sql.Column("key", sql.String(128), sql.ForeignKey("blobs.key"), nullable=False),
    )
    op.create_table(
        "series_items",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("series_id", sql.String(32), primary_key=True),
        sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("bytes", sql.BigInteger, nullable=False),
        sql.Column("key", sql.String(128), sql.ForeignKey("blobs.key"), nullable=False),
        sql.Column("state", sql.String(8), nullable=False),
        sql.Column("owner", sql.String(64), nullable=False),
        sql.Column("until", sql.Float, nullable=False),
        sql.Column("tries", sql.Integer, nullable=False),
        sql.Column("ended", sql.Float, nullable=False),
        sql.Column("reason", sql.Text, nullable=False),
        sql.Column("pages", sql.Text, nullable=False),
        sql.Column("result_key", sql.String(128), sql.ForeignKey("blobs.key")),
        sql.Column("picture_key", sql.String(128), sql.ForeignKey("blobs.key")),
        sql.ForeignKeyConstraint(["session_id", "series_id"], ["series.session_id", "series.id"]),
    )
    op.create_index("ix_series_items_state", "series_items", ["state", "until"])
