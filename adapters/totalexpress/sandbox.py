"""A sandbox of Total Express: the feed of lots with its five-minute rule, questions about codes, quotes, postings."""

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from hub import xml_answers
from hub.calls import within
from hub.faults import Unreadable
from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Knobs, Product, add_controls, make_app

USER, PASSWORD, REST_USER, REST_PASSWORD = "loja-prod", "senha-edi-exemplo", "loja-api", "senha-rest-exemplo"
SENDER, CNPJ = "40404", "11222333000181"
PRICES = {"EXP": (16_90, 3_20, 2), "STD": (12_40, 2_10, 5)}  # first price, price a kilogram in centavos, days
TEXTS = {
    "0": "ARQUIVO RECEBIDO",
    "1": "ENTREGA REALIZADA",
    "10": "SINISTRO LIQUIDADO",
    "21": "CLIENTE AUSENTE/ ESTABELECIMENTO FECHADO",
    "25": "DEVOLUÇÃO EM ANDAMENTO AO CD",
    "26": "DEVOLUÇÃO RECEBIDA NO CD",
    "38": "REDESPACHADO CORREIO - {post}",
    "41": "DESTINATARIO DESCONHECIDO",
    "61": "DEVOLVIDA AO REMETENTE",
    "68": "COLETA RECEBIDA NO CD",
    "71": "DEVOLUÇÃO EM ANDAMENTO PARA O REMETENTE",
    "83": "COLETA REALIZADA",
    "97": "INICIO DE COLETA C EDI",
    "101": "RECEBIDA E PROCESSADA NO CD - : PAG",
    "102": "TRANSFERENCIA PARA: BSX",
    "103": "RECEBIDO CD DE: - - BSX",
    "104": "PROCESSO DE ENTREGA",
    "142": "EXTRAVIO",
    "PO/01": "Objeto postado",
    "OEC/01": "Objeto saiu para entrega ao destinatário",
    "BDE/01": "Objeto entregue ao destinatário",
}
ROAD = "0 97 83 68 101 102 103 "
BLOCKED = "Acesso Negado! Seu IP foi arquivado para controle: 203.0.113.7"
JOURNEYS = {  # how a parcel fares, and how often; codes with a stroke are Correios' own
    "delivered": (66, ROAD + "104 1"),
    "second_try": (14, ROAD + "104 21 104 1"),
    "handed_over": (8, "0 97 83 68 101 38 PO/01 OEC/01 BDE/01"),
    "returned": (9, ROAD + "104 41 25 26 71 61"),
    "lost": (3, "0 97 83 68 102 142 10"),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """What happened and when, Brasília."""

    what: str
    at: datetime


@dataclass(slots=True)
class Parcel:
    """A posting and what was scanned of it; what is ahead starts with the next scan."""

    awb: str
    order: str
    ahead: list[str]
    promised: date
    post: str  # Correios' code, should it be handed over
    scans: list[Scan] = field(default_factory=list)


@dataclass(slots=True)
class Lot:
    """What was new when it was made."""

    number: int
    day: date
    rows: dict[str, list[Scan]]


class TotalExpressSandbox:
    """The carrier. `clock` is what it takes for now; `feed_seconds` how soon the feed may be asked again."""

    def __init__(self, seed: int, parcels: int, feed_seconds: float) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.clock = now
        self.feed_seconds, self.asked_at = feed_seconds, datetime.min.replace(tzinfo=SAO_PAULO)
        self.blocked = False
        self.serial = self.chance.randrange(10_000_000, 90_000_000)
        self.parcels: dict[str, Parcel] = {}
        self.waiting: list[tuple[Parcel, Scan]] = []
        self.lots: list[Lot] = []
        for _ in range(parcels):
            parcel = self.post(None, None, None, self.clock() - timedelta(hours=self.chance.uniform(6, 150)))
            for _ in range(self.chance.randrange(8)):
                self.advance(parcel, parcel.scans[-1].at + timedelta(hours=self.chance.uniform(1, 20)))
        add = self.app.router.add_post
        add("/webservice24.php", self.edi)
        add("/webservice_calculo_frete_v2.php", self.price)
        add("/ics-tracking-encomenda-lv/v1/tracking", self.track)
        add("/ics-edi-lv/v1/coleta/smartlabel/registrar", self.register)
        add_controls(self)

    # ── Parcels ────────────────────────────────────────────────────────────────────────────────────────────

    def post(self, awb: str | None, order: str | None, journey: str | None, at: datetime | None = None) -> Parcel:
        """Register a parcel: its file is received, which is its first scan."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        self.serial += 1
        at = at or self.clock()
        awb = awb or f"TXAS{self.serial:09d}tx"
        promised = (at + timedelta(days=6)).date()
        parcel = Parcel(awb, order or f"P{self.serial}", JOURNEYS[name][1].split(), promised, f"OK{self.serial:09d}BR")
        self.parcels[awb] = parcel
        self.advance(parcel, at)
        return parcel

    def advance(self, parcel: Parcel, at: datetime) -> bool:
        """One scan further; false at the journey's end, and for what has not happened yet."""
        if not parcel.ahead or at > self.clock():
            return False
        at = at.replace(microsecond=0)
        if parcel.scans and at <= parcel.scans[-1].at:
            at = parcel.scans[-1].at + timedelta(seconds=parcel.ahead[0] != "83")  # 97 and 83 have one second
        parcel.scans.append(Scan(parcel.ahead.pop(0), at))
        self.waiting.append((parcel, parcel.scans[-1]))
        return True

    def text(self, parcel: Parcel, scan: Scan) -> str:
        return TEXTS[scan.what].format(post=parcel.post)

    # ── The EDI: SOAP, ISO-8859-1, errors within 200 ───────────────────────────────────────────────────────

    def cut(self) -> None:
        """What waits becomes lots, one for each day."""
        days: dict[date, Lot] = {}
        for parcel, scan in self.waiting:
            day = scan.at.date()
            lot = days.setdefault(day, Lot(489_250_503 + len(self.lots) + len(days), day, {}))
            lot.rows.setdefault(parcel.awb, []).append(scan)
        self.lots += days.values()
        self.waiting.clear()

    async def edi(self, request: web.Request) -> web.Response:
        if self.blocked:
            return fault(BLOCKED)
        asked = await question(request, "ObterTracking")
        if asked is None:
            return fault("Operation not supported")
        if not known(request, USER, PASSWORD):
            return answered("ObterTracking", proc(0))
        try:
            day = date.fromisoformat(asked.get("DataConsulta") or self.clock().date().isoformat())
        except ValueError:
            return answered("ObterTracking", proc(3))
        if (self.clock() - self.asked_at).total_seconds() < self.feed_seconds:
            return answered("ObterTracking", proc(5))
        self.asked_at = self.clock()
        self.cut()
        found = [self.lot(lot) for lot in self.lots if lot.day == day]
        return answered("ObterTracking", proc(1) + tag("ArrayLoteRetorno", "".join(found), "SOAP-ENC:Array"))

    def lot(self, lot: Lot) -> str:
        rows = "".join(self.row(self.parcels[awb], scans) for awb, scans in lot.rows.items())
        head = tag("CodRetorno", str(lot.number)) + tag("DataGeracao", lot.day.isoformat())
        return tag("item", head + tag("ArrayEncomendaRetorno", rows, "SOAP-ENC:Array"), "tns:LoteRetorno")

    def row(self, parcel: Parcel, scans: Sequence[Scan]) -> str:
        own = "".join(self.scan(parcel, scan) for scan in scans if "/" not in scan.what)
        post = "".join(self.post_scan(parcel, scan) for scan in scans if "/" in scan.what)
        told = (
            tag("Awb", parcel.awb) + tag("Pedido", parcel.order) + tag("NotaFiscal", "1") + tag("SerieNotaFiscal", "1")
        )
        told += tag("IdCliente", "") + tag("CodigoObjeto", "") + tag("ArrayStatusTotal", own, "SOAP-ENC:Array")
        if post:
            told += tag("ArrayStatusEct", post, "SOAP-ENC:Array")
        return tag("item", told, "tns:EncomendaRetorno")

    def scan(self, parcel: Parcel, scan: Scan) -> str:
        words = self.text(parcel, scan).encode("ascii", "replace").decode()  # accents are lost: "DEVOLU??O"
        told = tag("CodStatus", scan.what) + tag("DescStatus", words) + tag("DataStatus", naive(scan.at))
        return tag("item", told, "tns:StatusTotal")

    def post_scan(self, parcel: Parcel, scan: Scan) -> str:
        kind, _, number = scan.what.partition("/")
        told = tag("EctTipo", kind) + tag("EctStatus", number) + tag("EctData", scan.at.date().isoformat())
        told += tag("EctHora", f"{scan.at:%H:%M:%S}") + tag("EctDescricao", self.text(parcel, scan))
        return tag("item", told + tag("EctCidade", "CURITIBA") + tag("EctUf", "PR"), "tns:StatusEct")

    async def price(self, request: web.Request) -> web.Response:
        if self.blocked:
            return fault(BLOCKED)
        asked = await question(request, "calcularFrete")
        if asked is None:
            return fault("Operation not supported")
        if not known(request, USER, PASSWORD):
            return answered("calcularFrete", proc(0))
        service, postal_code = asked.get("TipoServico") or "", asked.get("CepDestino") or ""
        wrong = None
        if service not in PRICES:
            wrong = "TipoServico invalido"
        elif not (postal_code.isdecimal() and len(postal_code) == 8) or postal_code == "00000000":
            wrong = "CEP de destino nao atendido"
        if wrong:
            return answered("calcularFrete", proc(2) + tag("ErroConsultaFrete", wrong))
        first, per_kilogram, days = PRICES[service]
        cents = (
            first
            + per_kilogram * -(-hundredths(asked.get("Peso")) // 100)
            + hundredths(asked.get("ValorDeclarado")) // 200
        )
        told = tag("Prazo", str(days)) + tag("ValorServico", f"{cents // 100},{cents % 100:02d}")
        return answered("calcularFrete", proc(1) + tag("DadosFrete", told + tag("Rota", "SPO-BSX"), "tns:DadosFrete"))

    # ── The REST API ───────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        if not known(request, REST_USER, REST_PASSWORD):
            return refuse(401, "Usuario ou senha invalidos")
        told = await body_of(request)
        awbs, orders = told.get("awbs") or [], told.get("pedidos") or []
        if not 1 <= len(awbs) + len(orders) <= 50:
            return refuse(400, "Informe de 1 a 50 awbs ou pedidos")
        found = [each for each in self.parcels.values() if each.awb in awbs or each.order in orders]
        if not found:
            return refuse(404, "Nenhum registro encontrado")
        rows = [self.told(parcel) for parcel in found]
        page = {"data": rows, "currentPage": 1, "lastPage": 1, "perPage": 50, "total": len(rows)}
        return web.json_response({"data": page})

    def told(self, parcel: Parcel) -> dict[str, Any]:
        own = [
            {"statusid": scan.what, "status": self.text(parcel, scan), "data": naive(scan.at)}
            for scan in parcel.scans
            if "/" not in scan.what
        ]
        post = [
            {
                "EctTipo": scan.what.partition("/")[0],
                "EctStatus": scan.what.partition("/")[2],
                "EctData": scan.at.date().isoformat(),
                "EctHora": f"{scan.at:%H:%M:%S}",
                "EctDescricao": self.text(parcel, scan),
                "EctCidade": "CURITIBA",
                "EctUf": "PR",
            }
            for scan in parcel.scans
            if "/" in scan.what
        ]
        detail = {"dataPrev": {"PrevEntrega": parcel.promised.isoformat()}, "statusDeEncomenda": own}
        return {"awb": parcel.awb, "pedido": parcel.order, "nfiscal": "1", "detalhes": detail, "statusEct": post}

    async def register(self, request: web.Request) -> web.Response:
        if not known(request, REST_USER, REST_PASSWORD):
            return refuse(401, "Usuario ou senha invalidos")
        told = await body_of(request)
        rows = told.get("encomendas") or []
        if str(told.get("remetenteId")) != SENDER or not rows:
            return refuse(400, "remetenteId ou encomendas invalidos")
        done, refused = [], []
        for row in rows:
            order, postal_code = str(row.get("pedido") or ""), str(within(row, "destinatario", "endereco", "cep") or "")
            documents = [*(within(row, "docFiscal", "nfe") or ()), *(within(row, "docFiscal", "outros") or ())]
            if not order or len(postal_code) != 8 or not documents:
                refused.append({"pedido": order, "codigoErro": 12, "descricaoErro": "Dados da encomenda invalidos"})
                continue
            parcel = self.post(None, order, None)
            volume = {"awb": parcel.awb, "rota": "SPO-BSX", "codigoBarras": parcel.awb}
            done.append({"pedido": order, "volumes": [volume]})
        answer = {"retorno": {"encomendas": done, "erros": refused}}
        return web.json_response(answer, status=206 if refused else 200)

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"user": USER, "password": PASSWORD, "rest_user": REST_USER, "rest_password": REST_PASSWORD}
        return told | {"sender_id": SENDER, "cnpj": CNPJ, "endpoint": base_url, "rest_endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        return {awb: parcel.scans[-1].what for awb, parcel in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, order?, journey?} -> {code}; advance {code?, steps?} -> {scans}; block {on}."""
        code = wanted.get("code")
        if verb == "post":
            return {"code": self.post(code, wanted.get("order"), wanted.get("journey")).awb}
        if verb == "advance":
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code]] if code else list(self.parcels.values())
            steps = range(int(wanted.get("steps", 1)))
            # Their clock has whole seconds: a scan may stand some seconds ahead of it.
            return {"scans": sum(self.advance(parcel, self.clock()) for parcel in moving for _ in steps)}
        if verb == "block":
            self.blocked = bool(wanted.get("on", True))
            return {}
        raise LookupError(f"a carrier does not {verb}")


def create(
    products: Sequence[Product], *, seed: int = 0, parcels: int = 0, feed_seconds: float = 300.0
) -> TotalExpressSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's."""
    return TotalExpressSandbox(seed, parcels, feed_seconds)


def now() -> datetime:
    return datetime.now(SAO_PAULO)


def naive(at: datetime) -> str:
    """Their times: Brasília, whole seconds, without an offset."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def tag(name: str, told: str, kind: str = "xsd:string") -> str:
    return f'<{name} xsi:type="{kind}">{told if told.startswith("<") else escape(told)}</{name}>'


def proc(code: int) -> str:
    return tag("CodigoProc", str(code), "xsd:nonNegativeInteger")


def envelope(body: str) -> web.Response:
    names = {
        "SOAP-ENV": "http://schemas.xmlsoap.org/soap/envelope/",
        "SOAP-ENC": "http://schemas.xmlsoap.org/soap/encoding/",
        "xsd": "http://www.w3.org/2001/XMLSchema",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "tns": "http://edi.totalexpress.com.br/soap/webservice_v24.total",
    }
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
    page = f'<?xml version="1.0" encoding="ISO-8859-1"?><SOAP-ENV:Envelope {spaces}><SOAP-ENV:Body>{body}'
    told = f"{page}</SOAP-ENV:Body></SOAP-ENV:Envelope>".encode("iso-8859-1", "replace")
    return web.Response(body=told, content_type="text/xml", charset="ISO-8859-1")


def answered(operation: str, told: str) -> web.Response:
    name = f"{operation}Response"
    return envelope(
        f'<ns1:{name} xmlns:ns1="urn:{operation}"><{name} xsi:type="tns:{name}">{told}</{name}></ns1:{name}>'
    )


def fault(words: str) -> web.Response:
    return envelope(f"<SOAP-ENV:Fault>{tag('faultcode', '0', 'xsd:int')}{tag('faultstring', words)}</SOAP-ENV:Fault>")


def refuse(status: int, words: str) -> web.Response:
    return web.json_response({"mensagem": words}, status=status)


async def question(request: web.Request, operation: str) -> dict[str, str | None] | None:
    """The fields of a SOAP question; None where it asks for something else."""
    try:
        body = xml_answers.soap_body(await request.text())
    except Unreadable:
        return None
    told = within(body, operation)
    fields = within(told, f"{operation}Request")
    if not isinstance(told, dict) or request.headers.get("SOAPAction") != f"urn:{operation}#{operation}":
        return None
    return fields if isinstance(fields, dict) else {}


def known(request: web.Request, user: str, password: str) -> bool:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return request.headers.get("Authorization") == f"Basic {pair}"


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def hundredths(told: str | None) -> int:
    """Of an amount with two places after a comma."""
    whole, _, rest = (told or "0").partition(",")
    return int(whole) * 100 + int(rest.ljust(2, "0")[:2] or 0)
