"""The tables of the store. A change here needs a migration: CONTRIBUTING.md says how to add one."""

from __future__ import annotations

import sqlalchemy as sql

metadata = sql.MetaData()

sessions = sql.Table(
    "sessions",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("used", sql.Float, nullable=False),
    # of the last event; a transaction that appends locks this row
    sql.Column("number", sql.Integer, nullable=False),
    sql.Column("strokes_drawn", sql.Integer, nullable=False),
    sql.Column("journal_bytes", sql.BigInteger, nullable=False),
    # id of the link that only lets look; none until somebody asks for it
    sql.Column("looking", sql.String(32), index=True, unique=True),
    # id of the person who began it, if a reverse proxy named them; else of their browser
    sql.Column("owner", sql.String(64), index=True),
    # id of the link to work in it; none as long as that is the session's own
    sql.Column("working", sql.String(32), index=True, unique=True),
)
# ids in the links of a session that were taken back
former_links = sql.Table(
    "former_links",
    metadata,
    sql.Column("link", sql.String(32), primary_key=True),
    sql.Column("session_id", sql.ForeignKey("sessions.id"), index=True, nullable=False),
    sql.Column("since", sql.Float, nullable=False),
)
# ids in the links that people have met, whom a reverse proxy names
known_links = sql.Table(
    "known_links",
    metadata,
    sql.Column("person", sql.String(64), primary_key=True),
    sql.Column("link", sql.String(32), primary_key=True),
    sql.Column("since", sql.Float, nullable=False),
)
# who is in a session now; rows of people who have not been seen for some seconds count for nothing
presences = sql.Table(
    "presences",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("person", sql.String(64), primary_key=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("image", sql.String(64), nullable=False),
    sql.Column("view", sql.Text, nullable=False),
    sql.Column("seen", sql.Float, nullable=False),
)
events = sql.Table(
    "events",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("event_id", sql.String(64), nullable=False),
    sql.Column("body", sql.Text, nullable=False),
    sql.UniqueConstraint("session_id", "event_id"),
)
blobs = sql.Table(
    "blobs",
    metadata,
    sql.Column("key", sql.String(128), primary_key=True),
    # none while the file is on its way in or out: a blob that stays without a session is swept away
    sql.Column("session_id", sql.ForeignKey("sessions.id"), index=True),
    sql.Column("size", sql.BigInteger, nullable=False),
    sql.Column("since", sql.Float, nullable=False),
)
images = sql.Table(
    "images",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("hash", sql.String(64), primary_key=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("added", sql.Float, nullable=False),
    sql.Column("key", sql.ForeignKey("blobs.key"), nullable=False),
)
# files with the coarser levels of images that lack them: made once, in the background
pyramids = sql.Table(
    "pyramids",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    # of the image
    sql.Column("hash", sql.String(64), primary_key=True),
    sql.Column("wanted", sql.Float, nullable=False),
    # how much of it is made, from 0 to 1, and why it cannot be
    sql.Column("part", sql.Float, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    # why it does not go on just now, if that is to be told
    sql.Column("hindrance", sql.Text),
    # the claim of the process that makes it; when that ends unless it is renewed, or has ended, or until when it is
    # left; and how many got nowhere
    sql.Column("owner", sql.String(64), nullable=False),
    sql.Column("until", sql.Float, nullable=False),
    sql.Column("tries", sql.Integer, nullable=False),
    # none until it is made
    sql.Column("key", sql.ForeignKey("blobs.key")),
)
# classifier files that were opened, known by the hash of their bytes
classifiers = sql.Table(
    "classifiers",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("hash", sql.String(64), primary_key=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("added", sql.Float, nullable=False),
    sql.Column("key", sql.ForeignKey("blobs.key"), nullable=False),
)
# images that a classifier, whose file is kept with them, is applied to in the background
series = sql.Table(
    "series",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("created", sql.Float, nullable=False),
    sql.Column("running", sql.Boolean, nullable=False),
    sql.Column("key", sql.ForeignKey("blobs.key"), nullable=False),
    # of the file of what people painted into results, if they did
    sql.Column("corrections_key", sql.ForeignKey("blobs.key")),
    # hash of an image of the session, if this is the segmentation of all of it, whose file its only item shares
    sql.Column("image", sql.String(64)),
)
series_items = sql.Table(
    "series_items",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("series_id", sql.String(32), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("bytes", sql.BigInteger, nullable=False),
    sql.Column("key", sql.ForeignKey("blobs.key"), nullable=False),
    # waiting, working, done or failed
    sql.Column("state", sql.String(8), nullable=False),
    # the worker's claim on it, and when that ends unless it is renewed
    sql.Column("owner", sql.String(64), nullable=False),
    sql.Column("until", sql.Float, nullable=False),
    sql.Column("tries", sql.Integer, nullable=False),
    sql.Column("ended", sql.Float, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("pages", sql.Text, nullable=False),
    sql.Column("result_key", sql.ForeignKey("blobs.key")),
    sql.Column("picture_key", sql.ForeignKey("blobs.key")),
    sql.Column("objects_key", sql.ForeignKey("blobs.key")),
    # hash of the classifier file that the result comes from; none: that of the series
    sql.Column("made_by", sql.String(32)),
    # how much of it is done while it is worked on, from 0 to 1; only of an image that is read part by part
    sql.Column("part", sql.Float),
    sql.ForeignKeyConstraint(["session_id", "series_id"], ["series.session_id", "series.id"]),
    sql.Index("ix_series_items_state", "state", "until"),
)
# what the blobs hold, in parts, unless an object store holds it
contents = sql.Table(
    "contents",
    metadata,
    sql.Column("key", sql.String(128), primary_key=True),
    sql.Column("part", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("content", sql.LargeBinary, nullable=False),
)
# what one process does for all processes, and when it is due again
chores = sql.Table(
    "chores",
    metadata,
    sql.Column("name", sql.String(32), primary_key=True),
    sql.Column("due", sql.Float, nullable=False),
)
# keys in hexadecimal digits, to sign what browsers keep
keys = sql.Table(
    "keys",
    metadata,
    sql.Column("name", sql.String(32), primary_key=True),
    sql.Column("value", sql.String(64), nullable=False),
)

BELONGING_TO_A_SESSION = [
    table for table in reversed(metadata.sorted_tables) if "session_id" in table.c and table is not blobs
]
"""Tables whose rows go when their session goes, in an order that no foreign key minds."""
