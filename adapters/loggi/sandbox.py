"""A sandbox of Loggi's contract API: token, quotes, asynchronous shipments, labels, tracking, webhooks."""

import asyncio
import base64
import json
import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any

from aiohttp import web
from reportlab.pdfgen import canvas

from hub.calls import within
from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

COMPANY, CLIENT_ID, CLIENT_SECRET = "394829", "cliente-exemplo", "segredo-de-exemplo"
WEBHOOK_USER, WEBHOOK_PASSWORD = "balcao", "senha-do-webhook"
OFFERS = {  # label, first price and price a kilogram in centavos, days
    "FREIGHT_TYPE_ECONOMIC": ("Loggi Econômico", 11_90, 1_80, 5),
    "FREIGHT_TYPE_EXPRESS": ("Loggi Expresso", 17_40, 2_90, 2),
}
WORDS = {  # highLevelStatus, description; 3 and 15 stand in no published list
    "1": ("Adicionado", "O pacote foi adicionado"),
    "2": ("Cancelado", "O pacote foi cancelado"),
    "3": ("Em processamento", "O pacote está em nossa base"),
    "5": ("Entregue", "O pacote foi entregue"),
    "11": ("Saiu para entrega", "O pacote saiu para entrega"),
    "14": ("Coletado", "O pacote foi coletado"),
    "15": ("Em trânsito", "O pacote está a caminho da cidade de destino"),
    "21": ("Endereço incorreto", "Não encontramos o endereço de entrega"),
    "22": ("Aguardando remetente", "O remetente precisa confirmar os dados"),
}
JOURNEYS = {  # how a package fares, and how often
    "delivered": (78, "1 14 3 15 11 5"),
    "second_try": (14, "1 14 3 15 11 21 11 5"),
    "waits_for_the_sender": (8, "1 14 3 22 15 11 5"),
}
CITIES = (("São Paulo", "SP"), ("Campinas", "SP"), ("Belo Horizonte", "MG"), ("Recife", "PE"), ("Curitiba", "PR"))
RECALLED_TOO_LATE = frozenset({"11", "5"})


@dataclass(frozen=True, slots=True)
class Scan:
    """A status and where and when it began."""

    code: str
    city: tuple[str, str]
    at: datetime

    def status(self) -> dict[str, Any]:
        high, words = WORDS[self.code]
        action = {"reasonLabel": "CONFIRM", "reasonDescription": words} if self.code == "22" else None
        return {
            "code": self.code,
            "highLevelStatus": high,
            "description": words,
            "updatedTime": zulu(self.at),
            "actionRequired": action,
        }

    def location(self) -> dict[str, str]:
        return {"city": self.city[0], "state": self.city[1]}


@dataclass(slots=True)
class Package:
    """A package on its way: its scans, the codes ahead, and how often its label was asked for."""

    code: str
    key: str
    ahead: list[str]
    promised: datetime
    scans: list[Scan] = field(default_factory=list)
    asked: int = 0


class LoggiSandbox:
    """The carrier. `label_asks`: how often a label is not ready yet; `token_seconds`: how long a token holds."""

    def __init__(self, seed: int, parcels: int, token_seconds: float, label_asks: int) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(self.gateway())
        self.token_seconds, self.label_asks = token_seconds, label_asks
        self.tokens: dict[str, float] = {}
        self.callback: str | None = None
        self.serial = self.chance.randrange(10_000_000, 90_000_000)
        self.packages: dict[str, Package] = {}
        for _ in range(parcels):
            package = self.post(None, None, datetime.now(UTC) - timedelta(hours=self.chance.uniform(6, 150)))
            for _ in range(self.chance.randrange(6)):
                self.advance(package, package.scans[-1].at + timedelta(hours=self.chance.uniform(1, 20)))
        add, company = self.app.router.add_route, "/v1/companies/{company}"
        add("POST", "/v2/oauth2/token", self.authenticate)
        add("POST", f"{company}/quotations", self.quote)
        add("POST", f"{company}/async-shipments", self.ship)
        add("POST", f"{company}/labels", self.label)
        add("POST", f"{company}/packages/cancel", self.cancel)
        add("GET", f"{company}/packages/{{code}}/tracking", self.track)
        add_controls(self)

    def gateway(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/v1/"):
                return await handler(request)
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.tokens.get(shown, 0.0) < asyncio.get_running_loop().time():
                return refuse(401, 16, "Jwt is missing or expired")
            if request.match_info.get("company") != COMPANY:
                return refuse(403, 7, "the caller does not have permission for this company")
            return await handler(request)

        return guard

    async def authenticate(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if (told.get("client_id"), told.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return refuse(401, 16, "invalid client credentials")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = asyncio.get_running_loop().time() + self.token_seconds
        return web.json_response({"idToken": token, "expiresIn": str(int(self.token_seconds))})

    # ── Packages ───────────────────────────────────────────────────────────────────────────────────────────

    def post(self, code: str | None, journey: str | None, at: datetime | None = None) -> Package:
        """Add a package, which is its first scan."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        self.serial += 1
        at = at or datetime.now(UTC)
        code, key = code or f"LGG{self.serial}BR", f"KEY{self.chance.randrange(10**12):012}{self.serial}"
        package = Package(code, key, JOURNEYS[name][1].split(), at + timedelta(days=4))
        self.packages[package.code] = package
        self.advance(package, at)
        return package

    def advance(self, package: Package, at: datetime) -> bool:
        """One scan further; false at the journey's end, and for what has not happened yet."""
        at = at.replace(microsecond=0)
        if not package.ahead or at > datetime.now(UTC):
            return False
        if package.scans and at <= package.scans[-1].at:
            at = package.scans[-1].at + timedelta(seconds=1)
        self.scan(package, package.ahead.pop(0), at)
        return True

    def scan(self, package: Package, code: str, at: datetime) -> None:
        city = CITIES[0] if len(package.scans) < 2 else self.chance.choice(CITIES)
        package.scans.append(Scan(code, city, at))
        if self.callback is None:
            return
        pair = base64.b64encode(f"{WEBHOOK_USER}:{WEBHOOK_PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        self.courier.send(Delivery(self.callback, headers, json.dumps({"packages": [self.told(package)]}).encode()))

    def told(self, package: Package) -> dict[str, Any]:
        last = package.scans[-1]
        return {
            "loggiKey": package.key,
            "trackingCode": package.code,
            "status": last.status(),
            "location": last.location(),
            "promisedDate": package.promised.date().isoformat(),
            "trackingHistory": [
                {"status": scan.status(), "location": scan.location()} for scan in reversed(package.scans)
            ],
            "deliveryInformation": {"receiverName": "", "receiverDocument": "", "links": []},
        }

    async def track(self, request: web.Request) -> web.Response:
        package = self.packages.get(request.match_info["code"])
        if not package:
            return refuse(404, 5, "package not found")
        return web.json_response({"packages": [self.told(package)]})

    # ── Freight ────────────────────────────────────────────────────────────────────────────────────────────

    async def quote(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if bool(told.get("pickupTypes")) == bool(told.get("externalServiceIds")):
            return refuse(400, 3, "exactly one of pickupTypes and externalServiceIds is required")
        codes = [str(within(told, side, "correios", "cep") or "") for side in ("shipFrom", "shipTo")]
        if not all(code.isdecimal() and len(code) == 8 and code != "00000000" for code in codes):
            return refuse(422, 3, "postal code not found")
        boxes = told.get("packages") or []
        if not boxes or any(too_large(box) for box in boxes):
            return refuse(422, 3, "package exceeds 30000 g or 100 cm")
        return web.json_response({"packagesQuotations": [{"quotations": self.offers(box)} for box in boxes]})

    def offers(self, box: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, (words, first, per_kilogram, days) in OFFERS.items():
            total = money(first + per_kilogram * -(-int(box["weightG"]) // 1000))
            price = {"totalAmount": total, "baseAmount": money(first)}
            offer = {"freightType": name, "freightTypeLabel": words, "sloInDays": days, "price": price}
            found.append(offer | {"pickupType": "PICKUP_TYPE_SPOT"})
        return found

    async def ship(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        boxes = told.get("packages") or []
        places = [within(told, side, "address", "correiosAddress") for side in ("shipFrom", "shipTo")]
        if not boxes or not all(isinstance(place, dict) and place.get("cep") for place in places):
            return refuse(422, 3, "shipFrom, shipTo and packages are required")
        if any(box.get("freightType") not in OFFERS or not box.get("documentTypes") for box in boxes):
            return refuse(422, 3, "freightType and documentTypes are required")
        made = [self.post(None, None) for _ in boxes]
        rows = [
            {"trackingCode": each.code, "barcode": each.code, "loggiKey": each.key, "sequence": str(n)}
            for n, each in enumerate(made, 1)
        ]
        return web.json_response({"packages": rows}, status=202)

    async def label(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        by_key = {package.key: package for package in self.packages.values()}
        failed, ready = [], []
        for key in told.get("loggiKeys") or []:
            package = by_key.get(key)
            if package is None or package.scans[-1].code == "2":
                problem = {"code": 3, "message": "package cancelled or unknown", "details": []}
                failed.append({"loggiKey": key, "status": problem})
                continue
            package.asked += 1
            if package.asked <= self.label_asks:
                problem = {"code": 9, "message": "package is still being processed", "details": []}
                failed.append({"loggiKey": key, "status": problem})
            else:
                ready.append(package)
        success = {"createdTime": zulu(datetime.now(UTC)), "content": pdf(ready)} if ready and not failed else None
        return web.json_response({"success": success, "failure": failed})

    async def cancel(self, request: web.Request) -> web.Response:
        key, code = request.query.get("loggi_key"), request.query.get("tracking_code")
        found = [each for each in self.packages.values() if (each.key == key if key else each.code == code)]
        if not found:
            return refuse(404, 5, "package not found")
        package = found[0]
        if package.scans[-1].code in RECALLED_TOO_LATE:
            words = "o pacote já saiu para entrega: o cancelamento pode não acontecer"
            return web.json_response({"warning_type": "OUT_FOR_DELIVERY", "warning_message": words})
        package.ahead.clear()
        self.scan(package, "2", max(datetime.now(UTC), package.scans[-1].at + timedelta(seconds=1)))
        return web.json_response({})

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"company_id": COMPANY, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return told | {"webhook_user": WEBHOOK_USER, "webhook_password": WEBHOOK_PASSWORD, "endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        return {code: package.scans[-1].code for code, package in self.packages.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}; advance {code?, steps?} -> {scans}; callback {url}."""
        code = wanted.get("code")
        if verb == "post":
            return {"code": self.post(code, wanted.get("journey")).code}
        if verb == "advance":
            if code is not None and code not in self.packages:
                raise LookupError(f"no package {code}")
            moving = [self.packages[code]] if code else list(self.packages.values())
            steps = range(int(wanted.get("steps", 1)))
            return {"scans": sum(self.advance(each, datetime.now(UTC)) for each in moving for _ in steps)}
        if verb == "callback":
            self.callback = str(wanted["url"])
            return {}
        if verb == "expire_token":
            self.tokens.clear()
            return {}
        raise LookupError(f"a carrier does not {verb}")


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    parcels: int = 0,
    token_seconds: float = 3600,
    label_asks: int = 1,
) -> LoggiSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's."""
    return LoggiSandbox(seed, parcels, token_seconds, label_asks)


def zulu(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(cents: int) -> dict[str, Any]:
    """Of google.type.Money; int64 is told as a string."""
    return {"currencyCode": "BRL", "units": str(cents // 100), "nanos": cents % 100 * 10_000_000}


def too_large(box: Mapping[str, Any]) -> bool:
    sides = [box.get(name) or 0 for name in ("lengthCm", "widthCm", "heightCm")]
    return not 0 < int(box.get("weightG") or 0) <= 30_000 or max(sides) > 100 or min(sides) <= 0


def refuse(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "details": []}, status=HTTPStatus(status))


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def pdf(packages: Sequence[Package]) -> str:
    """One page of A6 a package, in base64."""
    out = BytesIO()
    page = canvas.Canvas(out, pagesize=(298, 420))
    for package in packages:
        page.drawString(30, 380, package.code)
        page.drawString(30, 360, package.key)
        page.showPage()
    page.save()
    return base64.b64encode(out.getvalue()).decode()
