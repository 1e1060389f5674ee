"""What Frenet's notices mean. Pure. They are not signed: a token that we make up comes back with them."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.parse import SAO_PAULO
from hub.signing import expect
from hub.spelling import Spelt
from hub.wire import json_of_body

HEADER, PARAMETER = "x-balcao-token", "token"  # ours to choose: in a header, or in the address that is registered


def verify(secret: str, knock: Knock) -> None:
    """BadSignature unless our token comes along, in its header or else in the address."""
    if HEADER not in knock.headers:
        told = parse_qs(urlsplit(knock.url).query).get(PARAMETER, [""])[-1]
        knock = replace(knock, headers={HEADER: told})
    expect(secret, HEADER, knock)


def read(knock: Knock) -> list[Notice]:
    """One notice for each told: a body may be a list. Those of a label's status and of the wallet are not for us."""
    body = json_of_body(knock.body)
    return [_notice(each) for each in body] if isinstance(body, list) and body else [_notice(body)]


def _notice(raw: Raw) -> Notice:
    if not isinstance(raw, dict):
        return Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(raw)}", raw=raw)
    told = Spelt(raw, "body")
    code, shipment = told.bare_ref("tracking_number"), told.bare_ref("shipment_id")
    if "tracking_events" in told.raw or code:
        if code is None:
            raise Unreadable(told.at("tracking_number"), "no number of a parcel")
        key = f"tracking:{code}:{parse.digest(raw)}"
        return Notice(topic=Topic.TRACKING, ref=code, dedupe_key=key, at=_latest(told), raw=raw)
    if "shipment_status" in told.raw or "balance" in told.raw:
        return Notice(topic=Topic.IGNORED, ref=shipment, dedupe_key=f"status:{shipment}:{parse.digest(raw)}")
    return Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(raw)}", raw=raw)


def _latest(told: Spelt) -> datetime | None:
    """The time of the last event, where it can be told."""
    times = []
    try:
        for event in told.objects("tracking_events"):
            when = event.text("event_date_time")
            times.append(parse.instant(parse.day_first(when), "", zone=SAO_PAULO) if when else None)
    except Unreadable:
        return None
    return max((at for at in times if at), default=None)
