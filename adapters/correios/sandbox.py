"""A sandbox of Correios API (CWS): token, tracking, quotes, pre-postings, labels; parcels make journeys."""

import asyncio
import base64
import io
import random
import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.carriers import s10_digit
from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Handler, Knobs, Product, add_controls, make_app

USER, ACCESS_CODE, STATIC_KEY = "loja-exemplo", "codigo-de-acesso-exemplo", "cws-chave-fixa-de-exemplo"
CARD, CONTRACT, REGIONAL = "0079999999", "9912999999", 72
SERVICES = {"03220": ("SEDEX", "AD", 24_50, 8_70, 1), "03298": ("PAC", "QQ", 18_50, 4_30, 4)}
# name, label prefix, first price, price per zone in centavos, days

CITIES = (  # by the first digit of the CEP
    ("SAO PAULO", "SP"), ("CAMPINAS", "SP"), ("NITEROI", "RJ"), ("CONTAGEM", "MG"), ("SALVADOR", "BA"),
    ("RECIFE", "PE"), ("FORTALEZA", "CE"), ("BRASILIA", "DF"), ("CURITIBA", "PR"), ("PELOTAS", "RS"),
)  # fmt: skip
UNITS = {"a": "Agência dos Correios", "t": "Unidade de Tratamento", "d": "Unidade de Distribuição"}
TEXTS = {
    "PO01": "Objeto postado",
    "RO01": "Objeto em transferência - por favor, aguarde",
    "DO01": "Objeto em transferência - por favor, aguarde",
    "OEC01": "Objeto saiu para entrega ao destinatário",
    "OEC09": "Objeto saiu para entrega ao remetente",
    "BDE01": "Objeto entregue ao destinatário",
    "BDI01": "Objeto entregue ao destinatário",
    "BDE02": "Carteiro não atendido - Entrega não realizada - Aguarde para retirar",
    "BDE07": "Endereço incorreto - Entrega não realizada - Objeto será devolvido ao remetente",
    "BDE20": "Carteiro não atendido - Entrega não realizada - Será realizada nova tentativa de entrega",
    "BDE23": "Objeto entregue ao remetente",
    "BDE50": "Objeto roubado",
    "BDE69": "Objeto ainda não chegou à unidade - Por favor, aguarde",
    "EST01": "Favor desconsiderar a informação anterior",
    "LDI01": "Objeto aguardando retirada no endereço indicado",
}
ROAD = "PO01:ao RO01:to DO01:to RO01:td DO01:td "  # scan, then unit (UNITS) at origin or destination
JOURNEYS = {  # how a parcel fares, and how often
    "delivered": (70, ROAD + "OEC01:dd BDE01:dd"),
    "second_try": (10, ROAD + "OEC01:dd BDE20:dd OEC01:dd BDE01:dd"),
    "picked_up": (6, ROAD + "OEC01:dd BDE02:dd LDI01:ad BDI01:ad"),
    "late": (5, ROAD + "BDE69:dd OEC01:dd BDE01:dd"),
    "corrected": (2, ROAD + "OEC01:dd BDE01:dd EST01:dd BDE20:dd OEC01:dd BDE01:dd"),
    "returned": (5, ROAD + "OEC01:dd BDE07:dd RO01:td DO01:to OEC09:do BDE23:do"),
    "lost": (2, ROAD + "BDE50:td"),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One event: what ("OEC01"), where (unit, city), when."""

    what: str
    unit: str
    city: tuple[str, str]
    at: datetime

    def code(self) -> str:
        return self.what.rstrip(string.digits)

    def number(self) -> str:
        return self.what.lstrip(string.ascii_uppercase)


@dataclass(slots=True)
class Parcel:
    """An object on its journey: scans made, and those still to come."""

    code: str
    service: str
    origin: tuple[str, str]
    destination: tuple[str, str]
    ahead: list[str]
    promised: datetime
    scans: list[Scan] = field(default_factory=list)


@dataclass(slots=True)
class Prepost:
    """A pre-posting: status 2 PREPOSTADO, 3 POSTADO, 5 CANCELADO."""

    id: str
    code: str
    told: dict[str, Any]
    status: int = 2


@dataclass(slots=True)
class Receipt:
    """An asked label; `asked` counts the downloads tried."""

    refs: list[str]
    asked: int = 0


@dataclass(slots=True)
class Bucket:
    """The gateway's token bucket: `rate` a second, `burst` at once."""

    rate: float
    burst: int
    left: float = 0.0
    at: float = -1e9

    def take(self) -> bool:
        now = asyncio.get_running_loop().time()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class CorreiosSandbox:
    """The carrier: `parcels` are posted in the past, each some scans along its journey."""

    def __init__(self, seed: int, parcels: int, token_seconds: float, label_asks: int, label_status: int) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(self.gateway())
        self.token_seconds = token_seconds
        self.label_asks, self.label_status = label_asks, label_status
        self.serial = self.chance.randrange(10_000_000, 90_000_000)
        self.token, self.token_from, self.tokens_made = "", now(), 0
        self.parcels: dict[str, Parcel] = {}
        self.preposts: dict[str, Prepost] = {}
        self.receipts: dict[str, Receipt] = {}
        self.limit, self.token_limit = Bucket(50, 55), Bucket(3, 3)
        for _ in range(parcels):
            parcel = self.post(None, None, None, back=timedelta(hours=self.chance.uniform(6, 240)))
            for _ in range(self.chance.randrange(8)):
                self.advance(parcel, timedelta(hours=self.chance.uniform(1, 20)))
        self.routes()
        add_controls(self)

    def routes(self) -> None:
        add, labels = self.app.router.add_route, "/prepostagem/v1/prepostagens/rotulo"
        add("POST", "/token/v1/autentica/cartaopostagem", self.authenticate)
        add("GET", "/srorastro/v1/objetos", self.track)
        add("GET", "/srorastro/v1/objetos/{code}", self.track)
        for name, quote in (("preco", self.price), ("prazo", self.deadline)):
            add("POST", f"/{name}/v1/nacional", quote_batch(quote))
            add("GET", f"/{name}/v1/nacional/{{code}}", quote_one(quote))
        add("POST", "/prepostagem/v1/prepostagens", self.prepost)
        add("GET", "/prepostagem/v2/prepostagens", self.list_preposts)
        add("POST", f"{labels}/assincrono/pdf", self.ask_label)
        add("GET", f"{labels}/download/assincrono/{{receipt}}", self.download_label)
        add("DELETE", "/prepostagem/v1/prepostagens/objeto/{ref}", self.cancel)
        add("DELETE", "/prepostagem/v1/prepostagens/{ref}", self.cancel)

    def gateway(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_sandbox"):
                return await handler(request)
            is_token = request.path.startswith("/token/")
            bucket = self.token_limit if is_token else self.limit
            headers = {"x-ratelimit-replenish-rate": "50", "x-ratelimit-burst-capacity": "55"}
            if not bucket.take():
                return web.Response(status=429, headers=headers)  # without a body
            if not is_token and (refusal := self.unauthorized(request)):
                return refuse(request, *refusal)
            answer = await handler(request)
            answer.headers.update(headers | {"x-ratelimit-remaining": str(int(bucket.left))})
            return answer

        return guard

    # ── Token ──────────────────────────────────────────────────────────────────────────────────────────────

    def unauthorized(self, request: web.Request) -> tuple[int, str] | None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not shown:
            return 401, "Token não informado"
        is_good = self.token and shown == self.token and now() < self.token_until()
        return None if is_good or shown == STATIC_KEY else (403, "Token inválido ou expirado")

    def token_until(self) -> datetime:
        return self.token_from + timedelta(seconds=self.token_seconds)

    async def authenticate(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"{USER}:{ACCESS_CODE}".encode()).decode()
        if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Basic {pair}"):
            return refuse(request, 401, "Usuário ou código de acesso inválido")
        told = await body_of(request)
        if told.get("numero") != CARD or told.get("contrato") not in {None, CONTRACT}:
            return refuse(request, 400, "Cartão de postagem não encontrado")
        if not self.token or self.token_until() - now() < timedelta(seconds=self.token_seconds / 48):
            # the same one is given back until the last half hour of its 24
            self.tokens_made += 1
            self.token, self.token_from = f"sandbox.{self.tokens_made}.{secrets.token_urlsafe(24)}", now()
        told_card = {"numero": CARD, "contrato": CONTRACT, "dr": REGIONAL, "api": [34, 35, 36, 41, 76, 87]}
        return web.json_response(
            {
                "ambiente": "HOMOLOGACAO",
                "id": USER,
                "perfil": "PJ",
                "cnpj": "11222333000181",
                "cartaoPostagem": told_card,
                "api": [27, 34],
                "emissao": naive(self.token_from),
                "expiraEm": naive(self.token_until()),
                "zoneOffset": "-03:00",
                "token": self.token,
            },
            status=201,
        )

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        if request.headers.get("Accept-Language") not in {"pt-BR", "en", "es-ES"}:
            return refuse(request, 400, "SRO-018: Permitido apenas os valores pt-BR, en e es-ES para o idioma")
        one = request.match_info.get("code")
        codes = [one] if one else request.query.getall("codigosObjetos", [])
        if not 1 <= len(codes) <= 50:
            return refuse(request, 400, "SRO-001: Informe de 1 a 50 objetos")
        told = [self.object(code.upper(), request.query.get("resultado", "T")) for code in codes]
        self.chance.shuffle(told)  # the order asked is not promised
        answer = {
            "versao": "3.5.38",
            "quantidade": len(told),
            "objetos": told,
            "resultado": "Todos os Eventos",
        }
        return web.json_response(answer)

    def object(self, code: str, wanted: str) -> dict[str, Any]:
        parcel = self.parcels.get(code)
        if not parcel:
            known = re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", code)
            missing = "SRO-020: Objeto não encontrado na base de dados dos Correios."
            return {"codObjeto": code, "mensagem": missing if known else "SRO-019: Objeto inválido"}
        scans = {"U": parcel.scans[-1:], "P": parcel.scans[:1]}.get(wanted, parcel.scans)
        name = SERVICES[parcel.service][0]
        return {
            "codObjeto": code,
            "tipoPostal": {"sigla": code[:2], "descricao": f"ETIQUETA LOGICA {name}", "categoria": name},
            "dtPrevista": naive(parcel.promised),
            "modalidade": "F",
            "eventos": [self.event(scan) for scan in reversed(scans)],
        }

    def event(self, scan: Scan) -> dict[str, Any]:
        city, state = scan.city
        return {
            "codigo": scan.code(),
            "tipo": int(scan.number()) if self.chance.random() < 0.1 else scan.number(),  # both in one answer
            "dtHrCriado": naive(scan.at),
            "descricao": TEXTS[scan.what],
            "unidade": {"tipo": UNITS[scan.unit], "endereco": {"cidade": city, "uf": state}},
        }

    def post(
        self,
        code: str | None,
        journey: str | None,
        told: Mapping[str, Any] | None,
        back: timedelta = timedelta(),
    ) -> Parcel:
        """Hand an object over at the counter: its first scan is made."""
        service = (told or {}).get("codigoServico") or self.chance.choice(list(SERVICES))
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        origin, destination = self.chance.sample(CITIES, 2)
        if told:
            origin, destination = (city_of(place_of(told, who)["cep"]) for who in ("remetente", "destinatario"))
        posted = now() - back
        promised = (posted + timedelta(days=SERVICES[service][4] + 2)).replace(hour=23, minute=59, second=59)
        code = code or self.new_code(service)
        self.parcels[code] = Parcel(code, service, origin, destination, JOURNEYS[name][1].split(), promised)
        self.advance(self.parcels[code], posted)
        return self.parcels[code]

    def new_code(self, service: str) -> str:
        self.serial += 1
        return f"{SERVICES[service][1]}{self.serial}{s10_digit(str(self.serial))}BR"

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One scan further, at `when` or so long after the last; false at the journey's end."""
        last = parcel.scans[-1].at if parcel.scans else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or (isinstance(when, timedelta) and at > now()):
            return False
        what, _, where = parcel.ahead.pop(0).partition(":")
        if last and at <= last:
            at = last + timedelta(seconds=1)  # their clock has whole seconds
        parcel.scans.append(Scan(what, where[0], parcel.origin if where[1] == "o" else parcel.destination, at))
        return True

    # ── Prices, deadlines ──────────────────────────────────────────────────────────────────────────────────

    def price(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if wrong := wrong_row(row) or wrong_size(row):
            return {"txErro": wrong}
        _name, _prefix, first, per_zone, _days = SERVICES[row["coProduto"]]
        grams = int(row["psObjeto"])
        cents = first + per_zone * zones(row) + 3_40 * -(-grams // 1000)
        declared = re.fullmatch(r"(\d+)(\.\d+)?", str(row.get("vlDeclarado", "")))
        extra = int(declared[1]) if declared else 0  # one per cent
        told = {
            "psCobrado": grams,
            "pcBase": comma(cents),
            "pcProduto": comma(cents),
            "vlSeguroAutomatico": "24,50",
        }
        return told | {"pcTotalServicosAdicionais": comma(extra), "pcFinal": comma(cents + extra)}

    def deadline(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if wrong := wrong_row(row):
            return {"txErro": wrong}
        days = SERVICES[row["coProduto"]][4] + zones(row)
        ends = (now() + timedelta(days=days)).replace(hour=23, minute=58, second=0)
        told = {"prazoEntrega": days, "dataMaxima": naive(ends), "entregaSabado": "N"}
        return told | {"entregaDomiciliar": "N" if row["cepDestino"].endswith("999") else "S"}

    # ── Pre-postings and labels ────────────────────────────────────────────────────────────────────────────

    async def prepost(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        needed = (
            "remetente",
            "destinatario",
            "codigoServico",
            "pesoInformado",
            "codigoFormatoObjetoInformado",
        )
        if absent := [name for name in needed if not told.get(name)]:
            return refuse(request, 400, *(f"O campo {name} é obrigatório." for name in absent))
        if not all(re.fullmatch(r"\d{8}", str(place_of(told, who).get("cep"))) for who in needed[:2]):
            return refuse(request, 400, "O CEP é inválido.")
        if told["codigoServico"] not in SERVICES:
            return refuse(request, 400, "Serviço não pertence ao cartão de postagem.")
        if not told.get("chaveNFe") and not told.get("itensDeclaracaoConteudo"):
            return refuse(request, 400, "Informe a nota fiscal ou os itens da declaração de conteúdo.")
        posting = Prepost(f"PR{secrets.token_urlsafe(16)}", self.new_code(told["codigoServico"]), told)
        self.preposts[posting.id] = self.preposts[posting.code] = posting
        return web.json_response(prepost_row(posting))

    async def list_preposts(self, request: web.Request) -> web.Response:
        wanted = {"PREPOSTADO": 2, "POSTADO": 3, "CANCELADO": 5}.get(request.query.get("status", ""))
        every = [one for ref, one in self.preposts.items() if ref == one.id and wanted in (None, one.status)]
        page, size = int(request.query.get("page", 0)), min(50, int(request.query.get("size", 10)))
        rows = [prepost_row(one) for one in every[page * size : (page + 1) * size]]
        return web.json_response({"itens": rows, "page": {"number": page, "size": size, "totalElements": len(every)}})

    async def ask_label(self, request: web.Request) -> web.Response:
        refs = (await body_of(request)).get("idsPrePostagem") or []
        if not refs or any(ref not in self.preposts or self.preposts[ref].status != 2 for ref in refs):
            return refuse(request, 400, "Pré-postagem não encontrada ou não está pré-postada.")
        receipt = secrets.token_hex(12)
        self.receipts[receipt] = Receipt(refs)
        return web.json_response({"idRecibo": receipt})

    async def download_label(self, request: web.Request) -> web.Response:
        receipt = self.receipts.get(request.match_info["receipt"])
        if not receipt:
            return refuse(request, 404, "Recibo não encontrado.")
        receipt.asked += 1
        if receipt.asked <= self.label_asks:
            told = {"mensagem": "PPN-291: Rótulo ainda não foi gerado. Consulte novamente."}
            return web.json_response(told, status=self.label_status)
        pages = [label_lines(self.preposts[ref]) for ref in receipt.refs]
        return web.json_response({"nome": "rotulos.pdf", "dados": base64.b64encode(pdf(pages)).decode()})

    async def cancel(self, request: web.Request) -> web.Response:
        posting = self.preposts.get(request.match_info["ref"])
        if not posting:
            return refuse(request, 404, "Pré-postagem não encontrada.")
        if posting.status != 2:
            return refuse(request, 400, "Pré-postagem não pode ser cancelada na situação atual.")
        posting.status = 5
        return web.json_response({"id": posting.id, "statusAtual": 5, "descStatusAtual": "CANCELADO"})

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"user": USER, "access_code": ACCESS_CODE, "posting_card": CARD}
        return told | {"contract": CONTRACT, "regional": str(REGIONAL), "endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        words = {2: "PREPOSTADO", 3: "POSTADO", 5: "CANCELADO"}
        waiting = {posting.code: words[posting.status] for posting in self.preposts.values()}
        last = {code: parcel.scans[-1] for code, parcel in self.parcels.items()}
        return waiting | {code: f"{scan.code()}/{scan.number()}" for code, scan in last.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}, or {count} -> {codes}; advance {code?, steps?}; expire_token ends it."""
        if verb == "post" and "count" in wanted:
            return {"codes": [self.hand_over(None, wanted.get("journey")) for _ in range(int(wanted["count"]))]}
        if verb == "post":
            return {"code": self.hand_over(wanted.get("code"), wanted.get("journey"))}
        if verb == "advance":
            code = wanted.get("code")
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code]] if code else list(self.parcels.values())
            steps = range(int(wanted.get("steps", 1)))
            return {"scans": sum(self.advance(parcel, now()) for parcel in moving for _ in steps)}
        if verb == "expire_token":
            self.token = ""
            return {}
        raise LookupError(f"a carrier does not {verb}")

    def hand_over(self, code: str | None, journey: str | None) -> str:
        posting = self.preposts.get(code or "")
        if posting and posting.status != 2:
            raise LookupError(f"{code} cannot be posted any more")
        parcel = self.post(posting.code if posting else code, journey, posting.told if posting else None)
        if posting:
            posting.status = 3
        return parcel.code


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    parcels: int = 0,
    token_seconds: float = 86_400,
    label_asks: int = 1,
    label_status: int = 200,
) -> CorreiosSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's.

    `label_asks`: how many downloads find a label not ready; `label_status` tells so (200 and 400 were seen).
    """
    return CorreiosSandbox(seed, parcels, token_seconds, label_asks, label_status)


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(microsecond=0)


def naive(at: datetime) -> str:
    """Their times: Brasília, whole seconds, without an offset."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def prepost_row(posting: Prepost) -> dict[str, Any]:
    ends = (now() + timedelta(days=7)).replace(hour=23, minute=59, second=59)
    words = {2: "PREPOSTADO", 3: "POSTADO", 5: "CANCELADO"}
    return {
        "id": posting.id,
        "codigoObjeto": posting.code,
        "codigoServico": posting.told["codigoServico"],
        "statusAtual": posting.status,
        "descStatusAtual": words[posting.status],
        "observacao": posting.told.get("observacao"),
        "dataHora": naive(now()),
        "prazoPostagem": naive(ends),
    }


def refuse(request: web.Request, status: int, *sentences: str) -> web.Response:
    told = {"msgs": list(sentences), "date": naive(now()), "method": request.method, "path": request.path}
    return web.json_response(told | {"causa": sentences[0], "stackTrace": None}, status=status)


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def quote_batch(quote: Any) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        told = await body_of(request)
        rows = told.get("parametrosProduto") or told.get("parametrosPrazo") or []
        if not 1 <= len(rows) <= 5 or not all(isinstance(row, dict) for row in rows):
            return refuse(request, 400, "Informe de 1 a 5 requisições por lote.")
        if any(row.get("nuContrato", CONTRACT) != CONTRACT for row in rows):
            return refuse(request, 400, "O contrato informado não pertence à credencial.")
        names = ("coProduto", "nuRequisicao")
        return web.json_response([{name: row.get(name) for name in names} | quote(row) for row in rows])

    return answer


def quote_one(quote: Any) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        code = request.match_info["code"]
        told = quote({"coProduto": code, **request.query})
        return (
            refuse(request, 400, told["txErro"]) if "txErro" in told else web.json_response({"coProduto": code} | told)
        )

    return answer


def wrong_row(row: Mapping[str, Any]) -> str | None:
    for name in ("cepOrigem", "cepDestino"):
        cep = str(row.get(name))
        if not re.fullmatch(r"\d{8}", cep) or cep == "00000000":
            return f"ERP-005: CEP inexistente ({cep})."
    return None if row.get("coProduto") in SERVICES else "Produto não pertence ao contrato."


def wrong_size(row: Mapping[str, Any]) -> str | None:
    try:
        sides = [int(row[name]) for name in ("comprimento", "largura", "altura")]
        grams = int(row["psObjeto"])
    except (KeyError, ValueError):
        return "Informe peso e dimensões."
    fits = max(sides) <= 100 and sum(sides) <= 200 and 0 < grams <= 30_000
    return None if fits else "Objeto fora dos limites de peso ou de dimensões."


def zones(row: Mapping[str, Any]) -> int:
    return abs(int(row["cepOrigem"][0]) - int(row["cepDestino"][0]))


def comma(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def city_of(postal_code: str) -> tuple[str, str]:
    return CITIES[int(postal_code[0])]


def place_of(told: Mapping[str, Any], who: str) -> dict[str, Any]:
    place = told[who].get("endereco") if isinstance(told[who], dict) else None
    return place if isinstance(place, dict) else {}


def label_lines(posting: Prepost) -> list[str]:
    place = place_of(posting.told, "destinatario")
    street, city = (
        f"{place.get('logradouro')} {place.get('numero')}",
        f"{place.get('cep')} {place.get('cidade')}",
    )
    return [posting.code, str(posting.told["destinatario"].get("nome")), street, city]


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A real PDF with one page of text per label, its words not compressed."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(298, 420), pageCompression=0)
    for lines in pages:
        for row, line in enumerate(lines):
            canvas.drawString(30, 380 - 18 * row, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
