"""Jadlog's tracking words into ours, and what its errors say. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub import calls, parse
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO
from hub.tracked import in_order
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "jadlog"

# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────

S = TrackingStatus
# The words are all there is: no code, no number. Those of returns, damages and pick-ups are published nowhere, and a
# word that merely resembles one of these ("ENTREGUE AO REMETENTE") must not pass for it: whole words only.
STATUS: Mapping[str, TrackingStatus] = {
    "EMISSAO": S.ACCEPTED,  # the CT-e is issued: they have the parcel
    "ENTRADA": S.IN_TRANSIT,  # at a unit
    "TRANSFERENCIA": S.IN_TRANSIT,  # between units
    "EM ROTA": S.OUT_FOR_DELIVERY,
    "ENTREGUE": S.DELIVERED,
}
# What a row is asked by comes back beside its tracking, which names it once more.
NAMES = ("cte", "shipmentId", "codigo", "pedido", "tracking.shipmentId", "tracking.codigo")
_ERRORS = ("erro", "error")  # both are in use
_ACCENTS = str.maketrans("ÁÃÂÇÉÊÍÓÔÕÚ", "AAACEEIOOOU")
_ASIDE = {"descricao", "id"}  # of an answer that is nothing but an error


def parse_tracking(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order, found by any number it goes by; with no codes, all in their order."""
    told: dict[str, TrackedObject] = {}
    aliases: dict[str, str] = {}
    for row in _rows(raw):
        names = list(dict.fromkeys(filter(None, (number(row, name) for name in NAMES))))
        if not names:
            if codes:  # the others are not lost with it
                continue
            raise Unreadable(row.path or "document", "no number of a parcel")
        tracked = _tracked(row, names[0])
        known = told.get(names[0])
        if known is None or (known.error and not tracked.error):  # one parcel may be asked about in two rows
            told[names[0]] = tracked
        for name in names:
            aliases.setdefault(name, names[0])
    others = (told[code].model_copy(update={"code": name}) for name, code in aliases.items() if name not in told)
    return in_order([*told.values(), *(others if codes else ())], codes, CARRIER)


def _rows(raw: Raw) -> list[Wire]:
    """The rows of a whole answer, or a bare one."""
    if not isinstance(raw, dict):
        raise Unreadable("document", "not a tracking answer")
    told = Wire(raw, "")
    if "consulta" in raw:
        return told.needed_rows("consulta")
    if "eventos" in raw:  # what stands inside a row
        return [Wire({"tracking": raw}, "")]
    is_named = any(parse.ref(calls.said(raw, name)) for name in NAMES[:4])
    if "tracking" in raw or (is_named and any(key in raw for key in _ERRORS)):
        return [told]
    if problem := refusal(raw):
        raise Unreadable("document", f"an error, not a tracking answer: {problem.message}"[:200])
    raise Unreadable("consulta", "not told")


def number(row: Wire, name: str) -> str | None:
    """A number that the parcel goes by; "00000000000000" is none."""
    told = row.ref(name)
    return told if told and told.strip("0") else None


def _tracked(row: Wire, code: str) -> TrackedObject:
    tracking = row.part("tracking")
    events = [_event(each) for each in tracking.rows("eventos")]
    if events and events[0].at > events[-1].at:
        events.reverse()
    settled, status = settle(events)
    problem = None if events else refusal(row.raw)
    if not tracking and problem is None:
        problem = TrackingProblem(code="not_told", message="neither tracking nor an error is told")
    return TrackedObject(
        code=code, carrier=CARRIER, status=status, deliver_by=_promise(row), error=problem, events=settled
    )


def _event(told: Wire) -> TrackingEvent:
    word = " ".join((told.text("status") or "").upper().translate(_ACCENTS).split())
    when = told.text("data")
    at, raw_at, zone = parse.moment(when, told.at("data"), zone=SAO_PAULO, iso=when and parse.day_first(when))
    return TrackingEvent(
        at=at,
        raw_at=raw_at,
        zone=zone,
        status=STATUS.get(word, S.UNKNOWN),
        raw_code=word or "?",
        description=told.text("status"),
        place=told.text("unidade"),
    )


def _promise(row: Wire) -> datetime | None:
    """The promised day's end. How it is written is published nowhere (assumed: a date); an odd one loses no scan."""
    told = parse.day_first(str(calls.said(row.raw, "previsaoEntrega") or ""))
    try:
        at = parse.instant(told, "", zone=SAO_PAULO)
    except Unreadable:
        return None
    return at + timedelta(days=1, seconds=-1) if at and re.fullmatch(r"[0-9-]{10}", told) else at


_ORDER_LENGTH, _SHIPMENT = 8, "11"


def asked_by(code: str) -> str:
    """Which number a code is: eight digits an order's, "11…" a shipment's, all else a CT-e's."""
    if code.isdecimal() and len(code) == _ORDER_LENGTH:
        return "codigo"
    return "shipmentId" if code.isdecimal() and code.startswith(_SHIPMENT) else "cte"


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────

_SENT = re.compile(r"j[áa] foi enviado\.?\s*solicita[cç][aã]o de coleta:\s*([0-9]+)", re.IGNORECASE)


def refusal(told: Raw) -> TrackingProblem | None:
    """What an object complains of: {erro or error: {id, descricao, detalhe}}, or these alone."""
    parts = [part for key in _ERRORS if (part := calls.within(told, key))]
    if not parts and isinstance(told, dict) and told.keys() >= _ASIDE:
        parts = [told]
    if not parts:
        return None
    sentence = calls.said(parts[0], "descricao") or (parts[0] if isinstance(parts[0], str) else None)
    words = parse.joined(parse.text(sentence), parse.text(calls.said(parts[0], "detalhe")))
    return TrackingProblem(code=calls.said(parts[0], "id") or "refused", message=words or "refused without a word")


def sent_before(problem: TrackingProblem) -> str | None:
    """The number of the order that this one was sent as already: sending twice buys nothing twice."""
    found = _SENT.search(problem.message)
    return found[1] if found else None


def error_code(reply: Reply) -> str | None:
    """What a whole answer refuses, also inside a 200; only two are told apart, for ids mean other things on each route.

    Rows (`consulta`, `frete`) tell their own errors, and an order that was sent before is an answer.
    """
    told = calls.told_in(reply)
    if not isinstance(told, dict) or "consulta" in told or "frete" in told:
        return None
    problem = refusal(told)
    if problem is None or sent_before(problem):
        return None
    return "TOKEN INVALIDO" if "TOKEN" in problem.message.upper() else "erro"
