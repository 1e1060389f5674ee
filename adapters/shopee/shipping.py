"""How Shopee is told that a parcel goes out: its shipment is arranged, by what its carrier asks for. Pure."""

from collections.abc import Callable
from typing import Any

from hub import parse
from hub.faults import ChannelError, Fault
from hub.model import News, Raw, Request, ShipmentNews
from hub.wire import Wire

SHIP_ORDER = "/api/v2/logistics/ship_order"
TO_ARRANGE = frozenset({"READY_TO_SHIP", "RETRY_SHIP"})
WAITING = frozenset({"LOGISTICS_NOT_START", "LOGISTICS_PENDING_ARRANGE", "LOGISTICS_READY", "LOGISTICS_PICKUP_RETRY"})
CODE = frozenset({"tracking_no", "tracking_number"})  # what a carrier may ask for, under either name


def arranged(news: ShipmentNews, _target: str) -> list[Request]:
    """ship_order, once; what comes after it Shopee hears from its carriers. `there` is `{order, parameter}`.

    REJECTED where the carrier asks for what nobody told us.
    """
    there = news.there
    if news.news is not News.DISPATCHED or not isinstance(there, dict) or there.get("parameter") is None:
        return []
    told = Wire(there["parameter"], "parameter")
    needed = told.part("info_needed")
    for way, choose in WAYS.items():
        if way in needed.raw and (chosen := choose(set(_names(needed, way)), told.part(way), news)) is not None:
            parcel = package(there.get("order"), news)
            body = {"order_sn": news.order_ref, **({"package_number": parcel} if parcel else {}), way: chosen}
            return [Request(method="POST", path=SHIP_ORDER, json=body, operation="shipment")]
    asked = "; ".join(f"{way}: {', '.join(_names(needed, way)) or 'nothing'}" for way in needed.raw)
    raise ChannelError(Fault.REJECTED, "no_way_to_ship", f"arrange it at Shopee: it asks for {asked or 'nothing'}")


def _names(needed: Wire, way: str) -> list[str]:
    told = needed.raw.get(way)
    return [str(name) for name in told] if isinstance(told, list) else []


def _by_ourselves(asked: set[str], _there: Wire, news: ShipmentNews) -> dict[str, Any] | None:
    """A carrier of the seller's own: its code is typed in."""
    if asked and not news.tracking_code:
        return None
    return {"tracking_number": news.tracking_code} if news.tracking_code else {}


def _dropoff(asked: set[str], there: Wire, news: ShipmentNews) -> dict[str, Any] | None:
    """Handed in at a branch; a carrier that names none takes it at any."""
    chosen: dict[str, Any] = {}
    if asked & CODE:
        if not news.tracking_code:
            return None
        chosen["tracking_number"] = news.tracking_code
    if "branch_id" in asked:
        branch = next((row.units("branch_id") for row in there.rows("branch_list")), None)
        if branch is None:
            return None
        chosen["branch_id"] = branch
    return None if asked - CODE - {"branch_id"} else chosen


def _pickup(asked: set[str], there: Wire, _news: ShipmentNews) -> dict[str, Any] | None:
    """Fetched at the seller's pickup address, in the slot that Shopee recommends, else in the first."""
    if not asked:
        return {}
    places = there.rows("address_list")
    place = _flagged(places, "address_flag", "pickup_address") or _flagged(places, "address_flag", "default_address")
    place = place or next(iter(places), None)
    if place is None or asked - {"address_id", "pickup_time_id"}:
        return None
    chosen: dict[str, Any] = {"address_id": place.units("address_id")}
    if "pickup_time_id" in asked:
        slots = place.rows("time_slot_list")
        slot = _flagged(slots, "flags", "recommended") or next(iter(slots), None)
        if slot is None or (time := slot.ref("pickup_time_id")) is None:
            return None
        chosen["pickup_time_id"] = time
    return chosen


def _flagged(rows: list[Wire], key: str, flag: str) -> Wire | None:
    return next((row for row in rows if isinstance(row.raw.get(key), list) and flag in row.raw[key]), None)


# What asks the seller for least comes first: who says that it left has handed it in.
WAYS: dict[str, Callable[[set[str], Wire, ShipmentNews], dict[str, Any] | None]] = {
    "non_integrated": _by_ourselves,
    "dropoff": _dropoff,
    "pickup": _pickup,
}


def package(order: Raw, news: ShipmentNews) -> str | None:
    """Which parcel of a split order: the one that is named, else the first that waits. None where there is one."""
    parcels = {parse.ref(row.value("package_number")): row for row in Wire(order, "order").rows("package_list")}
    if len(parcels) <= 1:
        return None
    waiting = [ref for ref, row in parcels.items() if ref and row.text("logistics_status") in WAITING]
    return news.shipment_ref if news.shipment_ref in parcels else next(iter(waiting), None)
