"""Lines of the log."""

import datetime
import logging
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from segmentation.web.logs import EventLogger


@pytest.mark.parametrize(
    ("status", "level"), [("200 OK", "INFO"), ("422 X", "INFO"), ("503 X", "WARNING"), ("500 X", "ERROR")]
)
def test_what_passes_is_no_error_of_the_server(status, level, caplog, monkeypatch):
    monkeypatch.setattr("segmentation.web.logs.log_to_stdout", lambda _level: None)
    config = Config()
    config.set("accesslog", "-")
    logger = EventLogger(config)
    with caplog.at_level(logging.INFO):
        answered = SimpleNamespace(status=status, sent=3)
        logger.access(answered, None, {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, datetime.timedelta(seconds=1))
    assert [(one.levelname, one.fields["status"]) for one in caplog.records] == [(level, int(status[:3]))]
