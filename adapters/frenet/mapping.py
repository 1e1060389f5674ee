"""Frenet's tracking events into ours, and what its errors say. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hub import calls, parse
from hub.contract import Consignment
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, STATES
from hub.spelling import Spelt
from hub.tracked import in_order, is_delayed, oldest_first
from hub.tracking import settle

CARRIER = "frenet"

# ── The code that a parcel is asked by: its service and its number ──────────────────────────────────────

S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
PAC = "03298"  # any service of Correios finds any of its parcels: asked with where none is known
_SERVICE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def code_of(known: Consignment) -> str | None:
    """`service:number`; the number alone where it is one of Correios; None where the service is not known."""
    number = parse.bare(known.tracking_code)
    if number is None:
        return None
    service = re.sub(r"^FR(?=[0-9])", "", (known.service or "").strip())  # e-com.plus writes it so
    if S10.fullmatch(number):  # channels tell "PAC" or "SEDEX", which are no codes
        return f"{service}:{number}" if service.isdecimal() else number
    return f"{service}:{number}" if _SERVICE.fullmatch(service) else None


def number_of(code: str) -> str:
    """The carrier's number of a code asked by."""
    return code.rpartition(":")[2]


def asked_with(code: str) -> dict[str, str]:
    """The question about a code."""
    return {"ShippingServiceCode": code.rpartition(":")[0] or PAC, "TrackingNumber": number_of(code)}


# ── Events ──────────────────────────────────────────────────────────────────────────────────────────────

S = TrackingStatus
STATUS: Mapping[str, TrackingStatus] = {  # EventType; whatever else is informative
    "0": S.ACCEPTED,  # postado
    "18": S.ACCEPTED,  # entregue no ponto de postagem
    "1": S.IN_TRANSIT,  # em trânsito
    "2": S.IN_TRANSIT,  # atraso
    "3": S.RETURNING,  # devolvido
    "4": S.LOST,  # extraviado
    "5": S.OUT_FOR_DELIVERY,  # saiu para entrega
    "9": S.DELIVERED,  # entregue
}
DELAYING = frozenset({"2"})
# Types are coarse, the carrier's words come along: where they say less or another thing than the type, they count.
_BACK = r"ao remetente|devolvid|em devolu[cç][aã]o"
_FINER: Mapping[str, Sequence[tuple[str, TrackingStatus]]] = {
    "1": (
        (r"etiqueta expirada|prazo para postagem", S.EXCEPTION),
        (r"etiqueta emitida|aguardando postagem", S.LABEL_CREATED),
        (_BACK, S.RETURNING),
        (r"n[aã]o (entregue|atendido|realizada)", S.FAILED_ATTEMPT),
        (r"aguardando retirada|dispon[ií]vel para retirada", S.AWAITING_PICKUP),
    ),
    "3": ((r"(entregue|devolvido) ao remetente", S.RETURNED),),
    "5": ((r"ao remetente", S.RETURNING),),
    "9": ((_BACK, S.RETURNED),),
}
_UF = re.compile(r".*[-/] *([A-Z]{2})")
_STATES = frozenset(STATES.values())


def parse_tracking(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object of the document.

    A document is an answer, a notice's body (or a list of either), or what our fetch answers. An answer that is
    nothing but an error does not say what it is about: it is that of the one code asked.
    """
    alone = codes[0] if len(codes) == 1 else None
    told = [(asked, _tracked(answer, asked or alone, is_asked=asked is not None)) for asked, answer in _answers(raw)]
    found = in_order([one for _asked, one in told], [number_of(code) for code in codes], CARRIER)
    if not codes:
        return found
    exact = {asked: one for asked, one in told if asked}  # of one number under two services
    return [_named(exact.get(code, one), code) for code, one in zip(codes, found, strict=True)]


def _named(told: TrackedObject, code: str) -> TrackedObject:
    number = number_of(code)
    return told.model_copy(update={"code": code, "carrier_code": None if number == code else number})


def _answers(raw: Raw) -> Iterator[tuple[str | None, Spelt]]:
    """(code asked by, answer) for each answer of a document."""
    if isinstance(raw, list):
        for n, each in enumerate(raw):
            yield None, Spelt(each, str(n))
        return
    if not isinstance(raw, dict):
        raise Unreadable("document", "not a tracking answer")
    if "answers" not in raw:
        yield None, Spelt(raw, "")
        return
    for row in Spelt(raw, "").needed_rows("answers"):
        yield row.needed_ref("asked"), row.needed_part("answer")


def _tracked(told: Spelt, asked: str | None, *, is_asked: bool) -> TrackedObject:
    events = oldest_first([_event(each) for each in told.rows("tracking_events")])
    settled, status = settle(events)
    problem = None if events else refusal(told)
    code = None if is_asked else told.ref("tracking_number")
    if code is None and asked and (is_asked or problem or events):
        code = number_of(asked)
    if code is None:
        why = f"an error that names no parcel: {problem.message}" if problem else "not a tracking answer"
        raise Unreadable(told.at("tracking_number") if events else told.path or "document", why[:200])
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        delayed=is_delayed(settled, DELAYING),
        error=problem,
        events=settled,
    )


def _event(told: Spelt) -> TrackingEvent:
    kind, words = told.text("event_type") or "?", told.text("event_description")
    when, place = told.text("event_date_time"), told.text("event_location")
    at, raw_at, zone = parse.moment(
        when, told.at("event_date_time"), zone=SAO_PAULO, iso=when and parse.day_first(when)
    )
    state = _UF.fullmatch(place or "")
    return TrackingEvent(
        at=at,
        raw_at=raw_at,
        zone=zone,
        status=status_of(kind, words),
        raw_code=kind,
        description=words,
        place=place,
        state=state[1] if state and state[1] in _STATES else None,
    )


def status_of(kind: str, words: str | None) -> TrackingStatus:
    """The canonical status of an event's type, corrected by its words; `unknown` for a type in no table."""
    said = (words or "").lower()
    finer = (status for pattern, status in _FINER.get(kind, ()) if re.search(pattern, said))
    return next(finer, STATUS.get(kind, S.UNKNOWN))


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────

NOT_FOUND, NO_SERVICE, SERVER_FAULT, DENIED = "not_found", "no_service", "server_fault", "acesso_negado"
_ERRORS = (
    (r"^object reference not set|^value cannot be null|^cannot deserialize", SERVER_FAULT),
    (r"servi[cç]o n[aã]o encontrado|shippingservicecode|carriercode", NO_SERVICE),
    (r"n[aã]o encontrado", NOT_FOUND),  # on its first days, until the carrier has scanned it
    (r"acesso negado", DENIED),
)


def refusal(told: Spelt) -> TrackingProblem | None:
    """What an answer complains of, in its words; each error is told as a sentence only."""
    words = parse.text(calls.said(told.raw, "error_message"))
    if words is None:
        return None
    code = next((code for pattern, code in _ERRORS if re.search(pattern, words.lower())), "refused")
    return TrackingProblem(code=code, message=sentence(words))


def sentence(words: str) -> str:
    """A complaint without what follows it: the server's stack and identifiers, and never a label's address."""
    words = re.sub(r"\s*-->.*$|\s+at [A-Z]\w*\..*$", "", words, flags=re.DOTALL)
    words = re.sub(r"(Detalhes )?identificador:\s*[0-9a-f-]{36}|https?://\S+", "", words, flags=re.IGNORECASE)
    return " ".join(words.split())[:300] or "refused without a word"


def error_code(reply: Reply) -> str | None:
    """What kind of refusal an answer is: faults of their server inside a 200, a token denied, or a detail's number."""
    told = calls.told_in(reply)
    if not isinstance(told, dict):
        return None
    answer = Spelt(told, "")
    problem = None if calls.listed(answer.raw, "tracking_events") else refusal(answer)
    if problem and problem.code in (SERVER_FAULT, DENIED):
        return problem.code
    if "acesso negado" in str(calls.said(answer.raw, "message") or "").lower():
        return DENIED
    if reply.status < 400:  # noqa: PLR2004 - the class of errors
        return None
    details = [Spelt(each, "").raw for each in calls.listed(answer.raw, "details") if isinstance(each, dict)]
    if any("acesso negado" in str(calls.said(each, "message") or "").lower() for each in details):
        return DENIED
    return next((code for each in details if (code := calls.said(each, "code"))), None)
