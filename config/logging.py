"""Log lines: for people or as JSON, ours and the libraries', without secrets or customers' data."""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor

# What holds a customer's data by the way it is named; shown at debug only.
WITHHELD = frozenset({"body", "raw", "payload", "document", "documents", "json", "form", "buyer", "ship_to"})
_ROW = re.compile(r"^(DETAIL: ).*", re.MULTILINE)  # PostgreSQL repeats the row that it refuses
QUIETER = {  # libraries that tell at INFO what we tell better, or what nobody should read
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "psycopg.pool": logging.WARNING,
    "rq.worker": logging.WARNING,
}


def setup(log_format: str, log_level: str, *, redaction: Processor, stream: TextIO | None = None) -> None:
    """Log to `stream` (stderr) from `log_level` on, as "console" or "json".

    `redaction` masks secrets: hub.redaction.redact_event, passed in because config imports nothing of ours.
    """
    out = stream or sys.stderr
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        withhold,
        redaction,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *chain,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=[remove, _renderer(log_format, out)])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level.upper())
    for name, level in QUIETER.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    logging.captureWarnings(capture=True)


def withhold(_logger: Any, method: str, event: EventDict) -> EventDict:
    """A processor: bodies and people's data are named, not shown, above debug; bytes never are."""
    open_too = event.get("level", method) == "debug"
    for key, told in event.items():
        if isinstance(told, bytes | bytearray):
            event[key] = f"<{len(told)} bytes>"
        elif key in WITHHELD and not open_too and told is not None:
            event[key] = "<withheld>"
        elif key == "exception" and isinstance(told, str):
            event[key] = _ROW.sub(r"\1<withheld>", told)
    return event


def _renderer(log_format: str, out: TextIO) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    # Plain tracebacks: the pretty ones print every local variable, keys and customers among them.
    return structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
