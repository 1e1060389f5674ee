"""A sandbox of UPS: tokens, tracking, alerts by number, rates, labels and voids; parcels make journeys."""

import base64
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from aiohttp import web
from reportlab.pdfgen.canvas import Canvas

from hub.parse import SAO_PAULO
from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

CLIENT, SECRET, ACCOUNT = "aplicacao-de-exemplo", "segredo-de-exemplo", "A1B2C3"
SERVICES = {  # name, service in the number, first price, price per kilogram in centavos, days
    "65": ("UPS Worldwide Saver", "04", 61_40, 9_90, 1),
    "07": ("UPS Worldwide Express", "66", 74_10, 12_30, 1),
    "11": ("UPS Standard", "68", 33_80, 5_60, 4),
}
CITIES = (  # by the first digit of the CEP
    ("Sao Paulo", "SP"), ("Campinas", "SP"), ("Niteroi", "RJ"), ("Contagem", "MG"), ("Salvador", "BA"),
    ("Recife", "PE"), ("Fortaleza", "CE"), ("Brasilia", "DF"), ("Curitiba", "PR"), ("Pelotas", "RS"),
)  # fmt: skip
SCANS = {  # type, code, statusCode, description
    "label": ("M", "MP", "003", "Shipment Ready for UPS"),
    "picked": ("I", "XD", "038", "Picked Up by UPS"),
    "way": ("I", "DP", "005", "On the Way"),
    "prepared": ("I", "YP", "071", "Preparing for Delivery"),
    "out": ("I", "OT", "021", "Out for Delivery"),
    "delivered": ("D", "FS", "011", "Delivered"),
    "nobody": ("X", "48", "022", "First Attempt Made"),
    "point": ("I", "ZP", "040", "Ready for Customer Pickup"),
    "delay": ("X", "AJ", "046", "Delay"),
    "changed": ("U", "UP", "154", "Updated Delivery Date"),
    "refused": ("X", "RJ", "064", "Delivery Refused"),
    "back": ("X", "RS", "036", "Returning to Sender: In Transit"),
    "returned": ("D", "RD", "034", "Returned to Sender"),
    "lost": ("X", "LF", "068", "Sent to Lost and Found"),
}
ROAD = "label:o picked:o way:o way:d prepared:d "  # scan, at origin or destination
JOURNEYS = {  # how a parcel fares, and how often
    "delivered": (70, ROAD + "out:d delivered:d"),
    "second_try": (10, ROAD + "out:d nobody:d out:d delivered:d"),
    "picked_up": (6, ROAD + "out:d nobody:d point:d delivered:d"),
    "late": (6, ROAD + "delay:d changed:d out:d delivered:d"),
    "returned": (5, ROAD + "out:d refused:d back:d way:o returned:o"),
    "lost": (3, ROAD + "lost:d"),
}


@dataclass(slots=True)
class Parcel:
    """A package: the scans made (what, city, when), and those still to come."""

    number: str
    service: str
    origin: tuple[str, str]
    destination: tuple[str, str]
    ahead: list[str]
    promised: datetime
    reference: str = ""
    recipient: str = ""
    is_voided: bool = False
    scans: list[tuple[str, tuple[str, str], datetime]] = field(default_factory=list)


class UpsSandbox:
    """The carrier: `parcels` are under way, each some scans along its journey."""

    def __init__(self, seed: int, parcels: int, token_seconds: int) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(self.gateway())
        self.token_seconds, self.token, self.token_until = token_seconds, "", now()
        self.tokens_made, self.serial = 0, self.chance.randrange(1_000_000, 4_000_000)
        self.parcels: dict[str, Parcel] = {}
        self.alerts: dict[str, tuple[str, str, datetime]] = {}  # number: url, credential, until
        for _ in range(parcels):
            parcel = self.post(None, None, back=timedelta(hours=self.chance.uniform(6, 240)))
            for _ in range(self.chance.randrange(8)):
                self.advance(parcel, timedelta(hours=self.chance.uniform(1, 20)))
        self.routes()
        add_controls(self)

    def routes(self) -> None:
        add = self.app.router.add_route
        add("POST", "/security/v1/oauth/token", self.authenticate)
        add("GET", "/api/track/v1/details/{number}", self.track)
        add("POST", "/api/track/v1/subscription/standard/package", self.subscribe)
        add("POST", "/api/rating/v2409/Shop", self.rate)
        add("POST", "/api/shipments/v2409/ship", self.ship)
        add("DELETE", "/api/shipments/v2409/void/cancel/{ref}", self.void)
        add("POST", "/api/labels/v1/recovery", self.recover)

    def gateway(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(("/_sandbox", "/security/")):
                return await handler(request)
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not self.token or shown != self.token or now() >= self.token_until:
                return refuse(401, "250002", "Invalid Authentication Information.")
            if request.path.startswith("/api/track/"):
                # The subscription's codes; what tracking itself answers is not published.
                if not request.headers.get("transId"):
                    return refuse(400, "VSS002", "Missing transId.")
                if not request.headers.get("transactionSrc"):
                    return refuse(400, "VSS004", "Missing transactionSrc.")
            return await handler(request)

        return guard

    async def authenticate(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Basic {pair}"):
            return refuse(401, "10401", "ClientId is Invalid")
        if (await request.post()).get("grant_type") != "client_credentials":
            return refuse(400, "10400", "Invalid/Missing Authorization Header")
        self.tokens_made += 1
        self.token, self.token_until = secrets.token_urlsafe(24), now() + timedelta(seconds=self.token_seconds)
        told = {"token_type": "Bearer", "issued_at": str(int(now().timestamp() * 1000)), "client_id": CLIENT}
        told |= {"access_token": self.token, "expires_in": str(self.token_seconds), "status": "approved"}
        return web.json_response(told)

    # ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────

    async def track(self, request: web.Request) -> web.Response:
        number = request.match_info["number"].upper()
        if not re.fullmatch("[0-9A-Z]{7,34}", number):
            return refuse(400, "TV1002", "Invalid inquiry number")
        parcel = self.parcels.get(number)
        if parcel is None or parcel.is_voided or not parcel.scans:
            warned = [{"code": "TW0001", "message": "Tracking Information Not Found"}]
            shipment: dict[str, Any] = {"inquiryNumber": number, "warnings": warned}
        else:
            shipment = {"inquiryNumber": number, "package": [package(parcel)]}
        return web.json_response({"trackResponse": {"shipment": [shipment]}})

    async def subscribe(self, request: web.Request) -> web.Response:
        told = await body_of(request)
        numbers, where = told.get("trackingNumberList") or [], told.get("destination") or {}
        lacks = (
            (not re.fullmatch("[a-z]{2}_[A-Z]{2}", str(told.get("locale"))), "VSS310", "a valid locale"),
            (not numbers, "VSS200", "Tracking Number List"),
            (len(numbers) > 100, "VSS220", "at most 100 1Z numbers"),
            (not where, "VSS500", "Destination"),
            (not where.get("url"), "VSS600", "URL"),
            (not where.get("credential"), "VSS700", "Credential"),
            (not where.get("credentialType"), "VSS800", "CredentialType"),
        )
        for is_lacking, code, what in lacks:
            if is_lacking:
                return refuse(400, code, f"{what} is required. The Subscription request has been rejected.")
        valid = [number for number in numbers if re.fullmatch("1Z[0-9A-Z]{16}", number)]
        if not valid:
            return refuse(400, "VSS210", "The Subscription request should have at least one valid tracking number.")
        until = now() + timedelta(days=14)
        self.alerts |= dict.fromkeys(valid, (where["url"], where["credential"], until))
        invalid = [number for number in numbers if number not in valid]
        return web.json_response(
            {"validTrackingNumbers": valid, **({"invalidTrackingNumbers": invalid} if invalid else {})}
        )

    def alert(self, parcel: Parcel) -> None:
        """Tell the subscriber of the last scan; what is not heard is lost: no retry is documented."""
        url, credential, until = self.alerts.get(parcel.number, ("", "", now()))
        if url and now() < until:
            headers = {"credential": credential, "User-Agent": "UPSPubSubTrackingService"}
            told = web.json_response(alert_body(parcel)).body
            assert isinstance(told, bytes)  # noqa: S101 - a JSON response's body is bytes
            self.courier.send(Delivery(url, headers | {"Content-Type": "application/json"}, told))

    def post(
        self, number: str | None, journey: str | None, told: Parcel | None = None, back: timedelta = timedelta()
    ) -> Parcel:
        """A label is made and its parcel handed over: the first scan is made."""
        names = list(JOURNEYS)
        name = journey or self.chance.choices(names, [JOURNEYS[name][0] for name in names])[0]
        if name not in JOURNEYS:
            raise LookupError(f"no journey named {name!r}; there are: {', '.join(names)}")
        if told is None:
            service = self.chance.choice(list(SERVICES))
            promised = now() - back + timedelta(days=SERVICES[service][4] + 2)
            here, there = self.chance.sample(CITIES, 2)
            told = Parcel(number or self.number(service), service, here, there, [], promised)
        told.ahead = JOURNEYS[name][1].split()
        self.parcels[told.number] = told
        self.advance(told, now() - back)
        return told

    def number(self, service: str) -> str:
        self.serial += 1
        bare = f"{ACCOUNT}{SERVICES[service][1]}{self.serial:07}"
        return f"1Z{bare}{check_digit(bare)}"

    def advance(self, parcel: Parcel, when: datetime | timedelta) -> bool:
        """One scan further, at `when` or so long after the last; false at the journey's end."""
        last = parcel.scans[-1][2] if parcel.scans else None
        at = (last or now()) + when if isinstance(when, timedelta) else when
        if not parcel.ahead or parcel.is_voided or (isinstance(when, timedelta) and at > now()):
            return False
        what, _, where = parcel.ahead.pop(0).partition(":")
        if last and at <= last:
            at = last + timedelta(seconds=1)  # their clock has whole seconds
        parcel.scans.append((what, parcel.origin if where == "o" else parcel.destination, at))
        if parcel.number in self.alerts:
            self.alert(parcel)
        return True

    # ── Rates, labels, voids ───────────────────────────────────────────────────────────────────────────────

    async def rate(self, request: web.Request) -> web.Response:
        shipment = ((await body_of(request)).get("RateRequest") or {}).get("Shipment") or {}
        try:
            if shipment["Shipper"]["ShipperNumber"] != ACCOUNT:
                return refuse(400, "111580", "Invalid or missing shipper number.")
            codes = [shipment[who]["Address"]["PostalCode"] for who in ("ShipFrom", "ShipTo")]
            package = shipment["Package"]
            kilograms = float(package["PackageWeight"]["Weight"])
            sides = [int(package["Dimensions"][side]) for side in ("Length", "Width", "Height")]
        except (KeyError, TypeError, ValueError):
            return refuse(400, "110002", "No packages in shipment")
        if not all(re.fullmatch(r"\d{8}", code) and code != "00000000" for code in codes):
            return refuse(400, "111286", "is not a valid postal code for the destination.")
        if kilograms > 70 or max(sides) > 274:
            return refuse(400, "111035", "The maximum per package weight for that service is 70.00 kg.")
        rated = [rated_shipment(code, kilograms) for code in SERVICES]
        answer = {"Response": {"ResponseStatus": {"Code": "1", "Description": "Success"}}, "RatedShipment": rated}
        return web.json_response({"RateResponse": answer})

    async def ship(self, request: web.Request) -> web.Response:
        asked = (await body_of(request)).get("ShipmentRequest") or {}
        try:
            shipment, context = asked["Shipment"], asked["Request"]["TransactionReference"]["CustomerContext"]
            payer = shipment["PaymentInformation"]["ShipmentCharge"]["BillShipper"]["AccountNumber"]
            service, reference = shipment["Service"]["Code"], shipment["ReferenceNumber"]["Value"]
            here, there = (CITIES[int(shipment[who]["Address"]["PostalCode"][0])] for who in ("ShipFrom", "ShipTo"))
            kilograms = float(shipment["Package"]["PackageWeight"]["Weight"])
            recipient = str(shipment["ShipTo"]["Name"])
        except (KeyError, TypeError, ValueError):
            return refuse(400, "120100", "Missing or invalid shipper number")
        if {payer, shipment["Shipper"].get("ShipperNumber")} != {ACCOUNT}:
            return refuse(400, "120100", "Missing or invalid shipper number")
        if service not in SERVICES:
            return refuse(400, "121210", "The requested service is unavailable between the selected locations.")
        promised = now() + timedelta(days=SERVICES[service][4] + 2)
        number = self.number(service)
        self.parcels[number] = Parcel(number, service, here, there, [], promised, reference, recipient)
        rated = rated_shipment(service, kilograms)
        image = {"ImageFormat": {"Code": "GIF"}, "GraphicImage": base64.b64encode(b"GIF89a").decode()}
        results = {
            "ShipmentCharges": {"TotalCharges": rated["TotalCharges"]},
            "NegotiatedRateCharges": {"TotalCharge": rated["NegotiatedRateCharges"]["TotalCharge"]},
            "ShipmentIdentificationNumber": number,
            "PackageResults": {"TrackingNumber": number, "ShippingLabel": image},  # one is no list
        }
        response = {"ResponseStatus": {"Code": "1"}, "TransactionReference": {"CustomerContext": context}}
        return web.json_response({"ShipmentResponse": {"Response": response, "ShipmentResults": results}})

    async def recover(self, request: web.Request) -> web.Response:
        asked = (await body_of(request)).get("LabelRecoveryRequest") or {}
        number, values = asked.get("TrackingNumber"), asked.get("ReferenceValues") or {}
        if values:
            named = (values.get("ReferenceNumber") or {}).get("Value")
            found = [one for one in self.parcels.values() if one.reference == named]
            found = found if values.get("ShipperNumber") == ACCOUNT else []
        else:
            found = [self.parcels[number]] if number in self.parcels else []
        if not found:
            return refuse(400, "9801031", "No label was found for the reference and shipper number.")
        if not (live := [one for one in found if not one.is_voided]):
            return refuse(400, "9801040", "The shipment has been voided.")
        image = base64.b64encode(label_pdf(live[-1])).decode()
        results = {
            "TrackingNumber": live[-1].number,
            "LabelImage": {"LabelImageFormat": {"Code": "PDF"}, "GraphicImage": image},
        }
        answer = {"ShipmentIdentificationNumber": live[-1].number, "LabelResults": results}
        return web.json_response({"LabelRecoveryResponse": {"Response": {"ResponseStatus": {"Code": "1"}}, **answer}})

    async def void(self, request: web.Request) -> web.Response:
        parcel = self.parcels.get(request.match_info["ref"])
        if parcel is None or parcel.is_voided:
            return refuse(400, "190117" if parcel else "190102", "No shipment found within the allowed void period")
        is_free = not parcel.scans
        parcel.is_voided = is_free
        status = {"Code": "1", "Description": "Success"} if is_free else {"Code": "0", "Description": "Not voided"}
        summary = {"Response": {"ResponseStatus": {"Code": "1"}}, "SummaryResult": {"Status": status}}
        return web.json_response({"VoidShipmentResponse": summary})

    # ── What a demo drives ─────────────────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        return {"client_id": CLIENT, "client_secret": SECRET, "account": ACCOUNT, "endpoint": base_url}

    def shelf(self) -> dict[str, int]:
        return {}

    def orders(self) -> dict[str, str]:
        def word(parcel: Parcel) -> str:
            return "voided" if parcel.is_voided else parcel.scans[-1][0] if parcel.scans else "bought"

        return {number: word(parcel) for number, parcel in self.parcels.items()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Post {code?, journey?} -> {code}; advance {code?, steps?}; expire_token ends the token in use."""
        code = wanted.get("code")
        if verb == "post":
            bought = self.parcels.get(code or "")
            if bought and (bought.scans or bought.is_voided):
                raise LookupError(f"{code} cannot be posted any more")
            return {"code": self.post(code, wanted.get("journey"), bought).number}
        if verb == "advance":
            if code is not None and code not in self.parcels:
                raise LookupError(f"no parcel {code}")
            moving = [self.parcels[code]] if code else list(self.parcels.values())
            steps = range(int(wanted.get("steps", 1)))
            return {"scans": sum(self.advance(parcel, now()) for parcel in moving for _ in steps)}
        if verb == "expire_token":
            self.token = ""
            return {}
        raise LookupError(f"a carrier does not {verb}")


def create(products: Sequence[Product], *, seed: int = 0, parcels: int = 0, token_seconds: int = 14_399) -> UpsSandbox:
    """A carrier with `parcels` under way; products are no business of a carrier's."""
    return UpsSandbox(seed, parcels, token_seconds)


def now() -> datetime:
    return datetime.now(SAO_PAULO).replace(microsecond=0)


def check_digit(bare: str) -> int:
    """Of a 1Z number: letters count as their place less two, every second position twice."""
    values = [int(sign) if sign.isdigit() else (ord(sign) - 63) % 10 for sign in bare]
    return -(sum(values[::2]) + 2 * sum(values[1::2])) % 10


def refuse(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"response": {"errors": [{"code": code, "message": message}]}}, status=status)


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        told = await request.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def package(parcel: Parcel) -> dict[str, Any]:
    activity = [told_scan(*scan) for scan in reversed(parcel.scans)]
    kind = "RDD" if any(what == "changed" for what, *_ in parcel.scans) else "SDD"
    return {
        "trackingNumber": parcel.number,
        "deliveryDate": [{"type": kind, "date": f"{parcel.promised:%Y%m%d}"}],
        "deliveryTime": {"type": "EOD", "endTime": "", "startTime": ""},
        "activity": activity,
        "currentStatus": activity[0]["status"],
        "packageCount": 1,
        "service": {"code": parcel.service, "description": SERVICES[parcel.service][0]},
    }


def told_scan(what: str, city: tuple[str, str], at: datetime) -> dict[str, Any]:
    kind, code, number, words = SCANS[what]
    gmt = at.astimezone(UTC)
    return {
        "location": {"address": {"city": city[0], "stateProvince": city[1], "countryCode": "BR", "country": "BR"}},
        "status": {"type": kind, "code": code, "statusCode": number, "description": words},
        "date": f"{at:%Y%m%d}",
        "time": f"{at:%H%M%S}",
        "gmtDate": f"{gmt:%Y%m%d}",
        "gmtTime": f"{gmt:%H%M%S}".lstrip("0"),  # the documentation's own example has lost its zero
        "gmtOffset": f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:],
    }


def alert_body(parcel: Parcel) -> dict[str, Any]:
    what, city, at = parcel.scans[-1]
    kind, code, number, words = SCANS[what]
    gmt, is_end = at.astimezone(UTC), kind == "D"
    return {
        "trackingNumber": parcel.number,
        "localActivityDate": f"{at:%Y%m%d}",
        "localActivityTime": f"{at:%H%M%S}",
        "activityLocation": {"city": city[0].upper(), "stateProvince": city[1], "postalCode": "", "country": "BR"},
        "activityStatus": {"type": kind, "code": code, "description": words, "descriptionCode": number},
        "scheduledDeliveryDate": f"{parcel.promised:%Y%m%d}",
        "actualDeliveryDate": f"{at:%Y%m%d}" if is_end else "",
        "actualDeliveryTime": f"{at:%H%M%S}" if is_end else "",
        "gmtActivityDate": f"{gmt:%Y%m%d}",
        "gmtActivityTime": f"{gmt:%H%M%S}",
        "deliveryStartTime": "",
        "deliveryEndTime": "",
        "deliveryTimeDescription": "" if is_end else "end of day",
    }


def rated_shipment(code: str, kilograms: float) -> dict[str, Any]:
    name, _number, first, per_kilogram, days = SERVICES[code]
    cents = first + round(per_kilogram * kilograms)
    arrival = {"Arrival": {"Date": f"{now() + timedelta(days=days):%Y%m%d}", "Time": "233000"}}
    return {
        "Service": {"Code": code, "Description": ""},
        "TotalCharges": money(cents),
        "NegotiatedRateCharges": {"TotalCharge": money(cents * 9 // 10)},
        "TimeInTransit": {
            "ServiceSummary": {
                "Service": {"Description": name},
                "EstimatedArrival": arrival | {"BusinessDaysInTransit": str(days)},
            }
        },
    }


def money(cents: int) -> dict[str, str]:
    return {"CurrencyCode": "BRL", "MonetaryValue": f"{cents // 100}.{cents % 100:02d}"}


def label_pdf(parcel: Parcel) -> bytes:
    out = BytesIO()
    page = Canvas(out, pagesize=(288, 432), pageCompression=0)  # 4 x 6 inches
    for line, words in enumerate((parcel.number, parcel.recipient, *parcel.destination, SERVICES[parcel.service][0])):
        page.drawString(24, 380 - 20 * line, words)
    page.save()
    return out.getvalue()
