"""Melhor Envio's milestones into scans, and the codes of its refusals. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hub import oauth
from hub.calls import refusal_of, said, told_in
from hub.contract import Consignment
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, Moment, ref
from hub.tracked import in_order
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "melhorenvio"
S = TrackingStatus

# There is no list of scans: an order has a time for each milestone, and one word for where it stands.
MILESTONES: Mapping[str, tuple[str, TrackingStatus]] = {
    "created_at": ("created", S.LABEL_CREATED),
    "paid_at": ("paid", S.LABEL_CREATED),
    "generated_at": ("generated", S.LABEL_CREATED),
    "posted_at": ("posted", S.IN_TRANSIT),
    "delivered_at": ("delivered", S.DELIVERED),
    "canceled_at": ("canceled", S.CANCELLED),
    "expired_at": ("expired", S.CANCELLED),
}
STATUSES: Mapping[str, tuple[TrackingStatus, str | None]] = {  # and the milestone that tells its time
    "created": (S.LABEL_CREATED, "created_at"),
    "pending": (S.LABEL_CREATED, "created_at"),
    "released": (S.LABEL_CREATED, "paid_at"),
    "paid": (S.LABEL_CREATED, "paid_at"),
    "generated": (S.LABEL_CREATED, "generated_at"),
    "ready-to-print": (S.LABEL_CREATED, "generated_at"),  # undocumented, seen as an event
    "printed": (S.LABEL_CREATED, "generated_at"),
    "received": (S.ACCEPTED, None),  # left at a drop-off point (Pegaki)
    "posted": (S.IN_TRANSIT, "posted_at"),
    "delivered": (S.DELIVERED, "delivered_at"),
    "undelivered": (S.EXCEPTION, None),  # others take it for returned; unverified
    "paused": (S.EXCEPTION, None),  # the recipient must act
    "suspended": (S.EXCEPTION, None),
    "canceled": (S.CANCELLED, "canceled_at"),
    "cancelled": (S.CANCELLED, "canceled_at"),  # as its events spell it
    "expired": (S.CANCELLED, "expired_at"),
}
NUMBERS = ("tracking", "melhorenvio_tracking", "self_tracking")  # what else an order may be asked by
_OWN_NUMBER = re.compile(r"ME[0-9]{5}[A-Z]{2}[0-9]{2}BR")  # ME26006ES26BR: its own, no carrier's


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every order of the document in its order.

    A document is the map of a tracking answer ([] where it tells of none), an order, a page or list of orders, a
    webhook's body, or a list of these. A code is an order's uuid, else one of its NUMBERS.
    """
    told: list[TrackedObject] = []
    numbered: list[TrackedObject] = []
    for order, key in _orders(raw, ""):
        tracked = _tracked(order, key)
        told.append(tracked)
        numbered += [tracked.model_copy(update={"code": each}) for each in map(order.text, NUMBERS) if each]
    return in_order([*told, *numbered] if codes else told, codes, CARRIER)


def code_of(consignment: Consignment) -> str | None:
    """An order's uuid where it was bought here, else whatever number the parcel has."""
    return consignment.ref or consignment.tracking_code


def _unheard(code: str, problem: str, message: str) -> TrackedObject:
    return TrackedObject(code=code, carrier=CARRIER, error=TrackingProblem(code=problem, message=message))


def _orders(raw: Raw, path: str) -> Iterator[tuple[Wire, str | None]]:
    """Each order told, with the key of the map that it stands under."""
    if isinstance(raw, list):
        for index, each in enumerate(raw):
            yield from _orders(each, f"{path}{index}.")
    elif isinstance(raw, dict) and "status" not in raw and isinstance(raw.get("data"), dict | list):
        yield from _orders(raw["data"], f"{path}data.")
    elif isinstance(raw, dict) and raw.keys() & {"id", "status"}:
        yield Wire(raw, path.rstrip(".")), None
    elif isinstance(raw, dict) and all(each is None or isinstance(each, dict | list) for each in raw.values()):
        for key, each in raw.items():
            yield Wire(None if each == [] else each, f"{path}{key}"), key
    else:
        raise Unreadable(path.rstrip(".") or "document", "not a tracking answer")


def _tracked(order: Wire, key: str | None) -> TrackedObject:
    code = order.ref("id") or ref(key)
    if code is None:
        raise Unreadable(order.at("id"), "not told")
    if why := said(order.raw, "error", "message") if "status" not in order.raw else None:
        return _unheard(code, "refused", why)
    if not order:
        return _unheard(code, "not_found", "there is no such order")
    if isinstance(order.told("status"), bool):
        raise Unreadable(order.at("status"), "neither a word nor null: not a tracking answer")
    events = _events(order)
    if "status" not in order.raw and not events:
        raise Unreadable(order.at("status"), "not told, and no milestone either")
    settled, status = settle(events)
    return TrackedObject(code=code, carrier=CARRIER, carrier_code=carrier_code(order), status=status, events=settled)


def carrier_code(order: Wire) -> str | None:
    """The underlying carrier's number. Until that gave one (a working day), its place holds Melhor Envio's own."""
    number = order.text("tracking")
    own = {order.text("melhorenvio_tracking"), order.text("self_tracking")}
    return None if number is None or number in own or _OWN_NUMBER.fullmatch(number) else number


def _events(order: Wire) -> list[TrackingEvent]:
    """The milestones reached, and where it stands if that is none of them: at the time of the last one before."""
    reached = {field: order.moment(field, zone=SAO_PAULO) for field in MILESTONES if order.text(field)}
    events = [_event(*MILESTONES[field], when) for field, when in reached.items()]
    word = (order.text("status") or "").lower()
    status, milestone = STATUSES.get(word, (S.UNKNOWN, None))
    if word and milestone not in reached and reached:
        # A word of the aggregator's proves no delivery where the carrier can be asked.
        proven = status is not S.DELIVERED or carrier_code(order) is None
        events.append(_event(word, status if proven else S.UNKNOWN, max(reached.values())))
    return events


def _event(word: str, status: TrackingStatus, when: Moment) -> TrackingEvent:
    return TrackingEvent(at=when.at, raw_at=when.raw_at, zone=when.zone, status=status, raw_code=word)


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────

_CODE = re.compile(r"\bE-[A-Z]{2,5}-[0-9]{4}\b")  # "E-PRT-0011: O envio precisa estar gerado …"


def error_code(reply: Reply) -> str | None:
    """The vendor's code of a refusal: its E-XXX-0000, OAuth's word, "refused" for a sentence alone.

    Inside a 200 stand `{error: sentence}`, and `{uuid: {canceled: false}}` of a label that was not cancelled.
    """
    told = refusal_of(reply) or told_in(reply)
    if not isinstance(told, dict) or not told:
        return None
    if all(isinstance(each, dict) and each.get("canceled") is False for each in told.values()):
        return "not_canceled"
    sentence = said(told, "error") if "id" not in told else None
    if found := _CODE.search(f"{sentence or ''} {said(told, 'message') or ''}"):
        return found[0]
    return sentence if sentence in oauth.FAULTS else "refused" if sentence else None
