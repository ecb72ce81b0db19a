"""What must not be lost: sessions, their journals of events, and the images, in one database.

Where that is SQLite, large files lie beside it.

The server keeps everything else only as a cache, so that any process can answer any request and each may be
killed at any moment. ``tables.py`` says what is kept, ``database.py`` reaches it and knows its schema, ``blobs.py``
holds the content of files, ``beside.py`` that of large ones beside SQLite, and ``files.py`` says whose they are,
``sessions.py`` is what the page asks for, ``opening.py`` leads from the settings to it, ``migrations/`` brings older
stores up to date, ``backup.py`` makes one file of all and a store of that.
"""

from segmentation.web.store.backup import BackupError
from segmentation.web.store.errors import (
    DiskFullError,
    SchemaError,
    StoreAwayError,
    StoreError,
    StoreFullError,
    UnknownImageError,
    UnknownSessionError,
)
from segmentation.web.store.opening import back_up, migrate, open_store, restore
from segmentation.web.store.records import Limits, NewImage, NumberedEvent, SessionSummary, StoredImage
from segmentation.web.store.sessions import Store

__all__ = [
    "BackupError",
    "DiskFullError",
    "Limits",
    "NewImage",
    "NumberedEvent",
    "SchemaError",
    "SessionSummary",
    "Store",
    "StoreAwayError",
    "StoreError",
    "StoreFullError",
    "StoredImage",
    "UnknownImageError",
    "UnknownSessionError",
    "back_up",
    "migrate",
    "open_store",
    "restore",
]
