"""Magento's paths, paging and signature. No meaning."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlsplit

from oauthlib import oauth1
from pydantic import Field, SecretStr, field_validator

from adapters.magento import mapping
from adapters.magento.stock import ITEMS, SOURCE
from hub import addresses, contract, parse
from hub.calls import batches, if_there, number_of
from hub.contract import Api, Identity, Page, json_of
from hub.faults import Fault, Unreadable
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite, Unsigned

PAGE = 100
LATEST = 20
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=30)  # an order may be committed after the time that it carries
SECOND = timedelta(seconds=1)
CLOCK = "%Y-%m-%d %H:%M:%S"  # UTC
ABSENT = (Fault.MISSING, Fault.REJECTED)  # the export of salable quantities is a module of its own
Filter = tuple[str, str, str]  # field, condition, value


class Credentials(contract.Credentials):
    """An integration's keys (System > Integrations). With `standalone` the access token alone is shown as Bearer."""

    store_url: str = Field(title="Store address", examples=["https://loja.example"])
    consumer_key: str | None = None
    consumer_secret: SecretStr | None = None
    access_token: SecretStr
    access_token_secret: SecretStr | None = None
    # off since 2.4.4, unless the panel allows it
    standalone: bool = Field(default=False, title="The access token works alone")
    store_code: str = Field("all", pattern=r"^\w+$")
    source_code: str = Field(SOURCE, title="The source that is written")

    @field_validator("store_url")
    @classmethod
    def _store(cls, typed: str) -> str:
        return addresses.store_url(typed, "/rest")

    def base_url(self) -> str:
        """The API's root, of one store view or of all."""
        return f"{self.store_url}/rest/{self.store_code}"


def sign(told: Unsigned) -> Request:
    """OAuth 1.0a with HMAC-SHA256 over method, address and query; or the token alone."""
    keys: Credentials = told.credentials
    if keys.standalone or keys.consumer_key is None:
        header = f"Bearer {keys.access_token.get_secret_value()}"
    else:
        nonce = hashlib.sha256(f"{told.url}{told.now.timestamp()}".encode() + (told.content or b"")).hexdigest()[:32]
        signer = oauth1.Client(
            keys.consumer_key,
            client_secret=_clear(keys.consumer_secret),
            resource_owner_key=_clear(keys.access_token),
            resource_owner_secret=_clear(keys.access_token_secret),
            signature_method=oauth1.SIGNATURE_HMAC_SHA256,
            nonce=nonce,
            timestamp=str(int(told.now.timestamp())),
        )
        _uri, headers, _body = signer.sign(told.url, http_method=cast("Any", told.request.method))
        header = headers["Authorization"]
    return _with_header(told.request, header)


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _with_header(request: Request, header: str) -> Request:
    return Request(
        **{name: getattr(request, name) for name in Request.__dataclass_fields__ if name != "headers"},
        headers={**request.headers, "Authorization": header},
    )


def _criteria(
    filters: Iterable[Filter] = (), *, sort: Sequence[str] = (), down: bool = False, size: int = PAGE
) -> tuple[tuple[str, str], ...]:
    """Search criteria: every filter holds; the page is always the first, for one past the end repeats the last."""
    root = "searchCriteria"
    asked = []
    for n, (field, condition, value) in enumerate(filters):
        place = f"{root}[filter_groups][{n}][filters][0]"
        asked += [(f"{place}[field]", field), (f"{place}[value]", value), (f"{place}[condition_type]", condition)]
    for n, field in enumerate(sort):
        place = f"{root}[sortOrders][{n}]"
        asked += [(f"{place}[field]", field), (f"{place}[direction]", "DESC" if down else "ASC")]
    return (*asked, (f"{root}[pageSize]", str(size)), (f"{root}[currentPage]", "1"))


async def _get(api: Api, path: str, params: tuple[tuple[str, str], ...] = ()) -> Any:
    return json_of(await api.call(Request(method="GET", path=f"/V1{path}", params=params)))


async def _rows(api: Api, path: str, params: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    told = await _get(api, path, params)
    found = told.get("items") if isinstance(told, dict) else None
    if found is None and isinstance(told, dict) and told.get("total_count") == 0:
        return []  # nothing found is told as null
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unreadable("items", "not a list of rows")
    return found


async def check(api: Api) -> Identity:
    """Prove the keys on orders and inventory; learn the website's stock, without which nothing can be reckoned."""
    await _rows(api, "/orders", _criteria(size=1))
    sites = await _get(api, "/store/websites")
    codes = [str(row.get("code")) for row in sites if isinstance(row, dict) and row.get("code") != "admin"]
    if not codes:
        raise Unreadable("websites", "none told")
    told = await _get(api, f"/inventory/stock-resolver/website/{quote(codes[0], safe='')}")
    stock = parse.ref(told.get("stock_id")) if isinstance(told, dict) else None
    if stock is None:
        raise Unreadable("stock_id", "not told")
    host = urlsplit(api.credentials.store_url)
    facts = {"website": codes[0], "stock_id": stock}
    return Identity(external_id=f"{host.netloc}{host.path}", name=host.netloc, facts=facts)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order, by its entity_id."""
    return await _get(api, f"/orders/{number_of(ref)}")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders by time of change. A second with more than a page is read by id: nothing moves within it.

    `low` is where this poll began: the next one begins OVERLAP before the newest order, but never before that.
    """
    start = (api.now() - LOOK_BACK).astimezone(UTC).strftime(CLOCK)
    told = json.loads(cursor) if cursor else {"after": start, "low": start}
    after, low, last = told["after"], told["low"], told.get("id")
    if last is not None:
        wanted = [("updated_at", "eq", after), ("entity_id", "gt", str(last))]
        rows = await _rows(api, "/orders", _criteria(wanted, sort=("entity_id",)))
        full = len(rows) == PAGE
        onward = {"after": after, "id": rows[-1]["entity_id"]} if full else {"after": _later(after, SECOND)}
        return Page(documents=tuple(rows), cursor=json.dumps({**onward, "low": low}), more=True)
    wanted = [("updated_at", "gteq", after)]
    rows = await _rows(api, "/orders", _criteria(wanted, sort=("updated_at", "entity_id")))
    newest = max((str(row.get("updated_at")) for row in rows), default=after)
    if len(rows) < PAGE:
        again = max(_later(newest, -OVERLAP), low)
        return Page(documents=tuple(rows), cursor=json.dumps({"after": again, "low": again}))
    onward = {"after": newest} if newest > after else {"after": after, "id": rows[-1]["entity_id"]}
    return Page(documents=tuple(rows), cursor=json.dumps({**onward, "low": low}), more=True)


def _later(told: str, by: timedelta) -> str:
    try:
        return (datetime.strptime(told, CLOCK).replace(tzinfo=UTC) + by).strftime(CLOCK)
    except ValueError:
        raise Unreadable("updated_at", f"not a time: {told!r}"[:120]) from None


async def latest_orders(api: Api) -> Page:
    """The orders placed last."""
    return Page(documents=tuple(await _rows(api, "/orders", _criteria(sort=("entity_id",), down=True, size=LATEST))))


async def shipments_of(api: Api, news: ShipmentNews) -> Raw:
    """What was shipped of an order so far, with its codes."""
    return {"items": await _rows(api, "/shipments", _criteria([("order_id", "eq", news.order_ref)]))}


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products by id, each with its source items and what is salable."""
    wanted = [("entity_id", "gt", cursor or "0")]
    rows = await _rows(api, "/products", _criteria(wanted, sort=("entity_id",)))
    sold = [row for row in rows if row.get("type_id", "simple") in mapping.SOLD]
    more = len(rows) == PAGE
    last = parse.ref(rows[-1].get("id")) if more else None
    return Page(documents=tuple(await _stocked(api, sold)), cursor=last, more=more)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its stock, by SKU."""
    product = await _get(api, f"/products/{quote(ref, safe='')}")
    return (await _stocked(api, [product]))[0]


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several products with their stock."""
    return await _stocked(api, await _rows(api, "/products", _criteria([("sku", "in", ",".join(refs))])))


async def _stocked(api: Api, products: Sequence[dict[str, Any]]) -> list[Raw]:
    skus = [str(row["sku"]) for row in products]
    sources, salable = await _sources(api, skus), await _salable(api, skus)
    return [
        {
            "product": row,
            "sources": sources.get(sku, []),
            "salable": salable.get(sku),
            "source": api.credentials.source_code,
        }
        for row, sku in zip(products, skus, strict=True)
    ]


async def _sources(api: Api, skus: Sequence[str]) -> dict[str, list[Raw]]:
    """Source items by SKU, page by page: a SKU may stand in many sources."""
    found: dict[str, list[Raw]] = {}
    for some in batches(skus, PAGE // 5):
        wanted = [("sku", "in", ",".join(some))]
        for row in await _rows(api, ITEMS.removeprefix("/V1"), _criteria(wanted, size=300)):
            found.setdefault(str(row.get("sku")), []).append(row)
    return found


async def _salable(api: Api, skus: Sequence[str]) -> dict[str, Raw]:
    """What the website's stock sells: all at once by the export, else one by one."""
    site = quote(str(api.facts.get("website", "base")), safe="")
    path, wanted = f"/inventory/export-stock-salable-qty/website/{site}", [("sku", "in", ",".join(skus))]
    rows = await if_there(_rows(api, path, _criteria(wanted, size=300)), *ABSENT) if skus else []
    if rows is not None:
        return {str(row.get("sku")): row.get("qty") for row in rows}
    stock = quote(str(api.facts.get("stock_id", "1")), safe="")
    one = "/inventory/get-product-salable-quantity"
    return {sku: await if_there(_get(api, f"{one}/{quote(sku, safe='')}/{stock}"), *ABSENT) for sku in skus}


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a SKU that stands in no source."""
    skus = list(dict.fromkeys(write.slot_ref for write in writes))
    sources, salable = await _sources(api, skus), await _salable(api, skus)
    found = []
    for write in writes:
        rows, sku = sources.get(write.slot_ref), write.slot_ref
        box = {"product": {"sku": sku}, "sources": rows, "salable": salable.get(sku), "source": write.location_ref}
        found.append(mapping.listings(box)[0] if rows else None)
    return found
