"""A sandbox of Frenet: gateway (prices, tracking) and white label (shipments, wallet, labels), and its notices."""

import base64
import io
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

TOKEN, PARTNER, HOOK, CNPJ = "A1B2C3D4LOJA", "P4RC31R0-0001", "aviso-de-exemplo", "11222333000181"
SERVICES = {  # description, carrier, its code, first price and price per kilogram in centavos, days, most kilograms
    "03298": ("PAC", "Correios", "COR", 18_50, 3_40, 7, 30),
    "03220": ("SEDEX", "Correios", "COR", 26_90, 6_10, 2, 30),
    "JAD3": (".PACKAGE", "Jadlog", "JAD", 21_90, 3_10, 5, 120),
}
CITIES = ("São Paulo-SP", "Campinas-SP", "Rio de Janeiro-RJ", "Contagem-MG", "Salvador-BA", "Curitiba-PR")
TEXTS = {
    "0": "Objeto postado",
    "1": "Objeto em trânsito - por favor aguarde",
    "2": "Objeto ainda não chegou à unidade",
    "3": "Objeto em devolução ao remetente",
    "4": "Objeto extraviado",
    "5": "Objeto saiu para entrega ao destinatário",
    "9": "Objeto entregue ao destinatário",
    "1p": "Objeto aguardando retirada no endereço indicado",
    "1n": "Objeto não entregue - carteiro não atendido",
    "3r": "Objeto entregue ao remetente",
    "31": "Objeto conferido",  # informative: in no table
}
JOURNEYS = {  # how a parcel fares, and how often
    "delivered": (72, "0 1 31 1 5 9"),
    "second_try": (10, "0 1 1 5 1n 5 9"),
    "picked_up": (6, "0 1 1n 1p 9"),
    "late": (5, "0 1 2 5 9"),
    "returned": (5, "0 1 5 1n 3 3r"),
    "lost": (2, "0 1 4"),
}
NO_SERVICE = "ShippingServiceCode ou CarrierCode informado não foram encontrados"
NOT_FOUND = "Objeto não encontrado na base de dados dos Correios."
UNPAID, PAID, POSTED, CALLED_OFF = (1, 2, 3), 4, 5, 6


@dataclass(slots=True)
class Shipment:
    """What was made by the white label: 2 waits for payment, 4 paid, 5 posted, 6 called off, 9 deleted."""

    id: int
    told: dict[str, Any]
    code: str
    price: int
    status: int = 2


@dataclass(slots=True)
class Parcel:
    """An object on its journey: events made (time, what, where), and those still to come."""

    code: str
    service: str
    ahead: list[str]
    cities: tuple[str, str]
    shipment: Shipment | None = None
    events: list[tuple[datetime, str, str]] = field(default_factory=list)


class FrenetSandbox:
    """The aggregator; `balance` is what the wallet holds, in centavos."""

    def __init__(self, seed: int, parcels: int, balance: int, sulks: float) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(guard)
        self.serial = self.chance.randrange(10_000_000, 80_000_000)
        self.balance, self.sulks = balance, sulks
        self.callback = ""
        self.parcels: dict[str, Parcel] = {}
        self.shipments: dict[int, Shipment] = {}
        for _ in range(parcels):
            parcel = self.post(None, None, back=timedelta(hours=self.chance.uniform(6, 240)))
            for _ in range(self.chance.randrange(6)):
                self.advance(parcel, timedelta(hours=self.chance.uniform(1, 20)))
        add, one = self.app.router.add_route, "/v1/shipments/{id:[0-9]+}"
        add("GET", "/shipping/info", self.info)
        add("POST", "/shipping/quote", self.quote)
        add("POST", "/tracking/trackinginfo", self.track)
        add("GET", "/v1/wallet", self.wallet)
        add("POST", "/v1/shipments", self.include)
        add("POST", "/v1/shipments/checkout", self.pay)
        add("POST", "/v1/shipments/batch/label/generate", self.print)
        add("GET", one, self.show)
        add("GET", f"{one}/label", self.show)
        add("POST", f"{one}/cancel", self.cancel)
        add_controls(self)

    # ── Gateway ────────────────────────────────────────────────────────────────────────────────────────────

    async def info(self, _request: web.Request) -> web.Response:
        rows = [service_row(code) for code in SERVICES]
        return web.json_response({"ShippingSeviceAvailableArray": rows, "Message": None})

    async def quote(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        items = told.get("ShippingItemArray")
        if not isinstance(items, list) or not items:
            return web.json_response({"ShippingSevicesArray": None, "Message": "Informe ao menos um item"})
        kilos = sum(float(row["Weight"]) * int(row.get("Quantity", 1)) for row in items)
        wanted = [code for code in SERVICES if told.get("ShippingServiceCode") in (None, code)]
        rows = [self.price(code, kilos, str(told.get("RecipientCEP"))) for code in wanted]
        return web.json_response({"ShippingSevicesArray": rows, "Timeout": 0})

    def price(self, code: str, kilos: float, cep: str) -> dict[str, Any]:
        _name, _carrier, _code, start, kilo, days, most = SERVICES[code]
        if kilos > most or not re.fullmatch(r"\d{8}", cep) or cep.startswith("000"):
            wrong = "Peso excedido" if kilos > most else "CEP de destino não atendido"
            return service_row(code) | {"Error": self.chance.choice((True, "true")), "Msg": wrong}
        price = f"{(start + round(kilo * kilos)) / 100:.2f}"
        told = {"ShippingPrice": price, "OriginalShippingPrice": price, "DeliveryTime": str(days), "Error": False}
        return service_row(code) | told | {"OriginalDeliveryTime": str(days), "Msg": "", "ResponseTime": 0.4}

    async def track(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if told.get("ShippingServiceCode") not in SERVICES:
            return web.json_response({"ErrorMessage": NO_SERVICE, "TrackingEvents": None})
        if not told.get("TrackingNumber"):
            return web.json_response({"ErrorMessage": "Object reference not set to an instance of an object."})
        parcel = self.parcels.get(told["TrackingNumber"])
        carrier = SERVICES[told["ShippingServiceCode"]][2]
        if parcel is None or SERVICES[parcel.service][2] != carrier:
            return web.json_response({"ErrorMessage": NOT_FOUND})
        return web.json_response(tracking(parcel))

    # ── White label ────────────────────────────────────────────────────────────────────────────────────────

    async def wallet(self, _request: web.Request) -> web.Response:
        return web.json_response({"balance": self.balance / 100, "labelLimit": 500})

    async def include(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if not isinstance(asked, list) or not asked:
            return refuse(400, "Erro de validação", (1000, "Informe ao menos um pedido"))
        return web.json_response({"statusBatch": "Processado", "items": [self.made(each) for each in asked]})

    def made(self, told: dict[str, Any]) -> dict[str, Any]:
        offer, order = told["Quotation"], told["Order"]
        if not all(offer.get(name) is not None for name in ("Carrier", "CarrierCode", "ShippingPrice", "DeliveryTime")):
            stack = "Object reference not set to an instance of an object. --> at Frenet.WhiteLabel.Orders.Create()"
            raise web.HTTPInternalServerError(text=json.dumps({"message": stack}), content_type="application/json")
        wrong = wrong_order(order, told["Volumes"]) or (offer["ShippingServiceCode"] not in SERVICES and NO_SERVICE)
        if wrong:
            return {"orderId": order.get("Id"), "errors": [{"code": 1001, "message": wrong}]}
        self.serial += 7
        service = SERVICES[offer["ShippingServiceCode"]]
        price = service[3] + round(service[4] * told["Volumes"]["Weight"])
        shipment = Shipment(self.serial, told, self.number(service[2]), price)
        self.shipments[shipment.id] = shipment
        return {"orderId": order["Id"], "shipmentId": shipment.id, "shipmentStatus": 1, "errors": None}

    async def pay(self, request: web.Request) -> web.Response:
        """Its answer is not to be relied on: it may have paid, and not say so."""
        errors = []
        for shipment in map(self.shipments.get, await request.json()):
            if shipment is None or shipment.status not in UNPAID:
                errors.append({"code": 2000, "message": "Envio não encontrado ou já pago"})
            elif shipment.price > self.balance:
                errors.append({"code": 3000, "message": "Saldo insuficiente."})
            else:
                shipment.status, self.balance = PAID, self.balance - shipment.price
        return web.json_response({"status": 0, "errors": errors or None})

    async def show(self, request: web.Request) -> web.Response:
        shipment = self.shipments.get(int(request.match_info["id"]))
        if shipment is None:
            return refuse(404, "Envio não encontrado")
        paid, key = shipment.status in (PAID, POSTED), base64.b64encode(TOKEN.encode()).decode()
        label = f"https://painel.frenet.com.br/PrintPreviewCart/Label?shippingOrderId={shipment.id}&p={key}"
        carrier = SERVICES[shipment.told["Quotation"]["ShippingServiceCode"]][2]
        page = f"https://rastreio.frenet.com.br/{carrier}/{shipment.code}"
        told = {"shipmentId": shipment.id, "orderId": shipment.told["Order"]["Id"], "shipmentStatus": shipment.status}
        links = {"labelUrl": label if paid else None, "trackingUrl": page if paid else None, "declarationUrl": None}
        return web.json_response(told | links)

    async def print(self, request: web.Request) -> web.Response:
        numbers = await request.json()
        good = [one for one in map(self.shipments.get, numbers) if one and one.status in (PAID, POSTED)]
        bad = [number for number in numbers if number not in {one.id for one in good}]
        errors = [{"code": 4000, "message": "Apenas etiquetas pagas podem ser impressas"}]
        items: list[dict[str, Any]] = [{"shipmentId": one.id, "errors": None} for one in good]
        items += [{"shipmentId": number, "errors": errors} for number in bad]
        size = (298, 420) if request.headers.get("x-printing-format") == "A6" else (595, 842)
        document = base64.b64encode(pdf(good, size)).decode() if good else None
        return web.json_response({"document": document, "items": items})

    async def cancel(self, request: web.Request) -> web.Response:
        shipment = self.shipments.get(int(request.match_info["id"]))
        if shipment is None:
            return refuse(404, "Envio não encontrado")
        if shipment.status != PAID:
            return refuse(400, "Erro", (5000, "O envio não pode ser cancelado na situação atual"))
        shipment.status, self.balance = CALLED_OFF, self.balance + shipment.price
        self.tell(shipment, {"ShipmentStatus": CALLED_OFF, "Balance": self.balance / 100})
        if self.chance.random() < self.sulks:
            return refuse(400, "Erro", (5001, "Erro inesperado --> at Frenet.WhiteLabel.Shipments.Cancel()"))
        return web.Response(status=204)

    # ── Journeys ───────────────────────────────────────────────────────────────────────────────────────────

    def number(self, carrier: str) -> str:
        self.serial += 1
        if carrier != "COR":
            return f"10{self.serial:012}"
        total = sum(int(digit) * by for digit, by in zip(str(self.serial), (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
        return f"QS{self.serial}{ {0: 5, 1: 0}.get(total, 11 - total) }BR"

    def post(self, shipment: Shipment | None, journey: str | None, back: timedelta = timedelta()) -> Parcel:
        """Hand a parcel over: it is posted, its first event."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        service = shipment.told["Quotation"]["ShippingServiceCode"] if shipment else "03298"
        code = shipment.code if shipment else self.number("COR")
        first, last = self.chance.sample(CITIES, 2)
        self.parcels[code] = parcel = Parcel(code, service, JOURNEYS[name][1].split(), (first, last), shipment)
        self.advance(parcel, now() - back)
        return parcel

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One event further; false at the journey's end. Of what was bought by the white label a notice is sent."""
        last = parcel.events[-1][0] if parcel.events else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or (isinstance(when, timedelta) and at > now()):
            return False
        if last and at <= last:
            at = last + timedelta(minutes=1)  # their clock has whole minutes
        parcel.events.append((at, parcel.ahead.pop(0), parcel.cities[len(parcel.events) > 1]))
        if parcel.shipment:
            parcel.shipment.status = POSTED
            self.tell(parcel.shipment, tracking(parcel))
        return True

    def tell(self, shipment: Shipment, body: Mapping[str, Any]) -> None:
        """A notice to the address that came with the shipment, else to the one that was told us with its header."""
        name = "TrackingNotificationUrl" if "TrackingEvents" in body else "StatusNotificationUrl"
        headers = {"Content-Type": "application/json"}
        ids = {"OrderId": shipment.told["Order"]["Id"], "ShipmentId": shipment.id}
        if url := shipment.told.get(name) or self.callback:
            more = {} if shipment.told.get(name) else {"X-Balcao-Token": HOOK}
            content = json.dumps(ids | dict(body), ensure_ascii=False).encode()
            self.courier.send(Delivery(url, headers | more, content))

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"token": TOKEN, "cnpj": CNPJ, "partner_token": PARTNER, "webhook_token": HOOK, "printing_format": "A6"}
        return told | {"endpoint": base_url, "labels_endpoint": f"{base_url}/v1"}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        waiting = {one.code: str(one.status) for one in self.shipments.values()}
        return waiting | {code: parcel.events[-1][1] for code, parcel in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}; advance {code?, steps?}; callback {url}: where notices go."""
        code = wanted.get("code")
        if verb == "callback":
            self.callback = str(wanted.get("url") or "")
            return {}
        if verb == "post":
            shipment = next((one for one in self.shipments.values() if one.code == code), None)
            if code is not None and (shipment is None or shipment.status != PAID):
                raise LookupError(f"{code} cannot be handed over")
            return {"code": self.post(shipment, wanted.get("journey")).code}
        if verb == "advance":
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code]] if code else list(self.parcels.values())
            return {
                "events": sum(self.advance(one, now()) for one in moving for _ in range(int(wanted.get("steps", 1))))
            }
        raise LookupError(f"a carrier does not {verb}")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The store's token everywhere, the partner's for the white label; refusals say whose was denied."""
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    if request.headers.get("token") != TOKEN:
        return refuse(401, "Acesso negado para o cliente")
    if request.path.startswith("/v1/") and request.headers.get("x-partner-token") != PARTNER:
        return refuse(400, "Erro", (9000, "Acesso negado para o parceiro"))
    return await handler(request)


def create(
    products: Sequence[Product], *, seed: int = 0, parcels: int = 0, balance: int = 500_00, sulks: float = 0.0
) -> FrenetSandbox:
    """An aggregator with `parcels` under way and a wallet; products are no business of its.

    `sulks`: how often calling off answers an error although it is done.
    """
    return FrenetSandbox(seed, parcels, balance, sulks)


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(second=0, microsecond=0, tzinfo=None)


def refuse(status: int, message: str, *details: tuple[int, str]) -> web.Response:
    told = {"message": message, "details": [{"code": code, "message": words} for code, words in details]}
    return web.json_response(told, status=status)


def service_row(code: str) -> dict[str, Any]:
    name, carrier, carrier_code = SERVICES[code][:3]
    return {"ServiceCode": code, "ServiceDescription": name, "Carrier": carrier, "CarrierCode": carrier_code}


def tracking(parcel: Parcel) -> dict[str, Any]:
    events = [
        {
            "EventDateTime": f"{at:%d/%m/%Y %H:%M}",
            "EventDescription": TEXTS[what],
            "EventLocation": where,
            "EventType": what.rstrip("pnr"),
        }
        for at, what, where in reversed(parcel.events)
    ]
    name, _carrier, carrier = SERVICES[parcel.service][:3]
    page = f"https://rastreio.frenet.com.br/{carrier}/{parcel.code}"
    return {"TrackingNumber": parcel.code, "TrackingUrl": page, "ServiceDescrition": name, "TrackingEvents": events}


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def wrong_order(order: Mapping[str, Any], volume: Any) -> str | None:
    if not isinstance(volume, dict):
        return "Volumes inválido"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(order.get("Created"))):
        return "Created inválido"
    for who in ("From", "To"):
        party = order.get(who) or {}
        place = party.get("Address") or {}
        if not party.get("Name") or not all(place.get(name) for name in ("ZipCode", "City", "Street", "AddressState")):
            return f"{who}: endereço incompleto"
    return None if order.get("Items") else "Informe os itens"


def pdf(shipments: Sequence[Shipment], size: tuple[float, float]) -> bytes:
    """A page for each label."""
    out = io.BytesIO()
    page = Canvas(out, pagesize=size)
    for shipment in shipments:
        to = shipment.told["Order"]["To"]
        for place, line in enumerate((shipment.code, to["Name"], to["Address"]["ZipCode"])):
            page.drawString(30, size[1] - 40 - 20 * place, str(line))
        page.showPage()
    page.save()
    return out.getvalue()
