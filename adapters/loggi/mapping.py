"""Loggi's tracking words into ours: the contract API's status codes, answers and webhook bodies alike. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from hub import calls
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, instant, text
from hub.tracked import in_order, oldest_first
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "loggi"
UTC_ZONE = ZoneInfo("UTC")

# The codes of the contract API that its documentation tells; there are about thirty. The public tracking site has
# another scale, where 2 is "Entregue": neither is ever read by the other's table.
S = TrackingStatus
STATUS: Mapping[str, TrackingStatus] = {
    "1": S.LABEL_CREATED,  # adicionado
    "2": S.CANCELLED,
    "5": S.DELIVERED,
    "11": S.OUT_FOR_DELIVERY,
    "14": S.ACCEPTED,  # coletado
    "21": S.FAILED_ATTEMPT,  # endereço incorreto
    "22": S.EXCEPTION,  # aguardando o remetente
    "26": S.EXCEPTION,  # dados inválidos
    "27": S.EXCEPTION,  # não integrado
}
# What words prove, the sender's before the buyer's. They only cross-check a code that ends a parcel's way: one that
# they contradict is of the other scale, or new, and proves nothing.
_PROOFS = (
    (r"devolv|devolu[cç]|ao remetente|return", S.RETURNED),
    (r"cancel", S.CANCELLED),
    (r"n[aã]o (foi )?entreg|para entrega|em entrega", S.OUT_FOR_DELIVERY),
    (r"\bentregue\b|\bdelivered\b", S.DELIVERED),
)
_ENDS = frozenset({S.DELIVERED, S.CANCELLED})

GRPC: Mapping[int, str] = {  # `code` of an error answer: google.rpc.Code
    1: "cancelled", 2: "unknown", 3: "invalid_argument", 4: "deadline_exceeded", 5: "not_found", 6: "already_exists",
    7: "permission_denied", 8: "resource_exhausted", 9: "failed_precondition", 10: "aborted", 11: "out_of_range",
    12: "unimplemented", 13: "internal", 14: "unavailable", 15: "data_loss", 16: "unauthenticated",
}  # fmt: skip
CANCEL_WARNING = "cancel_warning"


def parse(raw: Raw, codes: Any) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every package in the document's order."""
    return in_order([_tracked(told) for told in packages(raw)], codes, CARRIER)


def packages(raw: Raw) -> Iterator[Wire]:
    """The packages of an answer or of a webhook's body, or a bare one."""
    told = Wire(raw, "")
    if "packages" in told.raw:
        yield from told.rows("packages")
    elif "trackingCode" in told.raw:
        yield told
    else:
        sentence = told.text("message") if isinstance(told.raw.get("message"), str) else None
        why = f"an error, not a tracking answer: {sentence}" if sentence else "not a tracking answer"
        raise Unreadable("document", why[:200])


def _tracked(told: Wire) -> TrackedObject:
    code = told.ref("trackingCode")
    if code is None:
        raise Unreadable(told.at("trackingCode"), "not told")
    if "statusCode" in told.raw:
        raise Unreadable(told.at("statusCode"), "of the public tracking site, whose codes mean other things")
    events = oldest_first([_event(row, row.object("status") or row) for row in told.rows("trackingHistory")])
    now = told.object("status")
    if now and now.text("updatedTime"):
        latest = _event(told, now)
        if not any((event.at, event.raw_code) == (latest.at, latest.raw_code) for event in events):
            events.append(latest)
    settled, status = settle(events)
    refusal = told.object("error")
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        deliver_by=_promise(told),
        error=_problem(refusal) if refusal and not events else None,
        events=settled,
    )


def _event(scan: Wire, told: Wire) -> TrackingEvent:
    code = told.text("code")
    where = scan.object("location") or scan.object("locatiion")  # documented with the typo, seen without it
    when = told.moment("updatedTime", zone=UTC_ZONE)
    return TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=_status(code, told.text("highLevelStatus"), told.text("description")),
        raw_code=code or "?",
        description=told.text("description", "highLevelStatus"),
        place=where.text("city"),
        state=where.text("state"),
    )


def _status(code: str | None, *words: str | None) -> TrackingStatus:
    """By the code alone; an end that the words contradict is unknown."""
    status = STATUS.get(code or "", S.UNKNOWN)
    if status not in _ENDS:
        return status
    said = " ".join(filter(None, words)).lower()
    proven = next((proof for pattern, proof in _PROOFS if re.search(pattern, said)), status)
    return status if proven is status else S.UNKNOWN


_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T00:00:00(\.0+)?Z?)?")


def _promise(told: Wire) -> datetime | None:
    """The first attempt's day; one told as a day holds until its end in Brasília, midnight UTC is such a day too."""
    value = told.told("promisedDate")
    if isinstance(value, dict):  # google.type.Date: assumed
        parts = Wire(value, told.at("promisedDate"))
        if not parts.count("year"):
            return None
        value = f"{parts.count('year'):04}-{parts.count('month'):02}-{parts.count('day'):02}"
    words = text(value) if isinstance(value, str) else None
    day = _DAY.fullmatch(words or "")
    return instant(f"{day[1]}T23:59:59" if day else words, told.at("promisedDate"), zone=SAO_PAULO)


def _problem(told: Wire) -> TrackingProblem:
    message = told.text("message") or "no such package"
    return TrackingProblem(code=_named(told.text("code")) or "not_found", message=message[:200])


def _named(code: str | None) -> str | None:
    return GRPC.get(int(code), code) if code and re.fullmatch("[0-9]{1,3}", code) else code


def error_code(reply: Reply) -> str | None:
    """The name of a gRPC code in an error answer; "cancel_warning" where a cancellation may come too late (200)."""
    if reply.status < HTTPStatus.BAD_REQUEST:
        told = calls.told_in(reply)
        return CANCEL_WARNING if calls.said(told, "warning_type", "warning_message") else None
    return _named(calls.said(calls.refusal_of(reply), "code"))
