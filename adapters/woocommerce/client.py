"""WooCommerce's endpoints: paths, paging, registration. No meaning."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator

from adapters.woocommerce import mapping
from adapters.woocommerce.mapping import API
from adapters.woocommerce.webhook import TOPICS
from hub import addresses, oauth
from hub.calls import batches, get, grouped, if_there
from hub.contract import Api, Credentials, Identity, Page, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Raw, Request, StockWrite
from hub.wire import Wire, needed_list, rows

PER_PAGE = 100
LATEST = 30
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=10)  # an order may be committed some seconds after the time that it carries
SECOND = timedelta(seconds=1)  # the store's clock; `modified_after` is exclusive
CLOCK = "%Y-%m-%dT%H:%M:%S"  # UTC
HOOK_NAME = "Balcão {topic}"


class WooCredentials(Credentials):
    """The store's address and a REST API key with read and write permission."""

    store_url: str = Field(title="Store address", examples=["https://loja.example"])
    consumer_key: str = Field(title="Consumer key", pattern=r"^\s*ck_\w+\s*$")
    consumer_secret: SecretStr = Field(title="Consumer secret")

    @field_validator("store_url")
    @classmethod
    def _store(cls, typed: str) -> str:
        return addresses.store_url(typed, "/wp-json", "/wp-admin")

    def base_url(self) -> str:
        """The store's own address."""
        return self.store_url

    def headers(self) -> Mapping[str, str]:
        """HTTP Basic; a real store takes it over https only."""
        return oauth.basic(self.consumer_key.strip(), SecretStr(self.consumer_secret.get_secret_value().strip()))


async def check(api: Api) -> Identity:
    """Prove that the key may read and write; the name is in the public index, where the store shows one."""
    store_url = api.credentials.store_url
    if not addresses.is_safe(store_url):
        words = "the store's address must begin with https://: over plain http WooCommerce refuses the key"
        raise ChannelError(Fault.REJECTED, "plain_http", words)
    await get(api, f"{API}/orders", per_page="1", status="any")
    # an empty batch changes nothing, and a read-only key is refused it
    await api.call(Request(method="POST", path=f"{API}/products/batch", json={"update": []}, repeatable=True))
    external_id = addresses.store_ref(store_url)
    index = await api.call(Request(method="GET", path="/wp-json/", accept=frozenset({401, 403, 404})))
    told = json_of(index) if index.status == HTTPStatus.OK else None
    told = told if isinstance(told, dict) else {}
    facts = {key: told[key] for key in ("timezone_string", "namespaces") if key in told}
    return Identity(external_id=external_id, name=str(told.get("name") or external_id), facts=facts)


async def _rows(api: Api, path: str, **params: str) -> list[Raw]:
    return needed_list(await get(api, API + path, **params), path[1:])


async def _all(api: Api, path: str) -> list[Raw]:
    found: list[Raw] = []
    while len(found) % PER_PAGE == 0:
        page = str(len(found) // PER_PAGE + 1)
        told = await _rows(api, path, orderby="id", order="asc", per_page=str(PER_PAGE), page=page)
        if not told:
            break
        found += told
    return found


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order; one in the trash says so in its status."""
    return await get(api, f"{API}/orders/{quote(ref, safe='')}")


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Everything modified up to `after` is read, in the trash up to `trash`."""

    after: str
    trash: str
    # Where this poll began: the next one begins OVERLAP before the newest order, but never before that.
    low: str = ""
    # Above 0: the second after `after` holds more than a page, and is read from its last page to its first: an order
    # changed meanwhile leaves that second and moves the later ones towards pages yet unread.
    page: int = 0

    def told(self, documents: Sequence[Raw], *, more: bool = True) -> Page:
        return Page(documents=tuple(documents), cursor=json.dumps(asdict(self)), more=more)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders by time of change, oldest first; the next page starts at the last time seen."""
    start = (api.now() - LOOK_BACK).astimezone(UTC).strftime(CLOCK)
    at = _Cursor(**json.loads(cursor)) if cursor else _Cursor(start, start, start)
    if at.page:
        found, _pages = await _crowded(api, at.after, at.page)
        ended = replace(at, after=_later(at.after, SECOND), page=0)
        return (replace(at, page=at.page - 1) if at.page > 1 else ended).told(found)
    found = await _orders(api, "any", at.after)
    newest = _newest(found, at.after)
    if len(found) < PER_PAGE:
        low = max(at.low, _later(newest, -OVERLAP))
        return await _last_page(api, replace(at, after=low, low=low), found)
    edge = _later(newest, -SECOND)
    if edge > at.after:
        return replace(at, after=edge).told(found)
    _found, pages = await _crowded(api, at.after, 1)
    return replace(at, page=pages).told(found)


async def latest_orders(api: Api) -> Page:
    """The orders placed last, in one request."""
    found = await _rows(api, "/orders", status="any", orderby="date", order="desc", per_page=str(LATEST))
    return Page(documents=tuple(found))


async def _last_page(api: Api, at: _Cursor, found: list[Raw]) -> Page:
    """`status=any` leaves the trash out, so it is asked for apart."""
    trashed = await _orders(api, "trash", at.trash)
    full, newest = len(trashed) == PER_PAGE, _newest(trashed, at.trash)
    begun = _later(at.trash, SECOND) if full else at.trash
    read = max(_later(newest, -SECOND if full else -OVERLAP), begun)
    return replace(at, trash=read).told([*found, *trashed], more=full)


async def _crowded(api: Api, after: str, page: int) -> tuple[list[Raw], int]:
    """A page of the second after `after`, and how many it has."""
    params = _changed("any", after) | {"modified_before": _later(after, 2 * SECOND), "orderby": "id", "page": str(page)}
    reply = await api.call(Request(method="GET", path=f"{API}/orders", params=tuple(params.items())))
    pages = reply.headers.get("x-wp-totalpages", "")
    if not pages.isdecimal():
        raise Unreadable("X-WP-TotalPages", "not told")
    return needed_list(json_of(reply), "orders"), int(pages)


async def _orders(api: Api, status: str, after: str) -> list[Raw]:
    return await _rows(api, "/orders", **_changed(status, after))


def _changed(status: str, after: str) -> dict[str, str]:
    order = {"orderby": "modified", "order": "asc", "dates_are_gmt": "true", "per_page": str(PER_PAGE)}
    return {"status": status, "modified_after": after, **order}


def _later(told: str, by: timedelta) -> str:
    return (datetime.fromisoformat(told) + by).strftime(CLOCK)


def _newest(found: Sequence[Raw], otherwise: str) -> str:
    told = [at.strftime(CLOCK) for at in map(mapping.modified, found) if at]
    if len(found) == PER_PAGE and not told:
        raise Unreadable("orders.date_modified_gmt", "not told by any order of a page")
    return max(told, default=otherwise)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products by id, each with its variations in place of their ids; a page starts on the last product before it."""
    told = json.loads(cursor) if cursor else {"offset": 0, "last": 0}
    offset, last = told["offset"], told["last"]
    found = await _products(api, offset)
    # That one is not where it was: one before it was deleted, and we step back until nothing can have slipped by.
    while offset and (not found or _id(found[0]) > last):
        offset = max(0, offset - PER_PAGE)
        found = await _products(api, offset)
    fresh = tuple([await _with_variations(api, row) for row in found if _id(row) > last])
    if len(found) < PER_PAGE:
        return Page(documents=fresh)
    onward = {"offset": offset + len(found) - 1, "last": max(last, _id(found[-1]))}
    return Page(documents=fresh, cursor=json.dumps(onward), more=True)


async def _products(api: Api, offset: int) -> list[Raw]:
    return await _rows(api, "/products", orderby="id", order="asc", per_page=str(PER_PAGE), offset=str(offset))


def _id(row: Raw) -> int:
    told = Wire(row, "products").needed_ref("id")
    if not told.isdecimal():
        raise Unreadable("products.id", f"not an id: {told!r}"[:120])
    return int(told)


async def _with_variations(api: Api, row: Raw) -> Raw:
    if not isinstance(row, dict) or row.get("type") not in mapping.VARIABLE:
        return row
    return {**row, "variations": await _all(api, f"/products/{_id(row)}/variations")}


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its variations."""
    return await _with_variations(api, await get(api, f"{API}/products/{quote(ref, safe='')}"))


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show now, in the order asked; None for one that is gone."""
    found: dict[tuple[str, str], Raw] = {}
    for path, there in grouped(writes, _shelf).items():
        for ids in batches(sorted({_own(write) for write in there}), PER_PAGE):
            told = await if_there(_rows(api, path, include=",".join(ids), per_page=str(PER_PAGE)))
            found |= {(path, str(_id(row))): row for row in told or ()}
    shown = [found.get((_shelf(write), _own(write))) for write in writes]
    return [mapping.seen(row, write) if row else None for row, write in zip(shown, writes, strict=True)]


def _shelf(write: StockWrite) -> str:
    """The list that shows a slot."""
    return f"/products/{quote(write.listing_ref, safe='')}/variations" if write.variation_ref else "/products"


def _own(write: StockWrite) -> str:
    return write.variation_ref or write.listing_ref


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribe(api: Api, url: str, secret: str) -> list[str]:
    """One active webhook per topic: a store disables one after five failures, and tells nobody."""
    done = []
    ours = await _our_hooks(api)
    body = {"status": "active", "delivery_url": url, "secret": secret}
    for topic in TOPICS:
        same = [hook for hook in ours if hook.text("topic") == topic]
        if not same:
            named = {"name": HOOK_NAME.format(topic=topic), "topic": topic, **body}
            await api.call(Request(method="POST", path=f"{API}/webhooks", json=named))
            done.append(f"created {topic}")
        elif wrong := [key for key in ("status", "delivery_url") if same[0].raw.get(key) != body[key]]:
            await api.call(Request(method="PUT", path=_hook(same[0]), json=body))
            done.append(f"repaired {topic} ({', '.join(wrong)})")
        for hook in same[1:]:
            await api.call(Request(method="DELETE", path=_hook(hook), params=(("force", "true"),)))
            done.append(f"removed a second {topic}")
    return done


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Removes what knocks at `url`."""
    there = [hook for hook in await _our_hooks(api) if hook.text("delivery_url") == url]
    for hook in there:
        await api.call(Request(method="DELETE", path=_hook(hook), params=(("force", "true"),)))
    return [f"removed {hook.text('topic')}" for hook in there]


async def _our_hooks(api: Api) -> list[Wire]:
    told = rows(await _all(api, "/webhooks"), "webhooks")
    names = {HOOK_NAME.format(topic=topic): topic for topic in TOPICS}
    return [hook for hook in told if names.get(hook.text("name") or "", "") == hook.text("topic")]


def _hook(hook: Wire) -> str:
    return f"{API}/webhooks/{_id(hook.raw)}"
