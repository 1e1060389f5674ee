"""A sandbox of Melhor Envio: rotating tokens, quotes, a cart that is paid, labels made late, signed webhooks."""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import random
import secrets
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

CLIENT_ID, CLIENT_SECRET, FIRST_REFRESH = "4077", "segredo-do-aplicativo-de-exemplo", "def502-primeiro-refresh-token"
USER_ID = 90210
ACCESS_SECONDS, REFRESH_SECONDS = 2_592_000, 3_888_000  # 30 and 45 days
SERVICES = {  # company, name, first price in centavos, per kilogram, days; only these two carriers in the vendor's own
    "1": ("Correios", "PAC", 18_50, 3_40, 8),
    "2": ("Correios", "SEDEX", 32_10, 7_90, 2),
    "3": ("Jadlog", ".Package", 16_20, 2_80, 6),
    "4": ("Jadlog", ".Com", 21_70, 4_10, 4),
}
PREFIXES = {"Correios": "AD", "Jadlog": "0802000"}
RETRIES = (900.0,) * 4  # five tries in all, 15 minutes apart
MILESTONES = ("created", "paid", "generated", "posted", "delivered", "canceled", "expired")
JOURNEYS = {  # steps once posted; a step that is no milestone shows only in the word of the status
    "delivered": "posted delivered",
    "second_try": "posted undelivered delivered",
    "recipient_must_act": "posted paused delivered",
    "dropped_off": "received posted delivered",
    "undelivered": "posted undelivered",
    "suspended": "posted suspended",
}
USUAL = ("delivered", "delivered", "second_try", "recipient_must_act")


class Refusal(Exception):
    """An error in Melhor Envio's shape."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, **more}


@dataclass(slots=True)
class Label:
    """An item of the cart, and later an order."""

    id: str
    number: int
    service: str
    told: Mapping[str, Any]
    price: int
    status: str = "pending"
    at: dict[str, datetime] = field(default_factory=dict)
    tracking: str | None = None
    ahead: list[str] = field(default_factory=list)
    making: int | None = None  # downloads that still find it unmade
    shown: tuple[datetime, dict[str, Any]] | None = None  # what its tracking answers, for an hour

    def own_number(self) -> str:
        return f"ME{self.number:05}ES26BR"

    def stamps(self, *, utc: bool = False) -> dict[str, str | None]:
        tell = zulu if utc else naive
        return {f"{name}_at": tell(self.at[name]) if name in self.at else None for name in MILESTONES}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith(("/_sandbox", "/arquivos")):
        return await handler(request)
    try:
        request.app[ACCOUNT].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except web.HTTPError as problem:
        return web.json_response({"message": problem.reason}, status=problem.status)


class MelhorEnvioSandbox:
    """One account with a balance. `parcels` are under way; a label is made once `label_asks` downloads found none."""

    def __init__(self, seed: int, parcels: int, balance: int, label_asks: int, cache_seconds: float) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(_gate)
        self.app[ACCOUNT] = self
        self.balance, self.label_asks, self.cache = balance, label_asks, timedelta(seconds=cache_seconds)
        self.labels: dict[str, Label] = {}
        self.calls: deque[float] = deque()
        self.tokens: dict[str, datetime] = {}
        self.refreshes = {FIRST_REFRESH: now() + timedelta(seconds=REFRESH_SECONDS)}
        self.codes: set[str] = set()
        self.hook: str | None = None
        self.unmade: str | None = None  # why no label can be made
        for _ in range(parcels):
            self.label_under_way(now() - timedelta(hours=self.chance.uniform(6, 240)))
        self.routes()
        add_controls(self)

    def routes(self) -> None:
        add, me = self.app.router.add_route, "/api/v2/me"
        add("GET", "/oauth/authorize", self.consent)
        add("POST", "/oauth/token", self.grant)
        add("GET", me, self.user)
        add("POST", f"{me}/shipment/calculate", self.calculate)
        add("POST", f"{me}/cart", self.put_into_cart)
        add("GET", f"{me}/cart", self.cart)
        add("DELETE", f"{me}/cart/{{id}}", self.take_from_cart)
        add("GET", f"{me}/orders", self.list_orders)
        add("GET", f"{me}/orders/search", self.search)
        add("GET", f"{me}/orders/{{id}}", self.order)
        for verb in ("checkout", "generate", "cancel", "tracking"):
            add("POST", f"{me}/shipment/{verb}", getattr(self, verb))
        add("GET", f"{me}/imprimir/pdf/{{id}}", self.print_file)
        add("GET", "/arquivos/{id}.pdf", self.file)

    # ── Who asks, and how often ────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request) -> None:
        if request.path == "/oauth/authorize":  # a browser's
            return
        agent = request.headers.get("User-Agent", "")
        if "(" not in agent or "@" not in agent:
            raise Refusal(400, "O cabeçalho User-Agent deve ter o nome da aplicação e um e-mail de contato.")
        if request.path.startswith("/oauth/"):
            return
        ends = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if ends is None or ends <= now():
            raise Refusal(401, "Unauthenticated.")
        at = asyncio.get_running_loop().time()
        while self.calls and self.calls[0] <= at - 60:
            self.calls.popleft()
        if len(self.calls) >= 250:
            raise Refusal(429, "Too Many Attempts.")
        self.calls.append(at)

    async def consent(self, request: web.Request) -> web.StreamResponse:
        told = request.query
        if told.get("client_id") != CLIENT_ID or told.get("response_type") != "code":
            raise Refusal(401, "Client authentication failed", error="invalid_client")
        code = secrets.token_hex(16)
        self.codes.add(code)
        raise web.HTTPFound(f"{told['redirect_uri']}?code={code}&state={told.get('state', '')}")

    async def grant(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if (told.get("client_id"), told.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise Refusal(401, "Client authentication failed", error="invalid_client")
        if told.get("grant_type") == "authorization_code":
            if told.get("code") not in self.codes:
                raise Refusal(400, "The authorization code is invalid.", error="invalid_grant")
            self.codes.discard(str(told["code"]))
        elif self.refreshes.pop(str(told.get("refresh_token")), now()) <= now():
            raise Refusal(401, "The refresh token is invalid.", error="invalid_grant")
        access, refresh = secrets.token_hex(24), secrets.token_hex(24)
        self.tokens = {access: now() + timedelta(seconds=ACCESS_SECONDS)}
        self.refreshes[refresh] = now() + timedelta(seconds=REFRESH_SECONDS)
        told = {"token_type": "Bearer", "expires_in": ACCESS_SECONDS}
        return web.json_response(told | {"access_token": access, "refresh_token": refresh})

    async def user(self, _request: web.Request) -> web.Response:
        told = {"id": USER_ID, "firstname": "Loja", "lastname": "Exemplo", "email": "loja@example.com"}
        return web.json_response(told)

    # ── Quotes ─────────────────────────────────────────────────────────────────────────────────────────────

    async def calculate(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        wrong = {
            f"{end}.postal_code": ["O CEP informado é inválido."]
            for end in ("from", "to")
            if not (code := str(part(told, end).get("postal_code"))).isdecimal() or len(code) != 8
        }
        if wrong or not told.get("volumes"):
            raise Refusal(422, "The given data was invalid.", errors=wrong or {"volumes": ["Informe os volumes."]})
        wanted = str(told.get("services") or ",".join(SERVICES)).split(",")
        rows = [self.service(number, told) for number in wanted if number in SERVICES]
        return web.json_response(rows[0] if len(rows) == 1 else rows)  # one service alone is told bare

    def service(self, number: str, told: Mapping[str, Any]) -> dict[str, Any]:
        company, name, _first, _per_kilogram, days = SERVICES[number]
        row = {"id": int(number), "name": name, "company": {"id": int(number), "name": company}}
        if number == "3" and str(part(told, "to")["postal_code"]).startswith("69"):
            return row | {"error": "Serviço indisponível para o trecho."}
        price = price_of(number, told)
        told_price = f"{price / 100:.2f}" if number in {"2", "4"} else price / 100  # text and number in one answer
        custom = {"custom_price": told_price, "custom_delivery_time": days + 1} if number == "2" else {}
        return row | {"price": told_price, "currency": "R$", "delivery_time": days} | custom

    # ── From the cart to the label ─────────────────────────────────────────────────────────────────────────

    async def put_into_cart(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        wrong = {
            f"{end}.{name}": [f"O campo {name} é obrigatório."]
            for end in ("from", "to")
            for name in ("name", "address", "city", "postal_code")
            if not part(told, end).get(name)
        }
        options = part(told, "options")
        if not options.get("non_commercial") and not part(options, "invoice").get("key"):
            wrong["options.invoice.key"] = ["A chave da nota fiscal é obrigatória."]
        if options.get("non_commercial") and (options.get("invoice") or not told.get("products")):
            wrong["products"] = ["Informe os produtos da declaração de conteúdo, e nenhuma nota fiscal."]
        if str(told.get("service")) not in SERVICES:
            wrong["service"] = ["O serviço informado é inválido."]
        if wrong:
            raise Refusal(422, "The given data was invalid.", errors=wrong)
        return web.json_response(self.detail(self.add(str(told["service"]), told, now())), status=201)

    def add(self, service: str, told: Mapping[str, Any], at: datetime) -> Label:
        ref = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        label = Label(ref, len(self.labels) + 1, service, told, price_of(service, told), at={"created": at})
        self.labels[label.id] = label
        self.tell("created", label)
        return label

    def label_under_way(self, at: datetime) -> Label:
        """A label made by hand on the panel, and posted then."""
        service = self.chance.choice(list(SERVICES))
        label = self.add(service, {"volumes": [{"weight": 1}], "options": {"tags": []}}, at - timedelta(hours=3))
        label.at |= {"paid": at - timedelta(hours=2), "generated": at - timedelta(hours=1)}
        self.hand_over(label, None, at)
        return label

    async def cart(self, _request: web.Request) -> web.Response:
        rows = [self.detail(label) for label in self.labels.values() if label.status == "pending"]
        return web.json_response({"current_page": 1, "data": rows[::-1], "total": len(rows)})

    async def take_from_cart(self, request: web.Request) -> web.Response:
        label = self.found(request.match_info["id"])
        if label.status != "pending":
            raise Refusal(404, "Not found")
        del self.labels[label.id]
        return web.Response(status=204)

    async def list_orders(self, _request: web.Request) -> web.Response:
        rows = [self.detail(label) for label in self.labels.values() if label.status != "pending"]
        return web.json_response({"current_page": 1, "data": rows[:-51:-1], "per_page": 50, "total": len(rows)})

    async def search(self, request: web.Request) -> web.Response:
        asked = request.query.get("q", "")
        rows = [each for each in self.labels.values() if asked in (each.id, each.tracking, each.own_number())]
        return web.json_response([self.detail(label) for label in rows])

    async def order(self, request: web.Request) -> web.Response:
        label = self.found(request.match_info["id"])
        if label.status == "pending":
            raise Refusal(404, "Not found")
        return web.json_response(self.detail(label))

    async def checkout(self, request: web.Request) -> web.Response:
        labels = [self.found(ref) for ref in (await body_of(request)).get("orders") or []]
        if not labels or any(label.status != "pending" for label in labels):
            return web.json_response({"error": "Há envios que não estão no carrinho."}, status=422)
        total = sum(label.price for label in labels)
        if total > self.balance:
            return web.json_response({"error": "Saldo insuficiente na carteira."}, status=422)
        self.balance -= total
        for label in labels:
            self.reach(label, "paid", "released")
        rows = [self.detail(label) for label in labels]
        purchase = {"id": str(uuid.uuid4()), "protocol": "PUR-1", "total": total / 100, "status": "paid"}
        return web.json_response({"purchase": purchase | {"orders": rows}})

    async def generate(self, request: web.Request) -> web.Response:
        answer: dict[str, Any] = {}
        for ref in (await body_of(request)).get("orders") or []:
            label = self.found(ref)
            if label.status == "pending":
                return web.json_response({"error": "O envio precisa estar pago para ser gerado."})
            if self.unmade or "generated" in label.at or label.making is not None:
                answer[ref] = {"status": False, "message": self.unmade or "O envio já está gerado"}
                continue
            label.making = self.label_asks
            answer[ref] = {"status": True, "message": "Envio gerado com sucesso"}
        return web.json_response(answer)

    async def print_file(self, request: web.Request) -> web.Response:
        label = self.found(request.match_info["id"])
        if label.making is not None:
            label.making -= 1
            if label.making < 0:
                label.making, label.tracking = None, label.own_number()
                self.reach(label, "generated", "released")
        if "generated" not in label.at:
            why = "E-PRT-0011: O envio precisa estar gerado para que a impressão seja processada."
            raise Refusal(422, why, suggestion="Gere o envio e tente novamente.")
        return web.json_response([f"{request.url.origin()}/arquivos/{label.id}.pdf"])

    async def file(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            raise web.HTTPBadRequest(text="Only one auth mechanism allowed")  # as the file host has it
        label = self.found(request.match_info["id"])
        page, lines = io.BytesIO(), [label.own_number(), str(part(label.told, "to").get("name"))]
        canvas = Canvas(page, pagesize=(283, 425))
        for number, line in enumerate(lines):
            canvas.drawString(30, 380 - 20 * number, line)
        canvas.save()
        return web.Response(body=page.getvalue(), content_type="application/pdf")

    async def cancel(self, request: web.Request) -> web.Response:
        asked = part(await body_of(request), "order")
        label = self.found(str(asked.get("id")))
        if str(asked.get("reason_id")) != "2" or not asked.get("description"):
            raise Refusal(422, "The given data was invalid.", errors={"order.reason_id": ["Motivo inválido."]})
        taken = label.status in {"released", "generated"}
        if taken:
            self.balance += label.price
            self.reach(label, "canceled", "canceled", event="cancelled")
        return web.json_response({label.id: {"canceled": taken}})

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def tracking(self, request: web.Request) -> web.Response:
        refs = (await body_of(request)).get("orders") or []
        if not isinstance(refs, list) or not refs or any(len(str(ref)) != 36 for ref in refs):  # uuids alone: assumed
            raise Refusal(422, "The given data was invalid.", errors={"orders": ["Informe os envios."]})
        found = {ref: self.tracked(self.labels[ref]) for ref in refs if ref in self.labels}
        return web.json_response(found or [])  # PHP: a map, and a list when empty

    def tracked(self, label: Label) -> dict[str, Any]:
        """What tracking shows: kept for as long as the vendor's cache does."""
        if label.shown is None or label.shown[0] + self.cache <= now():
            label.shown = (now(), self.short(label) | label.stamps())
        return label.shown[1]

    def short(self, label: Label) -> dict[str, Any]:
        told = {"id": label.id, "protocol": f"ORD-2026{label.number:08}", "status": label.status}
        return told | {"tracking": label.tracking, "melhorenvio_tracking": label.own_number()}

    def detail(self, label: Label) -> dict[str, Any]:
        told = self.short(label) | label.stamps()
        del told["melhorenvio_tracking"]
        made = naive(label.at["generated"]) if "generated" in label.at else None
        key = {"finished_at": made, "failed_at": None} if made or label.making is not None else None
        more = {"self_tracking": label.own_number(), "service_id": int(label.service), "price": label.price / 100}
        return told | more | {"generated_key": key, "tags": part(label.told, "options").get("tags") or []}

    def found(self, ref: str) -> Label:
        if ref not in self.labels:
            raise Refusal(404, "Not found")
        return self.labels[ref]

    def reach(self, label: Label, step: str, status: str, at: datetime | None = None, event: str = "") -> None:
        """A step further: a milestone has its time, later than the one before; a webhook tells of it."""
        last = max(label.at.values())
        if step in MILESTONES:
            label.at[step] = max(at or now(), last + timedelta(seconds=1))
        label.status = status
        self.tell(event or (status if step == "paid" else step), label)

    def tell(self, event: str, label: Label) -> None:
        if self.hook is None:
            return
        told = self.short(label) | {"user_id": USER_ID, "tags": [], "self_tracking": label.own_number()}
        url = f"https://melhorrastreio.com.br/rastreio/{label.own_number()}"
        told |= {**label.stamps(utc=True), "tracking_url": url}
        body = json.dumps({"event": f"order.{event}", "data": told}, ensure_ascii=False).encode()
        signature = base64.b64encode(hmac.digest(CLIENT_SECRET.encode(), body, hashlib.sha256)).decode()
        headers = {"User-Agent": "Melhor Envio Webhooks/1.0", "Content-Type": "application/json"}
        headers["X-ME-Signature"] = signature
        self.courier.send(Delivery(self.hook, headers, body, timeout=6, retries=RETRIES))

    def hand_over(self, label: Label, journey: str | None, at: datetime | None) -> None:
        name = journey or self.chance.choice(USUAL)
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(JOURNEYS)}")
        label.ahead = JOURNEYS[name].split()
        self.step(label, at)

    def step(self, label: Label, at: datetime | None = None) -> bool:
        if not label.ahead:
            return False
        what = label.ahead.pop(0)
        if what == "posted":
            company = SERVICES[label.service][0]
            label.tracking = f"{PREFIXES[company]}{label.number:09}" + "BR" * (company == "Correios")
        self.reach(label, what, what, at)
        return True

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "endpoint": base_url}
        return told | {"refresh_token": next(iter(self.refreshes))}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        return {label.id: label.status for label in self.labels.values()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}; advance {code?}; callback {url}; expire_token ends the token in use."""
        code = wanted.get("code")
        if code is not None and code not in self.labels:
            raise LookupError(f"no label {code}")
        if verb == "post":
            label = self.labels[code] if code else None
            if label and (label.status != "released" or "generated" not in label.at):
                raise LookupError(f"{code} cannot be posted: it is {label.status}")
            if label is None:
                label = self.add(self.chance.choice(list(SERVICES)), {"volumes": [{"weight": 1}]}, now())
                label.at |= {"paid": now(), "generated": now()}
            self.hand_over(label, wanted.get("journey"), None)
            return {"code": label.id}
        if verb == "advance":
            moving = [self.labels[code]] if code else list(self.labels.values())
            return {"scans": sum(self.step(label) for label in moving)}
        if verb == "callback":
            await self.register(str(wanted["url"]))
            return {}
        if verb == "expire_token":
            self.tokens.clear()
            return {}
        raise LookupError(f"a carrier does not {verb}")

    async def register(self, url: str) -> None:
        """As the panel does it: the address is tried without a signature, and must answer 2xx."""
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
            if not 200 <= answer.status < 300:
                raise LookupError(f"E-WBH-0002: status inválido {answer.status}")
        self.hook = url


ACCOUNT: web.AppKey[MelhorEnvioSandbox] = web.AppKey("account", MelhorEnvioSandbox)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    parcels: int = 0,
    balance: int = 1_000_000,
    label_asks: int = 1,
    cache_seconds: float = 0.0,
) -> MelhorEnvioSandbox:
    """An account with `parcels` under way and `balance` centavos; products are no business of a carrier's.

    `label_asks`: how many downloads find a label not made yet; `cache_seconds`: how old tracking may be (3600 there).
    """
    return MelhorEnvioSandbox(seed, parcels, balance, label_asks, cache_seconds)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def naive(at: datetime) -> str:
    """The API's times: Brasília, whole seconds, without an offset."""
    return f"{at.astimezone(SAO_PAULO):%Y-%m-%d %H:%M:%S}"


def zulu(at: datetime) -> str:
    """The webhooks' times."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000000+00:00"


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        told = dict(await request.post())
    return told if isinstance(told, dict) else {}


def part(told: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = told.get(key)
    return found if isinstance(found, dict) else {}


def price_of(service: str, told: Mapping[str, Any]) -> int:
    _company, _name, first, per_kilogram, _days = SERVICES[service]
    kilograms = sum(float(volume.get("weight") or 0) for volume in told.get("volumes") or [])
    return first + round(per_kilogram * kilograms) + round(float(part(told, "options").get("insurance_value") or 0))
