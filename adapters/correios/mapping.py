"""Correios' tracking words into ours: the event vocabulary, and answers of CWS and the public app. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator

from adapters.correios.legacy import from_xml
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, STATES, Moment, bare, instant, moment, text, wire
from hub.tracked import in_order, is_delayed, oldest_first
from hub.tracking import settle

CARRIER = "correios"

# ── The vocabulary: 374 (code, number) pairs as of 2026, by family ──────────────────────────────────────
# The code alone means nothing: BDI alone has 80 meanings. Some changed between 2017 and 2026 (BD* 7, 9, 33
# and 69, PAR 17); those of 2026 stand here.

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
_FAMILIES: dict[str, dict[TrackingStatus, str]] = {
    "BDE": _FINAL_SCAN,
    "BDI": _FINAL_SCAN,
    "BDR": _FINAL_SCAN,
    "CO": {  # coleta
        S.LABEL_CREATED: "2-5 7 12-14",  # 5 e 13 tentativa de coleta sem êxito
        S.ACCEPTED: "1 8",  # 8 "Entregue" is handed to the agency, not to the buyer
        S.EXCEPTION: "6 9-11",  # coleta cancelada, sinistrado
    },
    "PO": {S.ACCEPTED: "0 1 9"},  # 9 após o horário limite
    "OEC": {S.OUT_FOR_DELIVERY: "0 1 3", S.RETURNING: "9"},  # 9 saiu para entrega ao remetente
    "LDE": {S.RETURNING: "9"},
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


def _pairs(codes: Sequence[str], spans: str) -> frozenset[tuple[str, int]]:
    return frozenset((code, number) for code in codes for number in _numbers(spans))


STATUS: Mapping[tuple[str, int], TrackingStatus] = {
    (code, number): status
    for code, family in _FAMILIES.items()
    for status, spans in family.items()
    for number in _numbers(spans)
}
REVOKING = _pairs(["EST"], "1-6 9")  # Favor desconsiderar a informação anterior
DELAYING = _pairs(["BDE", "BDI", "BDR"], "9 66 69") | _pairs(["FC"], "8")

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
    """The canonical status of a (code, number) pair; `unknown` for one that is in no table."""
    return S.IN_TRANSIT if code in _MOVING else STATUS.get((code, number), S.UNKNOWN)


_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_digit(serial: str) -> int:
    """The S10 check digit of eight digits. Codes in use fail it (AA123456789BR does): warn, never refuse."""
    rest = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {0: 5, 1: 0}.get(rest, 11 - rest)


# ── The wire ────────────────────────────────────────────────────────────────────────────────────────────


def _word(told: object) -> str | None:
    """Scalars as text: `tipo` comes as 23, "23" and "01"; "?" is the legacy placeholder for not told."""
    if told is None or isinstance(told, bool):
        return None
    if not isinstance(told, str | int | float):
        raise ValueError("neither text nor number")  # noqa: TRY004 - pydantic turns only a ValueError into a path
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    bare_word = str(told).strip()
    return None if bare_word in {"", "?"} else bare_word


def _dated(told: object) -> object:
    return told if isinstance(told, dict) else {"date": told}


Word: TypeAlias = Annotated[str | None, BeforeValidator(_word)]


class _Time(BaseModel):  # a string, or PHP's {"date", "timezone_type", "timezone"} in the public app
    date: Word
    timezone: Word = None


class _Place(BaseModel):
    cidade: Word = None
    uf: Word = None


class _Unit(BaseModel):
    nome: Word = None
    tipo: Word = None
    endereco: _Place | None = None


class _Event(BaseModel):
    codigo: Word = None
    tipo: Word = None
    dtHrCriado: Annotated[_Time, BeforeValidator(_dated)]
    descricao: Word = None
    descricaoWeb: Word = None
    unidade: _Unit | None = None


class _Object(BaseModel):
    codObjeto: Word
    mensagem: Word = None
    dtPrevista: Word = None
    eventos: list[_Event] | None = None


class _Answer(BaseModel):
    objetos: list[_Object]


class Complaint(BaseModel):
    """Why something is refused: `msgs`, `msg`, `mensagem` and `txErro` are all in use."""

    msgs: list[Word] | None = None
    msg: Word = None
    mensagem: Word = None
    txErro: Word = None

    def sentence(self) -> str | None:
        """What is told, as one sentence; null when nothing is wrong."""
        words = [self.txErro, self.mensagem, self.msg, *(self.msgs or ())]
        return " ".join(word for word in words if word) or None


class QuoteRow(Complaint):
    """One service's row in a price or deadline answer."""

    coProduto: Word = None
    nuRequisicao: Word = None
    pcFinal: Word = None
    prazoEntrega: Word = None
    dataMaxima: Word = None
    entregaDomiciliar: Word = None


class Prepost(BaseModel):
    """A pre-posting as answered."""

    id: Word
    codigoObjeto: Word = None
    codigoServico: Word = None
    precoPrePostagem: Word = None
    prazoPostagem: Word = None
    observacao: Word = None
    statusAtual: Word = None


class LabelAnswer(Complaint):
    """A receipt for labels, or a label in base64, or why there is none."""

    idRecibo: Word = None
    dados: Word = None


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order."""
    path, objects = _objects(raw)
    told = (_tracked(one, f"{path}{index}." if path else "") for index, one in enumerate(objects))
    return in_order(told, codes, CARRIER)


def _objects(raw: Raw) -> tuple[str, list[_Object]]:
    """The path of the objects and the objects: a whole answer, a bare object, or legacy XML."""
    if isinstance(raw, str):
        raw = from_xml(raw)
    if not isinstance(raw, dict):
        raise Unreadable("document", "not a tracking answer")
    if "objetos" not in raw:
        if "codObjeto" in raw:
            return "", [wire(_Object, raw)]
        if {"msgs", "msg", "mensagem"} & raw.keys() and (sentence := wire(Complaint, raw).sentence()):
            raise Unreadable("document", f"an error, not a tracking answer: {sentence}"[:200])
    return "objetos.", wire(_Answer, raw).objetos


def _tracked(told: _Object, path: str) -> TrackedObject:
    code = bare(told.codObjeto)
    if code is None:
        raise Unreadable(f"{path}codObjeto", "no code")
    events = [_event(one, f"{path}eventos.{index}.") for index, one in enumerate(told.eventos or ())]
    settled, status = settle(oldest_first(events))
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        deliver_by=instant(told.dtPrevista, f"{path}dtPrevista", zone=SAO_PAULO),
        delayed=is_delayed(settled, _DELAYING_CODES),
        error=problem(told.mensagem) if told.mensagem and not events else None,
        events=settled,
    )


_STATES = frozenset(STATES.values())


def _event(told: _Event, path: str) -> TrackingEvent:
    description = text(told.descricao) or text(told.descricaoWeb)
    code = (told.codigo or "").upper()
    number = int(told.tipo) if told.tipo and re.fullmatch("[0-9]{1,3}", told.tipo) else None
    unit = told.unidade or _Unit()
    where = unit.endereco or _Place()
    when = _moment(told.dtHrCriado, f"{path}dtHrCriado")
    return TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=_status(code, number, description),
        raw_code=_raw_code(code, number, told.tipo),
        description=description,
        place=" - ".join(part for part in (unit.tipo, where.cidade or unit.nome) if part) or None,
        state=where.uf if where.uf in _STATES else None,  # a foreign unit tells its country, or nothing
        revokes=(code, number) in REVOKING,
    )


def _status(code: str, number: int | None, description: str | None) -> TrackingStatus:
    if code:
        return S.UNKNOWN if number is None and code not in _MOVING else status_of(code, number or 0)
    words = (description or "").lower()
    return next((status for pattern, status in _WORDS if re.search(pattern, words)), S.UNKNOWN)


def _raw_code(code: str, number: int | None, told: str | None) -> str:
    """`CODE/NN`; the code alone where no number is told; "?", the vendor's placeholder, where nothing is."""
    if number is not None:
        return f"{code or '?'}/{number:02d}"
    return f"{code or '?'}/{told}" if told else code or "?"


UTC_ZONE = ZoneInfo("UTC")
_ZONES: Mapping[str | None, ZoneInfo] = {None: SAO_PAULO, "America/Sao_Paulo": SAO_PAULO, "UTC": UTC_ZONE}


def _moment(told: _Time, path: str) -> Moment:
    """Naive Brasília (−03:00 since 2019, −02:00 in older summers) unless the public app names a zone."""
    offset = told.timezone if told.timezone and re.fullmatch(r"[+-]\d\d:\d\d", told.timezone) else ""
    if not offset and told.timezone not in _ZONES:
        raise Unreadable(path, f"an unknown zone: {told.timezone!r}"[:120])
    found = moment(told.date, path, zone=_ZONES.get(told.timezone, UTC_ZONE), iso=told.date and told.date + offset)
    return found if told.timezone is None else found._replace(zone=None)


_DELAYING_CODES = frozenset(f"{code}/{number:02d}" for code, number in DELAYING)

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
