"""Logs: one line of JSON on standard output for each event, without the links of sessions in it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from gunicorn.glogging import Logger

LONGEST_PATH = 200
SESSION_ID = re.compile(r"(?<![\w-])(?:look-)?(?=[\w-]*[A-Z0-9])[\w-]{22}(?![\w-])")
"""What may be the id in one of a session's links: 128 random bits as :func:`secrets.token_urlsafe` writes them."""


def without_links(text: str) -> str:
    """A text in which ids of sessions are replaced by a part of their hash, which still tells them apart."""
    return SESSION_ID.sub(lambda found: "~" + hashlib.sha256(found[0].encode()).hexdigest()[:8], text)


PASSING = 503
"""Status of an answer that says what passes, such as that an image is prepared: no error of the server."""


class OneLine(logging.Formatter):
    """Writes a record as one line of JSON; what is in the record's ``fields`` stands beside the event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps({key: without_links(v) if isinstance(v, str) else v for key, v in line.items()})


def log_to_stdout(level: int = logging.INFO) -> None:
    """Let all loggers write to standard output, one line an event; other people's packages only what is amiss."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLine())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.getLogger("segmentation").setLevel(level)


class EventLogger(Logger):  # type: ignore[misc]
    """What gunicorn has to say, and each request that it has answered."""

    def setup(self, cfg: Any) -> None:
        """Follow gunicorn's configuration."""
        super().setup(cfg)
        log_to_stdout(self.loglevel)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """One line about a request; the query is left out, since it may name a person's files."""
        if self.access_log_enabled:
            status = int(str(resp.status).split(maxsplit=1)[0])
            fields = {
                "method": environ["REQUEST_METHOD"][:16],
                "path": environ.get("PATH_INFO", "")[:LONGEST_PATH],
                "status": status,
                "ms": round(request_time.total_seconds() * 1000),
                "bytes": resp.sent or 0,
            }
            level = logging.INFO if status < 500 else logging.WARNING if status == PASSING else logging.ERROR
            self.access_log.log(level, "request", extra={"fields": fields})
