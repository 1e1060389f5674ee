"""VTEX's paths, paging, feed and hook. No meaning."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from adapters.vtex import mapping
from adapters.vtex.stock import SKUS
from adapters.vtex.webhook import HEADER
from hub import contract, parse
from hub.calls import chosen, get, get_if_there, if_there
from hub.contract import Api, Identity, Page, json_of
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite
from hub.wire import Wire, needed_list, rows

LOT, LIST, CATALOGUE = 10, 100, 100
LOOK_BACK = timedelta(days=7)
STATES = (
    "order-created", "payment-pending", "payment-approved", "window-to-cancel", "ready-for-handling", "handling",
    "invoiced", "cancellation-requested", "canceled", "replaced",
)  # fmt: skip
ORDERS, FEED, HOOK = "/api/oms/pvt/orders", "/api/orders/feed", "/api/orders/hook/config"
FILTER = {"type": "FromWorkflow", "status": list(STATES)}
CLOCK = "%Y-%m-%dT%H:%M:%S.000Z"
QUEUE = {"visibilityTimeoutInSeconds": 240, "messageRetentionPeriodInSeconds": 345_600}


class Credentials(contract.Credentials):
    """The store's account name and an application key; one feed and one hook belong to each key."""

    account_name: str = Field(pattern=r"^\s*[\w-]+\s*$", title="Account name")
    app_key: str
    app_token: SecretStr
    warehouse: str | None = Field(
        None, title="Warehouse that is written", description="Empty: the first; case matters."
    )
    endpoint: str | None = None

    def base_url(self) -> str:
        """The store's own host."""
        return (self.endpoint or f"https://{self.account_name.strip()}.vtexcommercestable.com.br").rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """Key and token, which do not expire."""
        return {
            "X-VTEX-API-AppKey": self.app_key.strip(),
            "X-VTEX-API-AppToken": self.app_token.get_secret_value().strip(),
        }


async def check(api: Api) -> Identity:
    """Prove the key on orders and stock; learn the warehouse."""
    await get(api, ORDERS, per_page="1")
    told = rows(await get(api, "/api/logistics/pvt/configuration/warehouses"), "warehouses")
    ids = [each for row in told if (each := row.text("id"))]
    warehouse = chosen("warehouse", parse.text(api.credentials.warehouse), ids)
    name = api.credentials.account_name.strip()
    return Identity(external_id=name, name=name, facts={"warehouse": warehouse})


async def subscribe(api: Api, url: str, secret: str) -> list[str]:
    """Makes the key's hook right. It is removed by itself when it was silent for three days."""
    wanted = {"filter": FILTER, "hook": {"url": url, "headers": {HEADER: secret}}}
    kept = await _kept(api, HOOK)
    same = kept.text("hook.url") == url and kept.part("hook.headers").text(HEADER) == secret
    if same and set(kept.part("filter").raw.get("status") or ()) == set(STATES):
        return []
    await api.call(Request(method="POST", path=HOOK, json=wanted, repeatable=True))
    return ["order hook configured"]


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order."""
    return await get(api, f"{ORDERS}/{quote(ref, safe='')}", "order")


async def order_there(api: Api, news: ShipmentNews) -> Raw:
    """The order with its items and invoices."""
    return await fetch_order(api, news.order_ref)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """At first the list of the last days, page by page (30 at most); from then on what stands in the feed.

    The list lags by minutes and is no way to poll. A feed that was deleted (nothing came while a message would have
    been kept) is configured again, and the list is read again for what it missed.
    """
    told = json.loads(cursor) if cursor else {"page": 1}
    if told.get("page"):
        return await _listed(api, told)
    found = await if_there(_feed(api))
    if found is None:
        return Page(cursor=json.dumps({"page": 1}), more=True)
    refs, acks = dict.fromkeys(row.needed_ref("orderId") for row in found), tuple(row.raw for row in found)
    return Page(refs=tuple(refs), acks=acks, cursor=json.dumps({"feed": True}), more=len(found) == LOT)


async def _feed(api: Api) -> list[Wire]:
    return list(rows(await get(api, FEED, maxlot=str(LOT)), "feed"))


async def _listed(api: Api, told: dict[str, Any]) -> Page:
    if told["page"] == 1:  # before the list is read, so that nothing comes in between
        await _configured(api)
    first, last = api.now() - LOOK_BACK, api.now() + timedelta(days=1)
    params = {
        "f_creationDate": f"creationDate:[{first:{CLOCK}} TO {last:{CLOCK}}]",
        "orderBy": "creationDate,desc",
        "page": str(told["page"]),
        "per_page": str(LIST),
    }
    answer = await get(api, ORDERS, **params)
    found = Wire(answer, "").rows("list")
    refs = tuple(row.needed_ref("orderId") for row in found)
    more = len(found) == LIST and told["page"] < 30  # noqa: PLR2004 - the list shows no further
    onward = {"page": told["page"] + 1} if more else {"feed": True}
    return Page(refs=refs, cursor=json.dumps(onward), more=more)


async def _configured(api: Api) -> None:
    kept = await _kept(api, f"{FEED}/config")
    if set(kept.part("filter").raw.get("status") or ()) != set(STATES):
        body = {"filter": FILTER, "queue": QUEUE}
        await api.call(Request(method="POST", path=f"{FEED}/config", json=body, repeatable=True))


async def _kept(api: Api, path: str) -> Wire:
    """A configuration as it stands; nothing where there is none."""
    reply = await get_if_there(api, path)
    return Wire(json_of(reply) if reply else None, "configuration")


async def ack(api: Api, told: Sequence[Raw]) -> None:
    """Takes what is kept off the feed; the rest comes again."""
    handles = [row["handle"] for row in told if isinstance(row, dict) and row.get("handle")]
    if handles:
        await api.call(Request(method="POST", path=FEED, json={"handles": handles}, repeatable=True))


# ── SKUs and stock ──────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Numbers of SKUs; each is asked for with its stock."""
    page = int(cursor or 1)
    path = "/api/catalog_system/pvt/sku/stockkeepingunitids"
    found = needed_list(await get(api, path, page=str(page), pagesize=str(CATALOGUE)), "body")
    more = len(found) == CATALOGUE
    return Page(refs=tuple(str(each) for each in found), cursor=str(page + 1) if more else None, more=more)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One SKU with its stock in every warehouse."""
    own = quote(ref, safe="")
    sku = await get(api, f"/api/catalog_system/pvt/sku/stockkeepingunitbyid/{own}")
    return {"sku": sku, "inventory": await get(api, f"{SKUS}/{own}"), "warehouse": api.facts.get("warehouse")}


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a SKU that is gone."""
    return [await _one(api, write) for write in writes]


async def _one(api: Api, write: StockWrite) -> Listing | None:
    told = await if_there(get(api, f"{SKUS}/{quote(write.slot_ref, safe='')}"))
    box = {"sku": {"Id": write.slot_ref}, "inventory": told, "warehouse": write.location_ref}
    return None if told is None else mapping.listings(box)[0]
