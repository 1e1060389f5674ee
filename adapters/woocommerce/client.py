"""WooCommerce's endpoints: paths, paging, registration. No meaning."""

import base64
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator

from adapters.woocommerce import mapping
from adapters.woocommerce.mapping import API
from adapters.woocommerce.webhook import TOPICS
from hub.addresses import store_ref
from hub.contract import Api, Credentials, Identity, Page, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Raw, Reply, Request, StockWrite

PER_PAGE = 100
LATEST = 30
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=10)  # an order may be committed some seconds after the time that it carries
SECOND = timedelta(seconds=1)  # the store's clock; `modified_after` is exclusive
HOOK_NAME = "Balcão {topic}"


class WooCredentials(Credentials):
    """The store's address and a REST API key with read and write permission."""

    store_url: str = Field(title="Store address", examples=["https://loja.example"])
    consumer_key: str = Field(title="Consumer key", pattern=r"^\s*ck_\w+\s*$")
    consumer_secret: SecretStr = Field(title="Consumer secret")

    @field_validator("store_url")
    @classmethod
    def _store(cls, typed: str) -> str:
        url = typed.strip()
        url = (url if "://" in url else f"https://{url}").split("?")[0].split("#")[0]
        for tail in ("/wp-json", "/wp-admin"):
            url = url.split(tail)[0]
        if urlsplit(url).scheme not in ("http", "https") or not store_ref(url):
            raise ValueError("not the address of a store")
        return url.rstrip("/")

    def base_url(self) -> str:
        """The store's own address."""
        return self.store_url

    def headers(self) -> Mapping[str, str]:
        """HTTP Basic; a real store takes it over https only."""
        pair = f"{self.consumer_key.strip()}:{self.consumer_secret.get_secret_value().strip()}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def is_safe(self) -> bool:
        """Whether the key may travel: https, or a host of this machine or network."""
        url = urlsplit(self.store_url)
        return url.scheme == "https" or _is_private(url.hostname or "")


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".test"))


async def check(api: Api) -> Identity:
    """Prove that the key may read and write; the name is in the public index, where the store shows one."""
    if not api.credentials.is_safe():
        raise ChannelError(
            Fault.REJECTED,
            "plain_http",
            "the store's address must begin with https://: over plain http WooCommerce refuses the key",
        )
    await _get(api, "/orders", per_page="1", status="any")
    # an empty batch changes nothing, and a read-only key is refused it
    await api.call(Request(method="POST", path=f"{API}/products/batch", json={"update": []}, repeatable=True))
    external_id = store_ref(api.credentials.store_url)
    index = await api.call(Request(method="GET", path="/wp-json/", accept=frozenset({401, 403, 404})))
    told = json_of(index) if index.status == 200 else {}  # noqa: PLR2004 - HTTP
    told = told if isinstance(told, dict) else {}
    facts = {key: told[key] for key in ("timezone_string", "namespaces") if key in told}
    return Identity(external_id=external_id, name=str(told.get("name") or external_id), facts=facts)


async def _get(api: Api, path: str, **params: str) -> Reply:
    return await api.call(Request(method="GET", path=API + path, params=tuple(params.items())))


def _list(reply: Reply, path: str) -> list[Raw]:
    rows = json_of(reply)
    if not isinstance(rows, list):
        raise Unreadable(path, "not a list")
    return rows


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order; one in the trash says so in its status."""
    return json_of(await _get(api, f"/orders/{quote(ref, safe='')}"))


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Everything modified up to `after` is read, in the trash up to `trash`.

    `low` is where this poll began: the next one begins OVERLAP before the newest order, but never before that.
    `page` above 0: the second after `after` holds more than a page, and is read from its last page to its
    first: an order changed meanwhile leaves that second and moves the later ones towards pages yet unread.
    """

    after: datetime
    trash: datetime
    low: datetime
    page: int = 0

    def dump(self) -> str:
        times = {"after": self.after, "trash": self.trash, "low": self.low}
        return json.dumps({name: _wire(at) for name, at in times.items()} | {"page": self.page})

    @classmethod
    def load(cls, cursor: str | None, now: datetime) -> "_Cursor":
        if cursor is None:
            start = (now - LOOK_BACK).replace(microsecond=0)
            return cls(start, start, start)
        told = json.loads(cursor)
        low = told.get("low", told["after"])
        return cls(_time(told["after"]), _time(told["trash"]), _time(low), told["page"])


def _wire(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _time(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=UTC)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders by time of change, oldest first; the next page starts at the last time seen."""
    at = _Cursor.load(cursor, api.now())
    if at.page:
        return await _crowded(api, at)
    rows, _pages = await _orders(api, "any", at.after)
    newest = _newest(rows, at.after)
    if len(rows) < PER_PAGE:
        low = max(at.low, newest - OVERLAP)
        return await _last_page(api, replace(at, after=low, low=low), rows)
    edge = newest - SECOND
    if edge > at.after:
        return Page(documents=tuple(rows), cursor=replace(at, after=edge).dump(), more=True)
    _rows, pages = await _orders(api, "any", at.after, before=at.after + 2 * SECOND)
    return Page(documents=tuple(rows), cursor=replace(at, page=pages).dump(), more=True)


async def latest_orders(api: Api) -> Page:
    """The orders placed last, in one request."""
    reply = await _get(api, "/orders", status="any", orderby="date", order="desc", per_page=str(LATEST))
    return Page(documents=tuple(_list(reply, "orders")))


async def _crowded(api: Api, at: _Cursor) -> Page:
    rows, _pages = await _orders(api, "any", at.after, before=at.after + 2 * SECOND, page=at.page)
    left = at.page - 1
    onward = replace(at, page=left) if left else replace(at, after=at.after + SECOND, page=0)
    return Page(documents=tuple(rows), cursor=onward.dump(), more=True)


async def _last_page(api: Api, at: _Cursor, rows: list[Raw]) -> Page:
    """`status=any` leaves the trash out, so it is asked for apart."""
    trashed, _pages = await _orders(api, "trash", at.trash)
    full = len(trashed) == PER_PAGE
    newest = _newest(trashed, at.trash)
    read = max(newest - SECOND, at.trash + SECOND) if full else max(newest - OVERLAP, at.trash)
    return Page(documents=(*rows, *trashed), cursor=replace(at, trash=read).dump(), more=full)


async def _orders(
    api: Api, status: str, after: datetime, *, before: datetime | None = None, page: int = 1
) -> tuple[list[Raw], int]:
    window = {"modified_before": _wire(before)} if before else {}
    reply = await _get(
        api,
        "/orders",
        status=status,
        orderby="id" if before else "modified",
        order="asc",
        modified_after=_wire(after),
        **window,
        dates_are_gmt="true",
        per_page=str(PER_PAGE),
        page=str(page),
    )
    pages = reply.headers.get("x-wp-totalpages", "")
    if before and not pages.isdecimal():
        raise Unreadable("X-WP-TotalPages", "not told")
    return _list(reply, "orders"), int(pages) if pages.isdecimal() else 1


def _newest(rows: Sequence[Raw], otherwise: datetime) -> datetime:
    told = [at for at in map(mapping.modified, rows) if at]
    if len(rows) == PER_PAGE and not told:
        raise Unreadable("orders.date_modified_gmt", "not told by any order of a page")
    return max(told, default=otherwise)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products by id, each with its variations in place of their ids.

    Each page starts on the last product of the one before; when that one is not where it was, one before it
    was deleted, and we step back until nothing can have slipped by.
    """
    told = json.loads(cursor) if cursor else {"offset": 0, "last": 0}
    offset, last = told["offset"], told["last"]
    rows = await _products(api, offset)
    while offset and (not rows or _own_id(rows[0]) > last):
        offset = max(0, offset - PER_PAGE)
        rows = await _products(api, offset)
    fresh = [await _with_variations(api, row) for row in rows if _own_id(row) > last]
    if len(rows) < PER_PAGE:
        return Page(documents=tuple(fresh))
    onward = {"offset": offset + len(rows) - 1, "last": max(last, _own_id(rows[-1]))}
    return Page(documents=tuple(fresh), cursor=json.dumps(onward), more=True)


async def _products(api: Api, offset: int) -> list[Raw]:
    reply = await _get(api, "/products", orderby="id", order="asc", per_page=str(PER_PAGE), offset=str(offset))
    return _list(reply, "products")


def _own_id(row: Raw) -> int:
    told = row.get("id") if isinstance(row, dict) else None
    if not isinstance(told, (int, str)) or not str(told).isdecimal():
        raise Unreadable("products.id", "not an id")
    return int(told)


async def _with_variations(api: Api, row: Raw) -> Raw:
    if row.get("type") not in mapping.VARIABLE:
        return row
    return {**row, "variations": await _variations(api, str(_own_id(row)))}


async def _variations(api: Api, product_ref: str) -> list[Raw]:
    rows: list[Raw] = []
    while True:
        reply = await _get(
            api,
            f"/products/{quote(product_ref, safe='')}/variations",
            orderby="id",
            order="asc",
            per_page=str(PER_PAGE),
            offset=str(len(rows)),
        )
        page = _list(reply, "variations")
        rows += page
        if len(page) < PER_PAGE:
            return rows


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its variations."""
    row = json_of(await _get(api, f"/products/{quote(ref, safe='')}"))
    return await _with_variations(api, row) if isinstance(row, dict) else row


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show now, in the order asked; None for one that is gone."""
    wanted: dict[str, set[str]] = {}
    for write in writes:
        path, own = _place(write)
        wanted.setdefault(path, set()).add(own)
    rows: dict[tuple[str, str], Raw] = {}
    for path, ids in wanted.items():
        ordered = sorted(ids)
        for n in range(0, len(ordered), PER_PAGE):
            rows |= await _included(api, path, ordered[n : n + PER_PAGE])
    found = [rows.get(_place(write)) for write in writes]
    return [mapping.seen(row, write) if row else None for row, write in zip(found, writes, strict=True)]


def _place(write: StockWrite) -> tuple[str, str]:
    """The list that shows a slot, and its id there."""
    if write.variation_ref:
        return f"/products/{quote(write.listing_ref, safe='')}/variations", write.variation_ref
    return "/products", write.listing_ref


async def _included(api: Api, path: str, ids: Sequence[str]) -> dict[tuple[str, str], Raw]:
    try:
        reply = await _get(api, path, include=",".join(ids), per_page=str(PER_PAGE))
    except ChannelError as gone:
        if gone.fault is not Fault.MISSING:
            raise
        return {}
    return {(path, str(_own_id(row))): row for row in _list(reply, "products")}


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribe(api: Api, url: str, secret: str) -> list[str]:
    """One active webhook per topic that knocks at `url`; says what was done, nothing when all was right.

    A store disables a webhook after five failures, tells nobody and sends nothing from then on.
    """
    done = []
    ours = await _our_hooks(api)
    for topic in TOPICS:
        first, *spare = ours.get(topic, [None])
        body = {"status": "active", "delivery_url": url, "secret": secret}
        if first is None:
            named = {"name": HOOK_NAME.format(topic=topic), "topic": topic, **body}
            await api.call(Request(method="POST", path=f"{API}/webhooks", json=named))
            done.append(f"created {topic}")
        elif wrong := [key for key in ("status", "delivery_url") if first.get(key) != body[key]]:
            await api.call(Request(method="PUT", path=f"{API}/webhooks/{_own_id(first)}", json=body))
            done.append(f"repaired {topic} ({', '.join(wrong)})")
        for hook in filter(None, spare):
            path = f"{API}/webhooks/{_own_id(hook)}"
            await api.call(Request(method="DELETE", path=path, params=(("force", "true"),)))
            done.append(f"removed a second {topic}")
    return done


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Remove every webhook of ours that knocks at `url`."""
    done = []
    for topic, hooks in (await _our_hooks(api)).items():
        for hook in hooks:
            if hook is not None and hook.get("delivery_url") == url:
                path = f"{API}/webhooks/{_own_id(hook)}"
                await api.call(Request(method="DELETE", path=path, params=(("force", "true"),)))
                done.append(f"removed {topic}")
    return done


async def _our_hooks(api: Api) -> dict[str, list[dict[str, Raw] | None]]:
    ours: dict[str, list[dict[str, Raw] | None]] = {}
    page = 1
    while True:
        reply = await _get(api, "/webhooks", per_page=str(PER_PAGE), page=str(page), orderby="id", order="asc")
        rows = _list(reply, "webhooks")
        for row in rows:
            topic = row.get("topic") if isinstance(row, dict) else None
            if topic in TOPICS and row.get("name") == HOOK_NAME.format(topic=topic):
                ours.setdefault(topic, []).append(row)
        if len(rows) < PER_PAGE:
            return ours
        page += 1
