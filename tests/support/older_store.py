"""The tables of a store as the first versions made them."""

FIRST_VERSION = """
CREATE TABLE sessions (id VARCHAR(32) NOT NULL, created FLOAT NOT NULL, PRIMARY KEY (id));
CREATE TABLE events (
    session_id VARCHAR(32) NOT NULL, number INTEGER NOT NULL, event_id VARCHAR(64) NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (session_id, number), UNIQUE (session_id, event_id),
    FOREIGN KEY(session_id) REFERENCES sessions (id)
);
CREATE TABLE images (
    session_id VARCHAR(32) NOT NULL, hash VARCHAR(64) NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (session_id, hash), FOREIGN KEY(session_id) REFERENCES sessions (id)
);
"""
