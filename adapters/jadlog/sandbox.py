"""A sandbox of Jadlog's shipper's API: tracking, quotes, orders; parcels make journeys, told in bare words."""

import base64
import io
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Handler, Knobs, Product, add_controls, make_app

TOKEN, CNPJ, ACCOUNT, CONTRACT, CLIENT = "eyJ0-token-de-exemplo", "11222333000181", "001234", "2233", "105000"
MODALITIES = {3: (21_90, 3_10, 5), 5: (17_50, 2_60, 8), 9: (29_80, 4_90, 3), 0: (38_40, 7_20, 2)}
# first price, price per kilogram in centavos, days
UNITS = (
    "CO SAO PAULO 02",
    "CO CAMPINAS",
    "CO RIO DE JANEIRO",
    "CO CONTAGEM",
    "CO SALVADOR",
    "CO CURITIBA",
    "JADLOG SEDE",
)
ROAD = "EMISSAO:o ENTRADA:o TRANSFERENCIA:o= ENTRADA:d "  # word, unit (origin, destination), = in the same minute
JOURNEYS = {  # how a parcel fares, and how often; only what is proven by real answers ends one
    "delivered": (80, ROAD + "EM_ROTA:d ENTREGUE:d"),
    "second_try": (12, ROAD + "EM_ROTA:d ENTRADA:d EM_ROTA:d ENTREGUE:d"),
    "odd_word": (8, ROAD + "EM_ROTA:d AVARIA_PARCIAL:d ENTREGUE:d"),  # in no table: it changes nothing
}
UNKNOWN = "Nao localizado"


@dataclass(slots=True)
class Parcel:
    """A shipment on its journey: scans made (time, word, unit), and those still to come."""

    shipment: str
    order: str
    cte: str
    units: tuple[str, str]
    ahead: list[str]
    promised: datetime
    weight: float
    reference: str | None = None
    scans: list[tuple[datetime, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """A collection asked for: it becomes a parcel when it is handed over, unless it is called off before."""

    code: str
    shipment: str
    told: dict[str, Any]
    cancelled: bool = False


class JadlogSandbox:
    """The carrier: `parcels` are under way, each some scans along its journey."""

    def __init__(self, seed: int, parcels: int) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(guard)
        self.serial = self.chance.randrange(10_000_000, 80_000_000)
        self.parcels: dict[str, Parcel] = {}  # by shipment
        self.orders_made: dict[str, Order] = {}  # by code
        for _ in range(parcels):
            parcel = self.post(None, None, back=timedelta(hours=self.chance.uniform(6, 240)))
            for _ in range(self.chance.randrange(6)):
                self.advance(parcel, timedelta(hours=self.chance.uniform(1, 20)))
        add, root = self.app.router.add_post, "/embarcador/api"
        add(f"{root}/tracking/consultar", self.track)
        add(f"{root}/frete/valor", self.quote)
        add(f"{root}/pedido/incluir", self.include)
        add(f"{root}/pedido/cancelar", self.cancel)
        add_controls(self)

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        asked = (await body_of(request)).get("consulta")
        if not isinstance(asked, list) or not 1 <= len(asked) <= 100 or not all(isinstance(row, dict) for row in asked):
            return web.json_response(refusal(self.chance, -1, "consulta: informe de 1 a 100 itens"))
        return web.json_response({"consulta": [self.row(row) for row in asked]})

    def row(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name, number = next(iter(asked.items()), ("codigo", ""))
        parcel = self.found(str(name), str(number))
        if parcel is None:
            return {str(name): number} | refusal(self.chance, self.chance.choice((-1, 1)), UNKNOWN)
        told: dict[str, Any] = {
            "codigo": parcel.cte,
            "shipmentId": parcel.shipment,
            "dtEmissao": parcel.scans[0][0].strftime("%d/%m/%Y"),
            "status": parcel.scans[-1][1],
            "valor": 32.75,
            "peso": parcel.weight,
            "eventos": [
                {"data": f"{at:%Y-%m-%d %H:%M:%S}", "status": word, "unidade": unit} for at, word, unit in parcel.scans
            ],
        }
        return {str(name): number, "previsaoEntrega": f"{parcel.promised:%Y-%m-%d}", "tracking": told}

    def found(self, name: str, number: str) -> Parcel | None:
        names = {"shipmentId": "shipment", "cte": "cte", "codigo": "order", "pedido": "reference"}
        if name not in names:
            return None
        return next((one for one in self.parcels.values() if getattr(one, names[name]) == number), None)

    def post(self, order: Order | None, journey: str | None, back: timedelta = timedelta()) -> Parcel:
        """Hand a parcel over: the CT-e is issued, its first word."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        number = self.number()
        origin, destination = self.chance.sample(UNITS, 2)
        posted = now() - back
        parcel = Parcel(
            shipment=order.shipment if order else f"11{number:012}",
            order=order.code if order else str(number),
            cte=f"10{number + 1:012}",
            units=(origin, destination),
            ahead=JOURNEYS[name][1].split(),
            promised=posted + timedelta(days=6),
            weight=float(order.told["totPeso"]) if order else 1.2,
            reference=first(order.told.get("pedido")) if order else None,
        )
        self.parcels[parcel.shipment] = parcel
        self.advance(parcel, posted)
        return parcel

    def number(self) -> int:
        self.serial += 7
        return self.serial

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One word further, with those of the same minute; false at the journey's end."""
        last = parcel.scans[-1][0] if parcel.scans else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or (isinstance(when, timedelta) and at > now()):
            return False
        if last and at <= last:
            at = last + timedelta(seconds=1)  # their clock has whole seconds
        more = True
        while more and parcel.ahead:
            word, _, where = parcel.ahead.pop(0).partition(":")
            parcel.scans.append((at, word.replace("_", " "), parcel.units[0 if where[0] == "o" else 1]))
            more = bool(parcel.ahead) and parcel.ahead[0].endswith("=")
        return True

    # ── Prices ─────────────────────────────────────────────────────────────────────────────────────────────

    async def quote(self, request: web.Request) -> web.Response:
        rows = (await body_of(request)).get("frete")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            return web.json_response({"error": problem(-1, "frete Nao pode ser vazio")})
        for place, row in enumerate(rows):
            if row.get("contrato") not in (None, CONTRACT):
                bad = problem(-1, f"frete[{place}].contrato Numero de contrato invalido")
                return web.json_response(
                    {"frete": [{"modalidade": each.get("modalidade")} for each in rows], "error": bad}
                )
        return web.json_response({"frete": [price(row) for row in rows]})

    # ── Orders ─────────────────────────────────────────────────────────────────────────────────────────────

    async def include(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if wrong := wrong_order(told):
            return web.json_response({"status": "Erro ao inserir", "erro": problem(-1, wrong)})
        reference = first(told["pedido"])
        for order in self.orders_made.values():
            if first(order.told["pedido"]) == reference and not order.cancelled:
                sent = (
                    f"Pedido: {reference} já foi enviado. Solicitacao de coleta: {order.code}. Data: {now():%d/%m/%Y}"
                )
                return web.json_response({"status": "Erro ao inserir", "erro": problem(-2, sent)})
        number = self.number()
        order = Order(str(number), f"11{number:012}", told)
        self.orders_made[order.code] = order
        pages = [order.shipment, reference, str(told["des"]["nome"]), str(told["des"]["cep"])]
        volume = {"seqVolume": 1, "codbarra": order.shipment, "rota": "01", "unidadeDestino": "CO RIO DE JANEIRO"}
        label = {"arquivo": base64.b64encode(pdf(pages)).decode(), "volume": [volume]}
        status = "Solicitacao inserida com sucesso."
        return web.json_response(
            {"codigo": order.code, "shipmentId": order.shipment, "etiqueta": label, "status": status}
        )

    async def cancel(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        numbers = {str(told.get("codigo")), str(told.get("shipmentId"))}
        order = next((one for one in self.orders_made.values() if {one.code, one.shipment} & numbers), None)
        if order is None:
            return web.json_response({"erro": problem(-1, "Solicitacao nao encontrada")})
        if order.shipment in self.parcels or order.cancelled:
            return web.json_response({"erro": problem(-2, "Solicitacao nao pode ser cancelada")})
        order.cancelled = True
        return web.json_response({"shipmentId": order.shipment, "status": "Cancelado com sucesso"})

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"token": TOKEN, "cnpj": CNPJ, "client_code": CLIENT, "account": ACCOUNT, "contract": CONTRACT}
        return told | {"endpoint": f"{base_url}/embarcador/api"}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        waiting = {one.shipment: "CANCELADO" if one.cancelled else "SOLICITADO" for one in self.orders_made.values()}
        return waiting | {code: parcel.scans[-1][1] for code, parcel in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}; advance {code?, steps?}."""
        code = wanted.get("code")
        if verb == "post":
            order = next((one for one in self.orders_made.values() if one.shipment == code), None)
            if code is not None and (order is None or order.cancelled or order.shipment in self.parcels):
                raise LookupError(f"{code} cannot be handed over")
            return {"code": self.post(order, wanted.get("journey")).shipment}
        if verb == "advance":
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code]] if code else list(self.parcels.values())
            return {
                "scans": sum(self.advance(one, now()) for one in moving for _ in range(int(wanted.get("steps", 1))))
            }
        raise LookupError(f"a carrier does not {verb}")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one thing that is not answered with a 200."""
    if not request.path.startswith("/_sandbox") and request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.json_response(problem(1, "TOKEN INVALIDO"), status=401)
    return await handler(request)


def create(products: Sequence[Product], *, seed: int = 0, parcels: int = 0) -> JadlogSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's."""
    return JadlogSandbox(seed, parcels)


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(microsecond=0, tzinfo=None)


def problem(number: int, words: str) -> dict[str, Any]:
    return {"descricao": words, "id": number}


def refusal(chance: random.Random, number: int, words: str) -> dict[str, Any]:
    """Both names of an error are in use."""
    return {chance.choice(("erro", "error")): problem(number, words)}


def first(told: Any) -> str:
    return str(told[0] if isinstance(told, list) and told else told or "")


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def price(row: Mapping[str, Any]) -> dict[str, Any]:
    modality, weight = row.get("modalidade"), row.get("peso")
    told = {name: row.get(name) for name in ("cepori", "cepdes", "modalidade", "peso", "vldeclarado")}
    if modality not in MODALITIES:
        return told | {"erro": problem(-2, "Modalidade nao contratada")}
    if not re.fullmatch(r"\d{8}", str(row.get("cepdes"))) or str(row["cepdes"]).startswith("00"):
        return told | {"erro": problem(-2, "Destino fora da área de cobertura")}
    if not isinstance(weight, int | float) or weight <= 0:
        return told | {"erro": problem(-2, "Peso invalido")}
    start, kilo, days = MODALITIES[modality]
    return told | {"prazo": days, "vltotal": (start + round(kilo * weight)) / 100}


def wrong_order(told: Mapping[str, Any]) -> str | None:
    if told.get("codCliente") != CLIENT or told.get("contaCorrente") != ACCOUNT:
        return "codCliente ou contaCorrente invalido"
    for name in ("conteudo", "pedido", "totPeso", "totValor", "modalidade", "rem", "des", "dfe", "volume"):
        if not told.get(name) and told.get(name) != 0:
            return f"{name} Nao pode ser vazio"
    if told["modalidade"] not in MODALITIES:
        return "modalidade invalida"
    for who in ("rem", "des"):
        for name in ("nome", "cnpjCpf", "endereco", "numero", "bairro", "cidade", "uf", "cep"):
            if not isinstance(told[who], dict) or not told[who].get(name):
                return f"{who}.{name} Nao pode ser vazio"
    return None


def pdf(lines: Sequence[str]) -> bytes:
    """A label of one page."""
    out = io.BytesIO()
    page = Canvas(out, pagesize=(298, 420))
    for place, line in enumerate(lines):
        page.drawString(30, 380 - 20 * place, line)
    page.save()
    return out.getvalue()
