"""A sandbox of FedEx: tokens, tracking by thirty, signed webhooks, rates, labels, cancels; parcels make journeys."""

import base64
import hashlib
import hmac
import json
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

KEY, SECRET, ACCOUNT, HOOK_TOKEN = "chave-de-exemplo", "segredo-de-exemplo", "123456789", "Token1De2Webhook3De4Exemplo"
SERVICES = {  # name, first price, price per kilogram in centavos, days
    "FEDEX_NEXT_DAY": ("FedEx Next Day", 58_20, 8_40, 1),
    "FEDEX_DISTANCE_DEFERRED": ("FedEx Distance Deferred", 31_50, 4_90, 5),
}
WORDS = {1: "ONE_DAY", 5: "FIVE_DAYS"}
CITIES = (  # by the first digit of the CEP
    ("SAO PAULO", "SP"), ("CAMPINAS", "SP"), ("NITEROI", "RJ"), ("CONTAGEM", "MG"), ("SALVADOR", "BA"),
    ("RECIFE", "PE"), ("FORTALEZA", "CE"), ("BRASILIA", "DF"), ("CURITIBA", "PR"), ("PELOTAS", "RS"),
)  # fmt: skip
SCANS = {  # derivedStatusCode, description, exception
    "OC": ("IN", "Shipment information sent to FedEx", ("", "")),
    "PU": ("PU", "Picked up", ("", "")),
    "DP": ("IT", "Left FedEx origin facility", ("", "")),
    "AO": ("IT", "Shipment arriving On-Time", ("", "")),
    "AR": ("IT", "At local FedEx facility", ("", "")),
    "OD": ("IT", "On FedEx vehicle for delivery", ("", "")),
    "DY": ("DY", "Delay", ("A52", "Package delayed")),
    "DE": ("DE", "Delivery exception", ("08", "Customer not available or business closed")),
    "HL": ("HL", "Ready for recipient pickup", ("", "")),
    "RS": ("RS", "Returning package to shipper", ("", "")),
    "DL": ("DL", "Delivered", ("", "")),
}
ROAD = "OC:o PU:o DP:o AO:o AR:d "  # scan, at origin or destination
JOURNEYS = {  # how a parcel fares, and how often
    "delivered": (72, ROAD + "OD:d DL:d"),
    "second_try": (12, ROAD + "OD:d DE:d OD:d DL:d"),
    "picked_up": (6, ROAD + "OD:d DE:d HL:d DL:d"),
    "late": (6, ROAD + "DY:d OD:d DL:d"),
    "returned": (4, ROAD + "OD:d DE:d RS:d DP:d DL:o"),
}


@dataclass(slots=True)
class Parcel:
    """A package: the scans made (what, city, when), and those still to come."""

    number: str
    service: str
    origin: tuple[str, str]
    destination: tuple[str, str]
    promised: datetime
    unique: str
    ahead: list[str] = field(default_factory=list)
    is_cancelled: bool = False
    scans: list[tuple[str, tuple[str, str], datetime]] = field(default_factory=list)


class FedexSandbox:
    """The carrier: `parcels` are under way, each some scans along its journey; a number may be used again."""

    def __init__(self, seed: int, parcels: int, token_seconds: int, retry_seconds: float) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(self.gateway())
        self.token_seconds, self.token, self.token_until = token_seconds, "", now()
        self.tokens_made, self.serial, self.retry_seconds = 0, self.chance.randrange(10**11, 9 * 10**11), retry_seconds
        self.parcels: dict[str, list[Parcel]] = {}  # all that a number was used for
        self.callback, self.hook_token = "", HOOK_TOKEN
        for _ in range(parcels):
            parcel = self.post(None, None, back=timedelta(hours=self.chance.uniform(6, 240)))
            for _ in range(self.chance.randrange(8)):
                self.advance(parcel, timedelta(hours=self.chance.uniform(1, 20)))
        add = self.app.router.add_route
        add("POST", "/oauth/token", self.authenticate)
        add("POST", "/track/v1/trackingnumbers", self.track)
        add("POST", "/rate/v1/rates/quotes", self.rate)
        add("POST", "/ship/v1/shipments", self.ship)
        add("PUT", "/ship/v1/shipments/cancel", self.cancel)
        add_controls(self)

    def gateway(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(("/_sandbox", "/oauth/")):
                return await handler(request)
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not self.token or shown != self.token or now() >= self.token_until:
                return refuse(401, "NOT.AUTHORIZED.ERROR", "Access token expired. Please modify your request.")
            return await handler(request)

        return guard

    async def authenticate(self, request: web.Request) -> web.Response:
        told = dict(await request.post())
        if told != {"grant_type": "client_credentials", "client_id": KEY, "client_secret": SECRET}:
            return refuse(401, "NOT.AUTHORIZED.ERROR", "The given client credentials were not valid.")
        self.tokens_made += 1
        self.token, self.token_until = secrets.token_urlsafe(24), now() + timedelta(seconds=self.token_seconds)
        shown = {"access_token": self.token, "token_type": "bearer", "expires_in": self.token_seconds, "scope": "CXS"}
        return web.json_response(shown)

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        asked = (await body_of(request)).get("trackingInfo")
        try:
            numbers = [str(row["trackingNumberInfo"]["trackingNumber"]) for row in asked or ()]
        except (KeyError, TypeError):
            numbers = []
        if not numbers:
            return refuse(400, "TRACKING.TRACKINGNUMBER.EMPTY", "Please provide tracking number.")
        if len(numbers) > 30:
            return refuse(400, "TRACKING.TRACKINGINFO.SIZE", "Only 30 tracking numbers are allowed.")
        return web.json_response(answer({"completeTrackResults": [self.results(number) for number in numbers]}))

    def results(self, number: str) -> dict[str, Any]:
        told = [result(parcel) for parcel in self.parcels.get(number, []) if parcel.scans]
        if not told:
            words = "Tracking number cannot be found. Please correct the tracking number and try again."
            error = {"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": words}
            names = {"trackingNumber": number, "trackingNumberUniqueId": "", "carrierCode": ""}
            told = [{"trackingNumberInfo": names, "error": error}]
        return {"trackingNumber": number, "trackResults": told}

    def notify(self, parcel: Parcel) -> None:
        """Three tries, five minutes apart."""
        body = json.dumps(answer({"completeTrackResults": [self.results(parcel.number)]})).encode()
        digest = hmac.digest(self.hook_token.encode(), body, hashlib.sha256)
        headers = {"fdx-signature": base64.b64encode(digest).decode(), "Content-Type": "application/json"}
        self.courier.send(Delivery(self.callback, headers, body, retries=(self.retry_seconds,) * 2))

    def post(
        self, number: str | None, journey: str | None, told: Parcel | None = None, back: timedelta = timedelta()
    ) -> Parcel:
        """A label is made: its first scan."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        if told is None:
            service = self.chance.choice(list(SERVICES))
            here, there = self.chance.sample(CITIES, 2)
            told = self.made(number, service, here, there, back)
        told.ahead = JOURNEYS[name][1].split()
        self.advance(told, now() - back)
        return told

    def made(
        self,
        number: str | None,
        service: str,
        here: tuple[str, str],
        there: tuple[str, str],
        back: timedelta = timedelta(),
    ) -> Parcel:
        self.serial += 1
        number = number or str(self.serial)
        promised = (now() - back + timedelta(days=SERVICES[service][3] + 2)).replace(hour=0, minute=0, second=0)
        parcel = Parcel(number, service, here, there, promised, f"{self.serial}~{number}~FX")
        self.parcels.setdefault(number, []).append(parcel)
        return parcel

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One scan further, at `when` or so long after the last; false at the journey's end."""
        last = parcel.scans[-1][2] if parcel.scans else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or parcel.is_cancelled or (isinstance(when, timedelta) and at > now()):
            return False
        what, _, where = parcel.ahead.pop(0).partition(":")
        if last and at <= last:
            at = last + timedelta(seconds=1)  # their clock has whole seconds
        parcel.scans.append((what, parcel.origin if where == "o" else parcel.destination, at))
        if self.callback:
            self.notify(parcel)
        return True

    # ── Rates, labels, cancels ─────────────────────────────────────────────────────────────────────────────

    async def rate(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        try:
            shipment = told["requestedShipment"]
            codes = [shipment[who]["address"]["postalCode"] for who in ("shipper", "recipient")]
            kilograms = float(shipment["requestedPackageLineItems"][0]["weight"]["value"])
        except (KeyError, IndexError, TypeError, ValueError):
            return refuse(400, "RATE.REQUEST.INVALID", "Invalid request: package line items")
        if told.get("accountNumber") != {"value": ACCOUNT}:
            return refuse(400, "ACCOUNT.NUMBER.MISMATCH", "Account number mismatch.")
        if not all(re.fullmatch(r"\d{8}", code) and code != "00000000" for code in codes):
            return refuse(400, "RECIPIENTS.POSTALCODE.INVALID", "Recipient postal code is invalid.")
        rows = [self.rated(service, kilograms) for service in SERVICES]
        return web.json_response(answer({"rateReplyDetails": rows, "quoteDate": f"{now():%Y-%m-%d}", "encoded": False}))

    def rated(self, service: str, kilograms: float) -> dict[str, Any]:
        name, _first, _more, days = SERVICES[service]
        by = (now() + timedelta(days=days)).replace(hour=20, minute=0, second=0)
        return {
            "serviceType": service,
            "serviceName": name,
            "commit": {"dateDetail": {"dayFormat": f"{by:%Y-%m-%dT%H:%M:%S}"}},
            "operationalDetail": {"transitTime": WORDS[days]},
            "ratedShipmentDetails": rates(service, kilograms),
        }

    async def ship(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        try:
            shipment = told["requestedShipment"]
            service, day = shipment["serviceType"], shipment["shipDatestamp"]
            places = [shipment["shipper"]["address"], shipment["recipients"][0]["address"]]
            here, there = (CITIES[int(place["postalCode"][0])] for place in places)
            kilograms = float(shipment["requestedPackageLineItems"][0]["weight"]["value"])
        except (KeyError, IndexError, TypeError, ValueError):
            return refuse(400, "SHIPMENT.REQUEST.INVALID", "Invalid request")
        if told.get("accountNumber") != {"value": ACCOUNT}:
            return refuse(400, "ACCOUNT.NUMBER.MISMATCH", "Account number mismatch.")
        if service not in SERVICES:
            return refuse(400, "SERVICE.PACKAGECOMBINATION.INVALID", "Invalid service and packaging combination")
        parcel = self.made(None, service, here, there)
        page = base64.b64encode(label_pdf(parcel, shipment["recipients"][0]["contact"]["personName"])).decode()
        document = {"contentType": "LABEL", "copiesToPrint": 1, "docType": "PDF", "encodedLabel": page}
        rating = {"actualRateType": "PAYOR_ACCOUNT_SHIPMENT", "shipmentRateDetails": rates(service, kilograms)}
        bought = {
            "serviceType": service,
            "shipDatestamp": day,
            "masterTrackingNumber": parcel.number,
            "completedShipmentDetail": {"shipmentRating": rating},
            "pieceResponses": [{"trackingNumber": parcel.number, "packageDocuments": [document]}],
        }
        return web.json_response(answer({"transactionShipments": [bought]}))

    async def cancel(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        if told.get("accountNumber") != {"value": ACCOUNT}:
            return refuse(400, "ACCOUNT.NUMBER.MISMATCH", "Account number mismatch.")
        parcel = next(iter(self.parcels.get(str(told.get("trackingNumber")), [])), None)
        if parcel is None:
            return refuse(404, "TRACKING.NUMBER.NOTFOUND", "Tracking number not found.")
        is_free = not parcel.scans and not parcel.is_cancelled
        parcel.is_cancelled |= is_free
        words = {"successMessage": "Success"} if is_free else {"message": "Unable to cancel the shipment"}
        return web.json_response(answer({"cancelledShipment": is_free, "cancelledHistory": is_free, **words}))

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        told = {"api_key": KEY, "secret_key": SECRET, "account": ACCOUNT, "webhook_token": self.hook_token}
        return told | {"endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        def word(parcel: Parcel) -> str:
            return "cancelled" if parcel.is_cancelled else parcel.scans[-1][0] if parcel.scans else "bought"

        return {number: word(parcels[-1]) for number, parcels in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}, again with one whose journey ended; advance {code?, steps?}.

        Callback {url, secret?}: what the portal is told; expire_token ends the token in use.
        """
        code = wanted.get("code")
        if verb == "post":
            last = self.parcels[code][-1] if code in self.parcels else None
            if last and (last.ahead or last.is_cancelled):
                raise LookupError(f"{code} cannot be posted any more")
            return {"code": self.post(code, wanted.get("journey"), None if last is None or last.scans else last).number}
        if verb == "advance":
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code][-1]] if code else [parcels[-1] for parcels in self.parcels.values()]
            steps = range(int(wanted.get("steps", 1)))
            return {"scans": sum(self.advance(parcel, now()) for parcel in moving for _ in steps)}
        if verb == "callback":
            self.callback, self.hook_token = str(wanted["url"]), str(wanted.get("secret", HOOK_TOKEN))
            return {}
        if verb == "expire_token":
            self.token = ""
            return {}
        raise LookupError(f"a carrier does not {verb}")


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    parcels: int = 0,
    token_seconds: int = 3_599,
    retry_seconds: float = 300.0,
) -> FedexSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's."""
    return FedexSandbox(seed, parcels, token_seconds, retry_seconds)


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(microsecond=0)


def answer(output: dict[str, Any]) -> dict[str, Any]:
    return {"transactionId": str(uuid4()), "output": output}


def refuse(status: int, code: str, message: str) -> web.Response:
    told = {"transactionId": str(uuid4()), "errors": [{"code": code, "message": message}]}
    return web.json_response(told, status=status)


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def result(parcel: Parcel) -> dict[str, Any]:
    scans = [told_scan(*scan) for scan in reversed(parcel.scans)]
    latest = scans[0]
    names = {"trackingNumber": parcel.number, "trackingNumberUniqueId": parcel.unique, "carrierCode": "FDXE"}
    return {
        "trackingNumberInfo": names,
        "latestStatusDetail": {"code": latest["eventType"], "derivedCode": latest["derivedStatusCode"]},
        "scanEvents": scans,
        "dateAndTimes": [{"type": "SHIP", "dateTime": f"{parcel.scans[0][2]:%Y-%m-%d}T00:00:00-06:00"}],
        "estimatedDeliveryTimeWindow": {"window": {}},
        "standardTransitTimeWindow": {"window": {"ends": parcel.promised.isoformat()}},
    }


def told_scan(what: str, city: tuple[str, str], at: datetime) -> dict[str, Any]:
    derived, words, (code, exception) = SCANS[what]
    place: dict[str, Any] = {"city": city[0], "stateOrProvinceCode": city[1], "countryCode": "BR"}
    return {
        "date": at.isoformat(),
        "eventType": what,
        "eventDescription": words,
        "exceptionCode": code,
        "exceptionDescription": exception,
        "scanLocation": {"streetLines": [""], "residential": False} if what == "OC" else place,
        "derivedStatusCode": derived,
    }


def rates(service: str, kilograms: float) -> list[dict[str, Any]]:
    _name, first, per_kilogram, _days = SERVICES[service]
    cents = first + round(per_kilogram * kilograms)
    return [
        {"rateType": "ACCOUNT", "totalNetCharge": round(cents / 540, 2), "currency": "USD"},
        {"rateType": "PREFERRED_CURRENCY", "totalNetCharge": cents / 100, "currency": "BRL"},
    ]


def label_pdf(parcel: Parcel, recipient: str) -> bytes:
    out = BytesIO()
    page = Canvas(out, pagesize=(288, 432), pageCompression=0)  # 4 x 6 inches
    for line, words in enumerate((parcel.number, recipient, *parcel.destination, SERVICES[parcel.service][0])):
        page.drawString(24, 380 - 20 * line, words)
    page.save()
    return out.getvalue()
