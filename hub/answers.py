"""What a channel's answer means where its own table is silent: the fault, its words, how long to wait. Pure."""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hub.faults import Fault
from hub.model import Reply

SENTENCE_LIMIT = 2**20  # no channel needs more to say what is wrong
LONGEST_WAIT = 3600.0  # a Retry-After beyond this is taken for this

FAULTS_BY_STATUS = {
    401: Fault.AUTH,
    403: Fault.AUTH,
    404: Fault.MISSING,
    408: Fault.TRANSIENT,
    410: Fault.MISSING,
    425: Fault.TRANSIENT,
    429: Fault.THROTTLED,
}

_SENTENCES = (
    "message", "error_description", "error_message", "errormessage", "detail", "msg", "mensagem", "descricao",
    "description", "reason", "msgs", "errors", "error", "fault", "erros", "erro", "title", "usererrors", "data",
    "warning_message",
)  # fmt: skip
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def default_fault(status: int, code: str | None) -> Fault | None:
    """What a status means where the channel's table is silent; an unmapped error inside a 200 is SHAPE."""
    if 200 <= status < 300:  # noqa: PLR2004 - the class of successes
        return Fault.SHAPE if code is not None else None
    if status >= 500:  # noqa: PLR2004 - the class of server errors
        return Fault.TRANSIENT
    return FAULTS_BY_STATUS.get(status, Fault.REJECTED if status >= 400 else Fault.SHAPE)  # noqa: PLR2004 - client's


def sentence_of(reply: Reply) -> str:
    """The channel's own words about a failure, on one line, as they came: to be redacted and cut."""
    try:
        told = _sentence(json.loads(reply.body[:SENTENCE_LIMIT]))
    except (ValueError, RecursionError):
        told = html.unescape(_MARKUP.sub(" ", reply.body[:4000].decode("utf-8", "replace")))
    if not told and "location" in reply.headers:
        told = f"it sends us to {reply.headers['location']}, where we do not follow: is the address right?"
    return " ".join((told or f"status {reply.status}").split())


def _sentence(told: Any, depth: int = 0) -> str:
    if isinstance(told, str):
        return told
    if depth > 4:  # noqa: PLR2004 - no vendor nests its words deeper
        return ""
    if isinstance(told, list):
        return "; ".join(filter(None, (_sentence(each, depth + 1) for each in told[:3])))
    if not isinstance(told, Mapping):
        return ""
    lower = {str(key).lower(): each for key, each in told.items()}
    found = [_sentence(lower[word], depth + 1) for word in _SENTENCES if word in lower]
    if depth and not any(found):  # Shopify: {"errors": {"sku": ["is taken"]}}
        found = [f"{key}: {words}" for key, each in told.items() if (words := _sentence(each, depth + 1))]
    said, fields = next(filter(None, found), ""), lower.get("errors")
    if isinstance(fields, Mapping) and (words := _sentence(fields, depth + 1)) not in said:
        return f"{said} ({words})"  # Laravel: {"message": "The given data was invalid.", "errors": {"to.city": ["…"]}}
    rows = lower.get("details")
    if said and isinstance(rows, list) and (words := _sentence(rows, depth + 1)) and words not in said:
        return f"{said} ({words})"  # Frenet: {"message": "Erro", "details": [{"code": 3000, "message": "Saldo …"}]}
    return said


def wait_told(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date; None when it says nothing readable."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            at = parsedate_to_datetime(told)
        except ValueError:
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(LONGEST_WAIT, max(0.0, seconds)) if seconds == seconds else None  # noqa: PLR0124 - "nan" is a number
