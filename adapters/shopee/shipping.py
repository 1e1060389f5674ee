"""How Shopee is told that a parcel goes out: its shipment is arranged, by what its carrier asks for. Pure."""

from collections.abc import Sequence
from typing import Any

from hub.faults import ChannelError, Fault
from hub.model import News, Request, ShipmentNews
from hub.wire import Wire

OWN = "non_integrated"  # a carrier of the seller's own: its code is typed in
WAYS = (OWN, "dropoff", "pickup")  # what asks the seller for least first: who says that it left has handed it in
SENT = {"tracking_no": "tracking_number"}  # what is asked for and sent under two names
TO_ARRANGE = frozenset({"READY_TO_SHIP", "RETRY_SHIP"})
WAITING = frozenset({"LOGISTICS_NOT_START", "LOGISTICS_PENDING_ARRANGE", "LOGISTICS_READY", "LOGISTICS_PICKUP_RETRY"})


def arranged(news: ShipmentNews, _target: str) -> list[Request]:
    """ship_order, once; what comes after it Shopee hears from its carriers. `there` is `{order, parameter}`.

    REJECTED where the carrier asks for what nobody told us.
    """
    there = Wire(news.there, "there")
    if news.news is not News.DISPATCHED or there.raw.get("parameter") is None:
        return []
    told = there.part("parameter")
    needed = told.part("info_needed")
    asked = {way: needed.texts(way) for way in needed.raw}
    known = {"tracking_no": news.tracking_code, "tracking_number": news.tracking_code, **_places(told)}
    for way in (way for way in WAYS if way in asked):
        chosen = {SENT.get(name, name): known.get(name) for name in asked[way]}
        if way == OWN and news.tracking_code:
            chosen["tracking_number"] = news.tracking_code
        if None not in chosen.values():
            parcel = package(there.part("order"), news)
            body = {"order_sn": news.order_ref, **({"package_number": parcel} if parcel else {}), way: chosen}
            return [Request(method="POST", path="/api/v2/logistics/ship_order", json=body, operation="shipment")]
    wanted = "; ".join(f"{way}: {', '.join(names) or 'nothing'}" for way, names in asked.items()) or "nothing"
    raise ChannelError(Fault.REJECTED, "no_way_to_ship", f"arrange it at Shopee: it asks for {wanted}")


def _places(told: Wire) -> dict[str, Any]:
    """The first branch; the seller's pickup address, and the slot that Shopee recommends there, else the first."""
    branch = _flagged(told.rows("dropoff.branch_list"), "flags")
    pickup = _flagged(told.rows("pickup.address_list"), "address_flag", "pickup_address", "default_address")
    slot = _flagged(pickup.rows("time_slot_list"), "flags", "recommended")
    fetched = {"address_id": pickup.units("address_id"), "pickup_time_id": slot.ref("pickup_time_id")}
    return {"branch_id": branch.units("branch_id"), **fetched}


def _flagged(rows: Sequence[Wire], key: str, *flags: str) -> Wire:
    """The first row with the first of these flags that any has, else the first row; empty where there is none."""
    marked = [row for flag in flags for row in rows if flag in row.texts(key)]
    return next(iter([*marked, *rows]), Wire(None, key))


def package(order: Wire, news: ShipmentNews) -> str | None:
    """Which parcel of a split order: the one that is named, else the first that waits. None where there is one."""
    parcels = {row.ref("package_number"): row.text("logistics_status") for row in order.rows("package_list")}
    if len(parcels) <= 1:
        return None
    waiting = [ref for ref, word in parcels.items() if ref and word in WAITING]
    return news.shipment_ref if news.shipment_ref in parcels else next(iter(waiting), None)
