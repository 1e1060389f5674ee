"""Total Express' tracking words into ours: the vocabulary, lots of the feed (SOAP) and answers about codes. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub import calls, xml_answers
from hub.faults import Unreadable
from hub.model import NextCode, Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, Moment, instant, moment
from hub.tracked import UNHEARD
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "totalexpress"

# ── The vocabulary: 83 codes. Other carriers reuse the numbers with other meanings (FM Transportes) ─────

S = TrackingStatus
_CODES: Mapping[TrackingStatus, str] = {
    S.LABEL_CREATED: "0 57 97",  # 0 arquivo recebido, 97 início de coleta
    S.ACCEPTED: "83 84",  # coleta realizada
    S.IN_TRANSIT: "37 38 48 50 68-70 74 80 91 98 101-103 106 107",  # 38 redespachado Correio
    S.OUT_FOR_DELIVERY: "104",
    S.DELIVERED: "1",
    S.FAILED_ATTEMPT: "6 8 20 21 39 41-47 51 52 59 64 65 95",
    S.AWAITING_PICKUP: "29",
    S.RETURNING: "25 26 34 62 71",  # 34 devolvido pelos Correios
    S.RETURNED: "61",
    S.DAMAGED: "14 22",
    S.LOST: "10 18 19 23 24 27 30-33 35 36 142",  # 10 sinistro liquidado: indemnified, weeks after 142
    S.EXCEPTION: "9 11-13 15 16 40 49 53 55 56 58 60 63 72 73 90 92-94",  # 9 11 recusada, 92 problemas fiscais
}
# What Correios tells of a parcel handed over to it, by its own pairs: assumed, of ArrayStatusEct. Its first scan is
# no acceptance any more: the parcel was on its way.
_ECT_FINAL = {
    S.DELIVERED: "0 1 67 68 70",
    S.RETURNED: "23",
    S.RETURNING: "4-8 10 21 26 36 42 48 49 62 64 89",
    S.FAILED_ATTEMPT: "2 18-20 25 33-35 46 47",
    S.LOST: "50-52",
}
_ECT: Mapping[str, Mapping[TrackingStatus, str]] = {
    **dict.fromkeys(("BDE", "BDI", "BDR"), _ECT_FINAL),
    "PO": {S.IN_TRANSIT: "0 1 9"},
    "RO": {S.IN_TRANSIT: "0-2"},
    "DO": {S.IN_TRANSIT: "0-3"},
    "OEC": {S.OUT_FOR_DELIVERY: "0 1 3", S.RETURNING: "9"},
    "LDI": {S.AWAITING_PICKUP: "0-4 11 13 14"},
}


def _numbers(spans: str) -> Iterator[int]:
    for span in spans.split():
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


STATUS: Mapping[str, TrackingStatus] = {
    str(number): status for status, spans in _CODES.items() for number in _numbers(spans)
}
ECT_STATUS: Mapping[tuple[str, int], TrackingStatus] = {
    (kind, number): status
    for kind, family in _ECT.items()
    for status, spans in family.items()
    for number in _numbers(spans)
}
HANDED_OVER = "38"  # "REDESPACHADO CORREIO - OK524037370BR": by words alone 106 and 107 name no code
_S10 = re.compile(r"\b[A-Z]{2}\d{9}[A-Z]{2}\b")

PROCESSED = "1"
COMPLAINTS: Mapping[str, str] = {  # CodigoProc of ObterTracking; that of RegistraColeta means other things
    "0": "not authorised",
    "2": "the service is not available",
    "3": "the question is not as their schema has it",
    "4": "an error of their server",
    "5": "asked again in under five minutes",
}
OPERATIONS = ("ObterTracking", "RegistraColeta", "calcularFrete")


# ── The document ────────────────────────────────────────────────────────────────────────────────────────

_OWN = frozenset({"Awb", "awb", "Pedido", "pedido"})
_BOXES = (
    *("Envelope", "Body", "ObterTrackingResponse", "ArrayLoteRetorno", "ArrayEncomendaRetorno", "item"),
    *("data", "encomendas"),  # answers about codes, paged or not: assumed
)
_DEEPEST = 12


def of_xml(answer: str) -> dict[str, Any]:
    """What a SOAP answer carries, `item` always a list, types of elements left out."""
    try:
        told: dict[str, Any] = _untyped(xml_answers.soap_body(answer, lists={"item"}))
    except RecursionError:
        raise Unreadable("document", "nested too deep") from None
    return told


def _untyped(told: Any) -> Any:
    if isinstance(told, list):
        return [_untyped(each) for each in told]
    if not isinstance(told, dict):
        return told
    rest = {name: _untyped(each) for name, each in told.items() if not name.startswith("@")}
    return rest.get("#text") if rest.keys() <= {"#text"} else rest


def lots(answer: Raw) -> list[dict[str, Any]]:
    """The lots of an answer of the feed, each readable by `parse`; Unreadable where it is none."""
    told = of_xml(answer) if isinstance(answer, str) else answer
    return [lot.raw for lot in _boxed(told, "", frozenset({"CodRetorno"}), 0)]  # type: ignore[misc] # dicts they are


def _boxed(raw: Raw, path: str, own: frozenset[str], depth: int) -> Iterator[Wire]:
    """Objects that have one of the `own` keys, within whatever boxes they come."""
    if depth > _DEEPEST:
        raise Unreadable(path or "document", "nested too deep")
    if isinstance(raw, list):
        for n, each in enumerate(raw):
            yield from _boxed(each, f"{path}.{n}".lstrip("."), own, depth + 1)
        return
    if not isinstance(raw, dict):
        raise Unreadable(path or "document", "not a tracking answer")
    if raw.keys() & own:
        yield Wire(raw, path)
        return
    _must_be_good(raw, path)
    inner = [box for box in _BOXES if box in raw]
    if not inner:
        raise Unreadable(path or "document", f"not a tracking answer: {', '.join(map(str, raw))}"[:120])
    for box in inner:
        if raw[box] not in (None, ""):
            yield from _boxed(raw[box], f"{path}.{box}".lstrip("."), own, depth + 1)


def _must_be_good(raw: Mapping[str, Any], path: str) -> None:
    told = Wire(raw, path)
    if "Fault" in raw:
        fault = told.object("Fault")
        raise Unreadable("document", f"an error, not a tracking answer: {fault.text('faultstring')}"[:200])
    code = told.text("CodigoProc")
    if code is not None and code != PROCESSED:
        raise Unreadable(told.at("CodigoProc"), f"{code}: {COMPLAINTS.get(code, 'an error of theirs')}")


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Parcel:
    """What a document tells of one parcel, lot after lot."""

    code: str
    order: str | None
    events: list[TrackingEvent] = field(default_factory=list)
    next_code: str | None = None
    promised: datetime | None = None
    delayed: bool = False
    complaint: str | None = None

    def settled(self) -> TrackedObject:
        settled, status = settle(self.events)
        unheard = self.complaint if not self.events else None
        return TrackedObject(
            code=self.code,
            carrier=CARRIER,
            status=status,
            deliver_by=self.promised,
            delayed=self.delayed,
            next_code=NextCode(carrier="correios", code=self.next_code) if self.next_code else None,
            error=TrackingProblem(code="not_found", message=unheard[:200]) if unheard else None,
            events=settled,
        )


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order.

    An object's code is its Awb, else its Pedido; asked by a Pedido it answers to that, with its Awb beside it.
    """
    found: dict[str, _Parcel] = {}
    for told in _boxed(of_xml(raw) if isinstance(raw, str) else raw, "", _OWN, 0):
        code, order = _first_ref(told, "Awb", "awb"), _first_ref(told, "Pedido", "pedido")
        if code is None and order is None:
            raise Unreadable(told.at("Awb"), "not told")
        parcel = found.setdefault(code or order or "", _Parcel(code or order or "", order))
        _add(parcel, told)
    if not codes:
        return [parcel.settled() for parcel in found.values()]
    by_code = {parcel.code.lower(): parcel for parcel in found.values()}
    return [_asked(code, by_code, found) for code in codes]


def _asked(code: str, by_code: Mapping[str, _Parcel], found: Mapping[str, _Parcel]) -> TrackedObject:
    """By Awb; else by Pedido, the parcel posted last: one Pedido may have been sent anew."""
    if parcel := by_code.get(code.lower()):
        return parcel.settled().model_copy(update={"code": code})
    named = [each for each in found.values() if (each.order or "").lower() == code.lower()]
    if not named:
        return TrackedObject(code=code, carrier=CARRIER, error=UNHEARD)
    latest = max(named, key=lambda each: max((event.at.timestamp() for event in each.events), default=0.0))
    return latest.settled().model_copy(update={"code": code, "carrier_code": latest.code})


def _add(parcel: _Parcel, told: Wire) -> None:
    """One more entry about a parcel: each lot of the feed holds only what is new."""
    events = [_event(row) for row in _rows(told, *_SCANS)]
    if events and events[0].at > events[-1].at:  # an answer about codes; lots tell the oldest first, also in one second
        events.reverse()
    parcel.events += events + [_ect_event(row) for row in _rows(told, "ArrayStatusEct.item", "statusEct")]
    handed = [event.description or "" for event in events if event.raw_code == HANDED_OVER]
    for words in (told.text("CodigoObjeto", "codigoObjeto") or "", *handed):
        parcel.next_code = next(iter(_S10.findall(words.upper())), parcel.next_code)
    promise = told.object("detalhes").object("dataPrev")
    first, latest = (_end_of_day(promise, key) for key in ("PrevEntrega", "PrevEntregaAtualizada"))
    parcel.promised = latest or first or parcel.promised
    parcel.delayed = parcel.delayed or bool(first and latest and latest > first)
    parcel.complaint = told.text("mensagem", "message", "erro") or parcel.complaint


# Beside ArrayStatusTotal: spellings of answers about codes, assumed (their shape is published nowhere).
_SCANS = (
    *("ArrayStatusTotal.item", "ArrayStatusTotal", "detalhes.statusDeEncomenda", "statusDeEncomenda"),
    *("statusTotal", "tracking", "ocorrencias", "eventos"),
)


def _rows(told: Wire, *keys: str) -> list[Wire]:
    """The first of these lists that is told; one element alone may stand as an object."""
    for key in keys:
        within, _, last = key.rpartition(".")
        box = told.object(within) if within else told
        rows = box.told(last)
        if isinstance(rows, list):
            return box.rows(last)
        if isinstance(rows, dict) and "item" not in rows:
            return [Wire(rows, box.at(last))]
    return []


def _event(told: Wire) -> TrackingEvent:
    code = _first_ref(told, "CodStatus", "codStatus", "statusid", "statusId", "codigo", zero=True)
    number = code.lstrip("0") or "0" if code and code.isdecimal() else code
    description = told.text("DescStatus", "descStatus", "descricao", "status")
    when = _moment(told, "DataStatus", "dataStatus", "data", "dataHora")
    return TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=STATUS.get(number or "", S.UNKNOWN),
        raw_code=number or "?",
        description=description,
    )


def _ect_event(told: Wire) -> TrackingEvent:
    kind = (told.text("EctTipo") or "?").upper()
    number = told.text("EctStatus") or ""
    known = int(number) if re.fullmatch("[0-9]{1,3}", number) else None
    at = f"{told.text('EctData') or ''}T{told.text('EctHora') or '00:00:00'}"
    when = moment(at, told.at("EctData"), zone=SAO_PAULO)
    place = [words for words in (told.text("EctLocal"), told.text("EctCidade")) if words]
    return TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=S.UNKNOWN if known is None else ECT_STATUS.get((kind, known), S.UNKNOWN),
        raw_code=kind if known is None else f"{kind}/{known:02d}",
        description=told.text("EctDescricao", "EctComentario"),
        place=" - ".join(place) or None,
        state=told.text("EctUf"),
    )


def _first_ref(told: Wire, *keys: str, zero: bool = False) -> str | None:
    """The first of these ids; 0 is an id only where it means something (the code of "arquivo recebido")."""
    found = (told.text(key) if zero else told.ref(key) for key in keys)
    return next((ref for ref in found if ref is not None), None)


_DAY_FIRST = re.compile(r"(\d\d)/(\d\d)/(\d{4})(?:[ T](\d\d:\d\d(?::\d\d)?))?")


def _moment(told: Wire, *keys: str) -> Moment:
    """When a scan was made: Brasília, without an offset."""
    key = next((key for key in keys if told.text(key)), keys[0])
    words = told.text(key)
    day = _DAY_FIRST.fullmatch(words or "")
    iso = f"{day[3]}-{day[2]}-{day[1]}T{day[4] or '00:00'}" if day else None
    return moment(words, told.at(key), zone=SAO_PAULO, iso=iso)


def _end_of_day(told: Wire, key: str) -> datetime | None:
    """A promise told as a day holds until its end."""
    words = told.text(key) or ""
    day = _DAY_FIRST.fullmatch(words)
    iso = f"{day[3]}-{day[2]}-{day[1]}" if day else words[:10]
    return instant(f"{iso}T23:59:59" if iso else None, told.at(key), zone=SAO_PAULO)


# ── Errors inside a 200 ─────────────────────────────────────────────────────────────────────────────────


def error_code(reply: Reply) -> str | None:
    """`OPERATION/CodigoProc` where a SOAP answer says that it went wrong, "ip_blocked" or "soap_fault" of a fault.

    A quote that is refused with a sentence is an answer; so is a partly processed RegistraColeta (5).
    """
    if not reply.body.lstrip().startswith(b"<"):
        return _rest_code(reply)
    try:
        body = of_xml(text_of(reply))
    except Unreadable:
        return None
    if isinstance(fault := body.get("Fault"), dict):
        return "ip_blocked" if "IP foi arquivado" in str(fault.get("faultstring")) else "soap_fault"
    for operation in OPERATIONS:
        answer = calls.within(body, f"{operation}Response")
        answer = calls.within(answer, f"{operation}Response") or answer
        code = calls.said(answer, "CodigoProc")
        if code is None or code == PROCESSED:
            continue
        if operation == "calcularFrete" and calls.within(answer, "DadosFrete") is not None:
            return None
        refused = operation == "calcularFrete" and calls.said(answer, "ErroConsultaFrete")
        return None if refused or (operation, code) == ("RegistraColeta", "5") else f"{operation}/{code}"
    return None


def _rest_code(reply: Reply) -> str | None:
    told = calls.refusal_of(reply)
    return calls.said(told, "codigo", "code")


def text_of(reply: Reply) -> str:
    """The text of an answer: ISO-8859-1, as it declares, where it is not UTF-8."""
    try:
        return reply.body.decode()
    except UnicodeDecodeError:
        return reply.body.decode("iso-8859-1")
