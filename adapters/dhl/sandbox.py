"""A sandbox of MyDHL API: tracking, rates, shipments with their label; parcels make journeys."""

import base64
import io
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Handler, Knobs, Product, add_controls, make_app

USER, PASSWORD, ACCOUNT = "loja-exemplo", "senha-de-exemplo", "960000001"
PRODUCTS = {  # name, first price, price per started kilogram in centavos, days
    "N": ("EXPRESS DOMESTIC", 58_90, 9_40, 2),
    "P": ("EXPRESS WORLDWIDE", 289_00, 61_00, 4),
}
AREAS = (  # by the first digit of the CEP
    ("SAO", "SAO PAULO-BR"), ("VCP", "CAMPINAS-BR"), ("RIO", "RIO DE JANEIRO-BR"), ("BHZ", "BELO HORIZONTE-BR"),
    ("SSA", "SALVADOR-BR"), ("REC", "RECIFE-BR"), ("FOR", "FORTALEZA-BR"), ("BSB", "BRASILIA-BR"),
    ("CWB", "CURITIBA-BR"), ("POA", "PORTO ALEGRE-BR"),
)  # fmt: skip
TEXTS = {
    "PU": "Shipment picked up",
    "PL": "Processed at {area}",
    "DF": "Shipment has departed from a DHL facility {area}",
    "AF": "Arrived at DHL Sort Facility {area}",
    "AR": "Arrived at DHL Delivery Facility {area}",
    "IC": "Customs clearance status updated",
    "CR": "Clearance processing complete at {area}",
    "OH": "Shipment is on hold",
    "MD": "Scheduled for delivery on next working day",
    "WC": "Shipment is out with courier for delivery",
    "NH": "Delivery attempted; recipient not home",
    "CC": "Awaiting collection by recipient as requested",
    "RD": "Recipient refused delivery",
    "RW": "",  # stands in answers, in no table
    "RT": "Returned to shipper",
    "DD": "Delivered, not in good order",
    "OK": "Delivered",
}
ROAD = "PU:o PL:o RW:o DF:o AF:d AR:d "  # checkpoint, then origin or destination
JOURNEYS = {  # how a parcel fares, and how often
    "delivered": (70, ROAD + "WC:d OK:d"),
    "second_try": (10, ROAD + "WC:d NH:d WC:d OK:d"),
    "cleared": (6, ROAD + "IC:d CR:d WC:d OK:d"),
    "late": (4, ROAD + "MD:d WC:d OK:d"),
    "collected": (4, ROAD + "WC:d NH:d CC:d OK:d"),
    "returned": (4, ROAD + "WC:d RD:d OH:d RT:o"),
    "damaged": (2, ROAD + "WC:d DD:d"),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One checkpoint: its code, service area and local time."""

    code: str
    area: tuple[str, str]
    at: datetime

    def told(self) -> dict[str, Any]:
        code, name = self.area
        return {
            "date": f"{self.at:%Y-%m-%d}",
            "time": f"{self.at:%H:%M:%S}",
            "typeCode": self.code,
            "description": TEXTS[self.code].format(area=name),
            "serviceArea": [{"code": code, "description": name}],
        }


@dataclass(slots=True)
class Parcel:
    """A shipment: label made (`ahead` whole, no scans), on its way, or at its end."""

    number: str
    product: str
    origin: tuple[str, str]
    destination: tuple[str, str]
    ahead: list[str]
    promised: datetime
    scans: list[Scan] = field(default_factory=list)


class DhlSandbox:
    """The carrier: `parcels` were picked up in the past, each some checkpoints along its journey."""

    def __init__(self, seed: int, parcels: int, quota: int | None) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(self.gateway())
        self.quota = quota
        self.serial = self.chance.randrange(100_000_000, 900_000_000)
        self.parcels: dict[str, Parcel] = {}
        for _ in range(parcels):
            parcel = self.made(None, None)
            self.advance(parcel, now() - timedelta(minutes=self.chance.randrange(360, 5760)))
            for _ in range(self.chance.randrange(8)):
                self.advance(parcel, timedelta(minutes=self.chance.randrange(60, 720)))
        add = self.app.router.add_route
        add("GET", "/tracking", self.track)
        add("GET", "/shipments/{number}/tracking", self.track)
        add("GET", "/address-validate", self.validate)
        add("GET", "/rates", self.rates)
        add("POST", "/shipments", self.create)
        add_controls(self)

    def gateway(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_sandbox"):
                return await handler(request)
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Basic {pair}"):
                return refuse(request, 401, "Unauthorized", "Invalid Credentials")
            if self.quota is not None:
                self.quota -= 1
                if self.quota < 0:
                    return refuse(request, 429, "Too Many Requests", "The daily quota is used up")
            return await handler(request)

        return guard

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        one = request.match_info.get("number")
        numbers = [one] if one else request.query.getall("shipmentTrackingNumber", [])
        if not numbers:
            detail = "Missing mandatory parameters: shipmentTrackingNumber"
            return refuse(request, 400, "Missing parameters", detail)
        if request.query.get("trackingView", "all-checkpoints") not in {"all-checkpoints", "last-checkpoint"}:
            return refuse(request, 400, "Wrong format", "Parameters not having correct format: trackingView")
        found = [self.parcels[number] for number in numbers if number in self.parcels and self.parcels[number].scans]
        if not found:
            return refuse(request, 404, "Not data found", f"No Shipments Found for AWBNumber {' '.join(numbers)}")
        last = request.query.get("trackingView") == "last-checkpoint"
        return web.json_response({"shipments": [told_of(parcel, last=last) for parcel in found]})

    def made(self, told: Mapping[str, Any] | None, journey: str | None) -> Parcel:
        """A shipment with its label, before anybody picked it up."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        origin, destination = self.chance.sample(AREAS, 2)
        if told:
            details = told["customerDetails"]
            ends = (details[who]["postalAddress"] for who in ("shipperDetails", "receiverDetails"))
            origin, destination = (area_of(end) for end in ends)
        product = told["productCode"] if told else "N"
        promised = (now() + timedelta(days=PRODUCTS[product][3])).replace(hour=23, minute=59, second=0)
        self.serial += 1
        number = f"{self.serial}{self.serial % 7}"
        parcel = Parcel(number, product, origin, destination, JOURNEYS[name][1].split(), promised)
        self.parcels[number] = parcel
        return parcel

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One checkpoint further, at `when` or so long after the last; false at the journey's end."""
        last = parcel.scans[-1].at if parcel.scans else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or (isinstance(when, timedelta) and at > now()):
            return False
        code, _, where = parcel.ahead.pop(0).partition(":")
        if last and at <= last:
            at = last + timedelta(seconds=1)  # their clock has whole seconds
        area = parcel.origin if where == "o" else parcel.destination
        parcel.scans.append(Scan(code, area, at))
        return True

    # ── Rates ──────────────────────────────────────────────────────────────────────────────────────────────

    async def validate(self, request: web.Request) -> web.Response:
        code = request.query.get("postalCode", "")
        if request.query.get("type") not in {"pickup", "delivery"} or request.query.get("countryCode") != "BR":
            return refuse(request, 400, "Bad request", "Parameters not having correct format: type, countryCode")
        if not re.fullmatch(r"[0-9]{8}", code) or code == "00000000":
            return refuse(request, 400, "Bad request", "8001: No service area is found for the postal code")
        area, name = AREAS[int(code[0])]
        city = name.removesuffix("-BR")
        place = {"countryCode": "BR", "postalCode": code, "cityName": city}
        served = {"code": area, "description": name, "GMTOffset": "-03:00"}
        return web.json_response({"warnings": [], "address": [place | {"serviceArea": served}]})

    async def rates(self, request: web.Request) -> web.Response:
        asked = request.query
        ends = ("originCountryCode", "originCityName", "destinationCountryCode", "destinationCityName")
        needed = (*ends, "weight", "length", "width", "height", "plannedShippingDate", "unitOfMeasurement")
        if absent := [name for name in needed if not asked.get(name)]:
            return refuse(request, 400, "Missing parameters", f"Missing mandatory parameters: {', '.join(absent)}")
        if asked.get("accountNumber") != ACCOUNT:
            return refuse(request, 400, "Bad request", "The account number is not found or invalid.")
        weight = max(float(asked["weight"]), volume(asked) / 5000)
        if weight > 70:
            return refuse(request, 400, "Bad request", "996: The requested product(s) not available")
        day = datetime.fromisoformat(asked["plannedShippingDate"]).replace(hour=23, minute=59)
        domestic = asked["originCountryCode"] == asked["destinationCountryCode"]
        return web.json_response({"products": [self.rate(code, weight, day, domestic=domestic) for code in PRODUCTS]})

    def rate(self, code: str, weight: float, day: datetime, *, domestic: bool) -> dict[str, Any]:
        name, _first, _each, days = PRODUCTS[code]
        cents = price(code, weight) if (code == "N") is domestic else 0  # a product without a rate costs 0
        return {
            "productName": name,
            "productCode": code,
            "localProductCode": code,
            "networkTypeCode": "TD",
            "weight": {"provided": weight, "unitOfMeasurement": "metric"},
            "totalPrice": [
                {"currencyType": "BASEC", "priceCurrency": "USD", "price": round(cents / 540, 2)},
                {"currencyType": "PULCL", "priceCurrency": "BRL", "price": round(cents / 100 + 1, 2)},
                {"currencyType": "BILLC", "priceCurrency": "BRL", "price": cents / 100},
            ],
            "deliveryCapabilities": {
                "deliveryTypeCode": "QDDC",
                "estimatedDeliveryDateAndTime": f"{day + timedelta(days=days):%Y-%m-%dT%H:%M:%S}",
                "totalTransitDays": str(days),
            },
        }

    # ── Shipments ──────────────────────────────────────────────────────────────────────────────────────────

    async def create(self, request: web.Request) -> web.Response:
        told = await request.json()
        if absent := missing(told):
            return refuse(request, 422, "Validation error", f"#/{absent}: required key not found")
        stamp = re.fullmatch(r"(\S+) GMT([+-]\d\d:\d\d)", told["plannedShippingDateAndTime"])
        if not stamp:
            return refuse(request, 400, "Bad request", "998: ShipTimeStamp is not well formatted.")
        if datetime.fromisoformat(stamp[1] + stamp[2]) < now():
            return refuse(request, 400, "Bad request", "998: The shipment date is in the past.")
        if {"typeCode": "shipper", "number": ACCOUNT} not in told["accounts"]:
            return refuse(request, 400, "Bad request", "The account number is not found or invalid.")
        if told["productCode"] not in PRODUCTS:
            return refuse(request, 400, "Bad request", "7007: The requested product is not available.")
        ends = [told["customerDetails"][who]["postalAddress"]["countryCode"] for who in WHO]
        if (ends[0] != ends[1]) is not told["content"]["isCustomsDeclarable"]:
            return refuse(request, 400, "Bad request", "7010: isCustomsDeclarable does not fit the countries.")
        parcel = self.made(told, None)
        weight = sum(float(package["weight"]) for package in told["content"]["packages"])
        label = {"imageFormat": "PDF", "content": base64.b64encode(pdf(parcel.number)).decode(), "typeCode": "label"}
        charge = {"currencyType": "BILLC", "priceCurrency": "BRL", "price": price(parcel.product, weight) / 100}
        number = parcel.number
        answer = {
            "shipmentTrackingNumber": number,
            "trackingUrl": f"https://express.api.dhl.com/mydhlapi/shipments/{number}/tracking",
            "packages": [{"referenceNumber": 1, "trackingNumber": f"JD0146000{number}"}],
            "documents": [label],
            "shipmentCharges": [charge],
        }
        return web.json_response(answer, status=201)

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        return {"user": USER, "password": PASSWORD, "account": ACCOUNT, "endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        return {number: parcel.scans[-1].code if parcel.scans else "-" for number, parcel in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}: picked up; advance {code?, steps?}."""
        code = wanted.get("code")
        if code is not None and code not in self.parcels:
            raise LookupError(f"no parcel {code}")
        if verb == "post":
            parcel = self.parcels[code] if code else self.made(None, wanted.get("journey"))
            if parcel.scans:
                raise LookupError(f"{code} was picked up before")
            self.advance(parcel, now())
            return {"code": parcel.number}
        if verb == "advance":
            moving = [self.parcels[code]] if code else [one for one in self.parcels.values() if one.scans]
            steps = range(int(wanted.get("steps", 1)))
            return {"scans": sum(self.advance(parcel, now()) for parcel in moving for _ in steps)}
        raise LookupError(f"a carrier does not {verb}")


def create(products: Sequence[Product], *, seed: int = 0, parcels: int = 0, quota: int | None = None) -> DhlSandbox:
    """A carrier with `parcels` under way and `quota` calls left today; products are no business of a carrier's."""
    return DhlSandbox(seed, parcels, quota)


WHO = ("shipperDetails", "receiverDetails")
_PARTY = ("postalAddress.postalCode", "postalAddress.cityName", "postalAddress.countryCode",
          "postalAddress.addressLine1", "contactInformation.fullName", "contactInformation.phone",
          "contactInformation.companyName")  # fmt: skip
_NEEDED = (
    "plannedShippingDateAndTime", "pickup", "productCode", "accounts", "content.packages", "content.description",
    "content.isCustomsDeclarable", "content.incoterm", "content.unitOfMeasurement",
    *(f"customerDetails.{who}.{name}" for who in WHO for name in _PARTY),
)  # fmt: skip


def missing(told: Any) -> str | None:
    """The first key that a shipment needs and does not have."""
    for path in _NEEDED:
        found = told
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            return path.replace(".", "/")
    return None


def told_of(parcel: Parcel, *, last: bool) -> dict[str, Any]:
    scans = parcel.scans[-1:] if last else parcel.scans
    return {
        "shipmentTrackingNumber": parcel.number,
        "status": "Success",
        "shipmentTimestamp": f"{parcel.scans[0].at:%Y-%m-%dT%H:%M:%S}",
        "productCode": parcel.product,
        "description": "GOODS",
        "shipperDetails": {"name": "", "serviceArea": [dict(zip(("code", "description"), parcel.origin, strict=True))]},
        "numberOfPieces": 1,
        "events": [scan.told() for scan in reversed(scans)],
        "estimatedDeliveryDate": f"{parcel.promised:%Y-%m-%dT%H:%M:%S}",
    }


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(microsecond=0)


def refuse(request: web.Request, status: int, title: str, detail: str) -> web.Response:
    told = {"instance": f"/expressapi{request.path_qs}", "detail": detail, "title": title, "message": title}
    return web.json_response(told | {"status": str(status)}, status=status)


def volume(asked: Mapping[str, str]) -> float:
    return float(asked["length"]) * float(asked["width"]) * float(asked["height"])


def price(product: str, weight: float) -> int:
    """Centavos for so many kilograms."""
    _name, first, each, _days = PRODUCTS[product]
    return first + each * -(-int(weight * 1000) // 1000)


def area_of(place: Mapping[str, str]) -> tuple[str, str]:
    code = str(place.get("postalCode"))
    if place.get("countryCode") != "BR" or not code[:1].isdecimal():
        return "XXX", f"{place.get('cityName')}-{place.get('countryCode')}"
    return AREAS[int(code[0])]


def pdf(line: str) -> bytes:
    """A label of one page."""
    page = io.BytesIO()
    canvas = Canvas(page, pagesize=(298, 420))
    canvas.drawString(30, 380, line)
    canvas.save()
    return page.getvalue()
