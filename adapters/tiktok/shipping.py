"""How TikTok is told of a parcel that the seller's own carrier takes. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from adapters.tiktok.mapping import stage_of
from hub.faults import ChannelError, Fault
from hub.model import News, Raw, Request, ShipmentNews
from hub.stages import GONE
from hub.wire import Wire


def ships_itself(order: Wire) -> bool:
    """Whether the seller's own carrier takes it; of what TikTok carries, its carriers tell."""
    return order.text("shipping_type") == "SELLER"


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """The parcel of what is not sent yet, with its code; else another code for one that is.

    `there` is `{order, providers}`. REJECTED where there is no code, or no carrier of that name.
    """
    there = Wire(news.there, "there")
    order = there.part("order")
    if news.news is not News.DISPATCHED or not ships_itself(order):
        return []
    rows = [row for row in order.rows("line_items") if not stage_of(row, order).cancelled]
    if not rows or (news.tracking_code and all(row.text("tracking_number") == news.tracking_code for row in rows)):
        return []
    if not news.tracking_code:
        raise ChannelError(Fault.REJECTED, "no_tracking_code", "TikTok takes a parcel only with its tracking code")
    told: dict[str, Raw] = {"tracking_number": news.tracking_code, "shipping_provider_id": _provider(there, news)}
    if units := list(_unsent(rows, order, news)):
        path = f"/fulfillment/202309/orders/{news.order_ref}/packages"
        told["order_line_item_ids"] = units
    elif parcel := _parcel(rows, news):
        path = f"/fulfillment/202309/packages/{parcel}/shipping_info/update"
    else:
        return []
    return [Request(method="POST", path=path, json=told, operation="shipment")]


def _unsent(rows: Sequence[Wire], order: Wire, news: ShipmentNews) -> Iterator[str]:
    """Line items that no parcel holds: as many of each SKU as the parcel of the news has, all where it does not say."""
    left = Counter({line.line_ref: line.quantity for line in news.lines})
    for row in rows:
        if row.text("tracking_number") or stage_of(row, order).fulfilment in GONE:
            continue
        sku = row.ref("sku_id") or ""
        if not news.lines or left[sku] > 0:
            left[sku] -= 1
            yield row.needed_ref("id")


def _parcel(rows: Sequence[Wire], news: ShipmentNews) -> str | None:
    """The parcel that the news names, else the only one there is; none that has the code already."""
    codes = {ref: row.text("tracking_number") for row in rows if (ref := row.ref("package_id"))}
    ref = news.shipment_ref if news.shipment_ref in codes else next(iter(codes)) if len(codes) == 1 else None
    return None if ref is None or codes[ref] == news.tracking_code else ref


def _provider(there: Wire, news: ShipmentNews) -> str:
    """The carrier by its name: the same, or one that begins with it."""
    rows, wanted = there.rows("providers"), _bare(news.carrier)
    known = {_bare(row.text("name")): row.needed_ref("id") for row in rows}
    close = [name for name in known if wanted and name and (name.startswith(wanted) or wanted.startswith(name))]
    if close:
        return known[wanted if wanted in close else close[0]]
    names = ", ".join(row.text("name") or "" for row in rows[:12]) or "none"
    told = f"carrier {news.carrier or 'not told'}: TikTok knows {names}"[:200]
    raise ChannelError(Fault.REJECTED, "no_such_carrier", told)


def _bare(name: str | None) -> str:
    return re.sub(r"[^a-z0-9]", "", (name or "").lower())
