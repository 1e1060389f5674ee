"""Correios' tracking words into ours: the event vocabulary, and answers of CWS and the public app. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from adapters.correios.legacy import from_xml
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, STATES, Moment, bare, joined, moment
from hub.tracked import in_order, is_delayed, oldest_first
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "correios"

# ── The vocabulary: 374 (code, number) pairs as of 2026, by family ──────────────────────────────────────
# The code alone means nothing: BDI alone has 80 meanings.

S = TrackingStatus
_FINAL_SCAN = {  # BDE, BDI and BDR share one table
    S.DELIVERED: "0 1 67 68 70",  # 67 a vizinho, 68 Caixa de Correios Inteligente
    S.AWAITING_PICKUP: "24",  # Caixa Postal
    S.FAILED_ATTEMPT: "2 18-20 25 33-35 46 47",  # carteiro não atendido, endereço incorreto, sem expediente
    S.RETURNING: "4-8 10 21 26 36 42 48 49 62 64 89",  # recusado, desconhecido, mudou-se, não retirado
    S.RETURNED: "23",  # Objeto entregue ao remetente
    S.IN_TRANSIT: "9 15 30 32 41 45 53 66 69",  # 9 e 69 ainda não chegou, 66 prazo diferenciado
    S.CUSTOMS: "31 40 44 54-59 63 77 81-83",
    S.DAMAGED: "13 28 37 86",  # 13 incêndio
    S.LOST: "50-52",  # roubado
    S.EXCEPTION: "3 12 14 22 29 38 39 43 60 61 71-76 79 80 84 85 87 98",  # 71-76 apreendido, 60-61 refugo
}
_FINAL = ("BDE", "BDI", "BDR")
_FAMILIES: dict[str, dict[TrackingStatus, str]] = {
    **dict.fromkeys(_FINAL, _FINAL_SCAN),
    "CO": {  # coleta
        S.LABEL_CREATED: "2-5 7 12-14",  # 5 e 13 tentativa de coleta sem êxito
        S.ACCEPTED: "1 8",  # 8 "Entregue" is handed to the agency, not to the buyer
        S.EXCEPTION: "6 9-11",  # coleta cancelada, sinistrado
    },
    "PO": {S.ACCEPTED: "0 1 9"},  # 9 após o horário limite
    "OEC": {S.OUT_FOR_DELIVERY: "0 1 3", S.RETURNING: "9"},  # 9 saiu para entrega ao remetente
    "LDE": {S.RETURNING: "0 9"},  # saiu para entrega ao remetente
    "LDI": {S.AWAITING_PICKUP: "0-4 11 13 14"},
    "FC": {
        S.LABEL_CREATED: "82",  # Etiqueta emitida: in no published table, seen before the first PO scan
        S.IN_TRANSIT: "2 3 8 10 55",  # 3 mal encaminhado, 8 prazo diferenciado
        S.FAILED_ATTEMPT: "4 7",
        S.RETURNING: "1 47",  # por solicitação do remetente
        S.CUSTOMS: "12 13 19 24 26 27 29 31-35 37",
        S.LOST: "51",
        S.EXCEPTION: "5 9 11 41 42",
    },
    "PAR": {  # fiscalização e correio internacional
        S.IN_TRANSIT: "15 16 18 28 29",
        S.CUSTOMS: "10-12 14 17 19 21 22 25 27 30-34 42",
        S.RETURNING: "23 24 40",
        S.RETURNED: "13",  # ao país de origem
        S.EXCEPTION: "20 26 41",
    },
    "BLQ": {
        S.EXCEPTION: "1 4 5 11 21 22 30 41 42 51",  # suspensão de entrega
        S.IN_TRANSIT: "24 44 54 61",  # desbloqueio
        S.LOST: "31",
    },
    "IDC": {S.LOST: "1-7"},  # indenizado
}
_MOVING = frozenset({"RO", "DO", "CD", "CMT", "CMR", "CUN", "TRI", "PMT", "CAR"})  # in transit, whatever the number


def _numbers(spans: str) -> Iterator[int]:
    for span in spans.split():
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


STATUS: Mapping[tuple[str, int], TrackingStatus] = {
    (code, number): status
    for code, family in _FAMILIES.items()
    for status, spans in family.items()
    for number in _numbers(spans)
}
REVOKING = frozenset(f"EST/{number:02d}" for number in _numbers("1-6 9"))  # Favor desconsiderar a informação anterior
DELAYING = frozenset({"FC/08", *(f"{code}/{number}" for code in _FINAL for number in ("09", "66", "69"))})

# What pairs meant in the table of May 2017. When each changed is not published: the older meaning counts for scans of
# that year (assumed), and later where a scan's own words are the older ones. Of BD* 69 only the words changed.
EARLIER_UNTIL = datetime(2018, 1, 1, tzinfo=UTC)
_THEN = {
    7: (r"sujeito a atraso", S.FAILED_ATTEMPT),  # now: será devolvido
    9: (r"n[aã]o localizado", S.LOST),  # now: ainda não chegou à unidade
    33: (r"ser[aá] devolvido", S.RETURNING),  # now: documento não apresentado, and no more
}
EARLIER: Mapping[tuple[str, int], tuple[str, TrackingStatus]] = {
    **{(code, number): then for code in _FINAL for number, then in _THEN.items()},
    ("PAR", 17): (r"liberado pela alf[aâ]ndega", S.IN_TRANSIT),  # now: aguardando pagamento
}

# Only for events told without a code (public app): the sender before the buyer, the attempt before the act.
_WORDS = (
    (r"sa[ií]\w* para entrega ao remetente|ser[aá] devolvid|em devolu[cç][aã]o", S.RETURNING),
    (r"ao remetente|devolvid", S.RETURNED),
    (r"sa[ií]\w* para entrega|rota de entrega", S.OUT_FOR_DELIVERY),
    (r"n[aã]o (entregue|atendido|realizada|efetuada|pode ser efetuada)", S.FAILED_ATTEMPT),
    (r"aguardando retirada|dispon[ií]vel para retirada", S.AWAITING_PICKUP),
    (r"entregue", S.DELIVERED),
    (r"postado", S.ACCEPTED),
    (r"em tr[aâ]nsito|em transfer[eê]ncia|encaminhado", S.IN_TRANSIT),
)


def status_of(code: str, number: int) -> TrackingStatus:
    """The canonical status of a (code, number) pair as of 2026; `unknown` for one that is in no table."""
    return S.IN_TRANSIT if code in _MOVING else STATUS.get((code, number), S.UNKNOWN)


def _status(code: str, number: int | None, words: str, at: datetime) -> TrackingStatus:
    """What a scan means, by the table of its time; by its words alone only where no code is told."""
    if not code:
        return next((status for pattern, status in _WORDS if re.search(pattern, words)), S.UNKNOWN)
    if number is None:
        return S.IN_TRANSIT if code in _MOVING else S.UNKNOWN
    then, earlier = EARLIER.get((code, number), ("", S.UNKNOWN))
    if then and (at < EARLIER_UNTIL or re.search(then, words)):
        return earlier
    return status_of(code, number)


# ── The wire ────────────────────────────────────────────────────────────────────────────────────────────


class Told(Wire):
    """An object of an answer; "?" is the legacy placeholder for not told."""

    def value(self, key: str) -> str | int | float | bool | None:
        """A plain value as told."""
        told = super().value(key)
        return None if isinstance(told, str) and told.strip() == "?" else told

    def sentence(self) -> str | None:
        """Why something is refused: txErro, mensagem, msg and msgs are all in use. Null when nothing is wrong."""
        return joined(*(self.text(name) for name in ("txErro", "mensagem", "msg")), *self.texts("msgs"))


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order."""
    told = from_xml(raw) if isinstance(raw, str) else raw
    if not isinstance(told, dict):
        raise Unreadable("document", "not a tracking answer")
    answer = Told(told, "")
    if "objetos" not in told and "codObjeto" in told:
        return in_order([_object(answer)], codes, CARRIER)
    if "objetos" not in told and (sentence := answer.sentence()):
        raise Unreadable("document", f"an error, not a tracking answer: {sentence}"[:200])
    return in_order((_object(row) for row in answer.needed_rows("objetos")), codes, CARRIER)


def _object(told: Told) -> TrackedObject:
    code = bare(told.text("codObjeto"))
    if code is None:
        raise Unreadable(told.at("codObjeto"), "no code")
    events, status = settle(oldest_first([_event(row) for row in told.rows("eventos")]))
    sentence = told.text("mensagem")
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        deliver_by=told.instant("dtPrevista", zone=SAO_PAULO),
        delayed=is_delayed(events, DELAYING),
        error=problem(sentence) if sentence and not events else None,
        events=events,
    )


_STATES = frozenset(STATES.values())


def _event(told: Told) -> TrackingEvent:
    description = told.text("descricao", "descricaoWeb")
    code, number = (told.text("codigo") or "").upper(), _number(told.value("tipo"))
    unit, where = told.part("unidade"), told.part("unidade.endereco")
    when, until = _moment(told), told.clock("dtLimiteRetirada", zone=SAO_PAULO)
    raw_code = (
        f"{code or '?'}/{number:02d}"
        if number is not None
        else "/".join(filter(None, [code or "?", told.text("tipo")]))
    )
    words = f"{description} {told.text('detalhe')}".lower()
    state = where.text("uf")
    if until:  # what waits is sent back after this day
        description = joined(description, f"(retirar até {until.astimezone(SAO_PAULO):%d/%m/%Y})")
    return TrackingEvent(
        **when._asdict(),
        status=_status(code, number, words, when.at),
        raw_code=raw_code,
        description=description,
        place=" - ".join(filter(None, [unit.text("tipo"), where.text("cidade") or unit.text("nome")])) or None,
        state=state if state in _STATES else None,  # a foreign unit tells its country, or nothing
        revokes=raw_code in REVOKING,
    )


def _number(told: str | float | None) -> int | None:
    """`tipo` comes as 23, "23" and "01"."""
    word = f"{told:g}" if isinstance(told, float) else str(told).strip()
    return int(word) if re.fullmatch("[0-9]{1,3}", word) else None


UTC_ZONE = ZoneInfo("UTC")
_ZONES: Mapping[str | None, ZoneInfo] = {None: SAO_PAULO, "America/Sao_Paulo": SAO_PAULO, "UTC": UTC_ZONE}


def _moment(told: Told) -> Moment:
    """Naive Brasília (−03:00 since 2019, −02:00 in older summers) unless the public app names a zone.

    The public app tells PHP's {date, timezone_type, timezone}.
    """
    if not isinstance(told.told("dtHrCriado"), dict):
        return told.moment("dtHrCriado", zone=SAO_PAULO)
    path, date = told.at("dtHrCriado"), told.text("dtHrCriado.date")
    name = told.text("dtHrCriado.timezone")
    offset = name if name and re.fullmatch(r"[+-]\d\d:\d\d", name) else ""
    if not offset and name not in _ZONES:
        raise Unreadable(path, f"an unknown zone: {name!r}"[:120])
    found = moment(date, path, zone=_ZONES.get(name, UTC_ZONE), iso=date and date + offset)
    return found if name is None else found._replace(zone=None)


_CODED = re.compile(r"\b([A-Z]{3}-\d{3})\b\s*[:\-]?\s*(.*)", re.DOTALL)
_UNCODED = (
    (r"n[aã]o encontrado", "SRO-020"),
    (r"inv[aá]lido", "SRO-019"),
)  # SOAP tells the sentences without codes


def problem(sentence: str) -> TrackingProblem:
    """SRO-020 not found (yet), SRO-019 invalid code, SRO-009 not of this contract; else `refused`."""
    if coded := _CODED.search(sentence):
        return TrackingProblem(code=coded[1], message=coded[2].strip() or sentence)
    code = next((code for pattern, code in _UNCODED if re.search(pattern, sentence.lower())), "refused")
    return TrackingProblem(code=code, message=sentence)


def error_code(reply: Reply) -> str | None:
    """The vendor's code in an error ("SRO-018: …"); a success tells its refusals per object or service."""
    if reply.status < 400:  # noqa: PLR2004 - the class of errors
        return None
    coded = _CODED.search(reply.body[:2000].decode("utf-8", "replace"))
    return coded[1] if coded else None
