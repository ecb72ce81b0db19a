"""Sessions, journals, images, and the blobs that hold their files.

Takes over the stores of the first versions, which had no migrations: SQLite, the files within ``images``.
"""

import time

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None

FIRST_TABLES = ("images", "events", "sessions")


def upgrade() -> None:
    """Make the tables, with everything from the first versions' tables in them."""
    taken_over = sql.inspect(op.get_bind()).has_table("sessions")
    if taken_over:
        for name in FIRST_TABLES:
            op.rename_table(name, f"first_{name}")
    _make_tables()
    if taken_over:
        _take_over()
        for name in FIRST_TABLES:
            op.drop_table(f"first_{name}")


def _make_tables() -> None:
    op.create_table(
        "sessions",
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("used", sql.Float, nullable=False),
        sql.Column("number", sql.Integer, nullable=False),
        sql.Column("strokes_drawn", sql.Integer, nullable=False),
        sql.Column("journal_bytes", sql.BigInteger, nullable=False),
    )
    op.create_table(
        "events",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("event_id", sql.String(64), nullable=False),
        sql.Column("body", sql.Text, nullable=False),
        sql.UniqueConstraint("session_id", "event_id"),
    )
    op.create_table(
        "blobs",
        sql.Column("key", sql.String(128), primary_key=True),
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), index=True),
        sql.Column("size", sql.BigInteger, nullable=False),
        sql.Column("since", sql.Float, nullable=False),
    )
    op.create_table(
        "images",
        sql.Column("session_id", sql.String(32), sql.ForeignKey("sessions.id"), primary_key=True),
        sql.Column("hash", sql.String(64), primary_key=True),
        sql.Column("name", sql.Text, nullable=False),
        sql.Column("added", sql.Float, nullable=False),
        sql.Column("key", sql.String(128), sql.ForeignKey("blobs.key"), nullable=False),
    )
    op.create_table(
        "contents",
        sql.Column("key", sql.String(128), primary_key=True),
        sql.Column("part", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("content", sql.LargeBinary, nullable=False),
    )
    chores = op.create_table(
        "chores",
        sql.Column("name", sql.String(32), primary_key=True),
        sql.Column("due", sql.Float, nullable=False),
    )
    op.bulk_insert(chores, [{"name": "sweep", "due": 0.0}])


def _take_over() -> None:
    """Nobody knows when a session was last used: today, so that none is removed for its age."""
    now = time.time()
    for statement in (
        f"""
        INSERT INTO sessions (id, name, created, used, number, strokes_drawn, journal_bytes)
        SELECT id, '', created, {now},
            COALESCE(MAX(number), 0),
            COALESCE(SUM(json_extract(body, '$.type') = 'stroke.add'), 0),
            COALESCE(SUM(LENGTH(body)), 0)
        FROM first_sessions LEFT JOIN first_events ON session_id = id GROUP BY id
        """,
        """
        INSERT INTO events (session_id, number, event_id, body)
        SELECT session_id, number, event_id, body FROM first_events
        """,
        f"""
        INSERT INTO blobs (key, session_id, size, since)
        SELECT session_id || '/image/' || hash, session_id, LENGTH(content), {now} FROM first_images
        """,
        """
        INSERT INTO contents (key, part, content)
        SELECT session_id || '/image/' || hash, 0, content FROM first_images
        """,
        f"""
        INSERT INTO images (session_id, hash, name, added, key)
        SELECT session_id, hash, name, {now}, session_id || '/image/' || hash FROM first_images
        """,
    ):
        op.execute(sql.text(statement))
