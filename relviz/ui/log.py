"""The server's log: one JSON object per line, each with the id of the script run it belongs to."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_request: ContextVar[str] = ContextVar("request", default="")


class JsonLines(logging.Formatter):
    """Time, level, request id, event and the record's `facts`; a traceback is one more field, never more lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "request": _request.get() or None,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def start_log() -> None:
    """Write what relviz and the web server under it report to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name in ("relviz", "uvicorn"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO)


def new_request() -> str:
    """Give the present script run an id of its own."""
    _request.set(secrets.token_hex(3))
    return _request.get()


def request_id() -> str:
    """The id of the present script run; a fragment's run has none until it is asked for."""
    return _request.get() or new_request()


def report(event: str, **facts: Any) -> None:
    """Log an event of the present script run."""
    logging.getLogger("relviz.ui").info(event, extra={"facts": facts})


def report_failure(error: BaseException, event: str) -> str:
    """Log an unforeseen error with its traceback; returns the id under which it is found."""
    found = request_id()
    logging.getLogger("relviz.ui").error(event, exc_info=error)
    return found
