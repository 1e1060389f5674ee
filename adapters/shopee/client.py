"""Shopee's paths, paging, signatures and tokens."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr

from adapters.shopee import listings, mapping, shipping, webhook
from adapters.shopee.errors import read_error
from hub import calls, contract, oauth
from hub.calls import batches, first, if_there
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, News, Notice, Raw, Reply, Request, ShipmentNews, StockWrite, Unsigned
from hub.signing import hex_hmac
from hub.wire import Wire

PRODUCTION = "https://openplatform.shopee.com.br"
ACCESS = "access_token"  # where the token stands until it is moved into the query
REGION = "BR"
PAGE, DETAILS, MODELS_AT_ONCE = 100, 50, 10
LOOK_BACK = 7 * 86_400  # seconds
OVERLAP = 300  # seconds: a clock that is further off cannot sign
WIDEST = 14 * 86_400  # seconds: the search takes less than 15 days
LATEST = 600  # seconds back that are looked at before a write
CONFIRM_AFTER = timedelta(hours=1)  # lost pushes are the whole application's: each of its accounts reads them first
PUSHES = frozenset({1, 2, 3, 4, 6, 8, 12})  # those of set_app_push_config that we act upon
FIELDS = (
    "buyer_user_id,item_list,pay_time,recipient_address,split_up,cancel_by,cancel_reason,buyer_cpf_id,"
    "fulfillment_flag,package_list,shipping_carrier,total_amount,invoice_data,edt"
)
STATUSES = ("NORMAL", "UNLIST", "BANNED", "REVIEWING")
PENDING = ("request_order_status_pending", "true")  # else an order that Shopee still looks into passes for another


class Credentials(contract.Credentials):
    """An application of open.shopee.com, a shop that authorized it, and the shop's first refresh token."""

    partner_id: str = Field(pattern=r"^\d{1,12}$")
    partner_key: SecretStr
    shop_id: str = Field(pattern=r"^\d{1,15}$")
    refresh_token: SecretStr | None = None
    endpoint: str = PRODUCTION

    @property
    def client_id(self) -> str:
        """Which application it is, by the name that others give it."""
        return self.partner_id

    def base_url(self) -> str:
        """The host."""
        return self.endpoint.rstrip("/")


# ── Signatures and tokens ───────────────────────────────────────────────────────────────────────────────────


def proof(credentials: Credentials, path: str, at: datetime, token: str = "") -> dict[str, str]:
    """Who asks, when and by which token, and the signature of it: lower hex HMAC-SHA256, good for 5 minutes.

    Calls of the application itself show no token, and no shop.
    """
    who = {"partner_id": credentials.partner_id, "timestamp": str(int(at.timestamp()))}
    shop = {ACCESS: token, "shop_id": credentials.shop_id} if token else {}
    base = "".join([credentials.partner_id, path, who["timestamp"], *shop.values()])
    return {**who, **shop, "sign": hex_hmac(credentials.partner_key.get_secret_value(), base.encode())}


def sign(told: Unsigned) -> Request:
    """The request with its proof in the query; its body is not signed."""
    mine = proof(told.credentials, urlsplit(told.url).path, told.now, told.shown.get(ACCESS, ""))
    return replace(told.request, params=(*told.request.params, *mine.items()))


def _public(path: str, told: Mapping[str, Raw]) -> Request:
    """A call of the application itself: signed, without a shop's token."""
    return Request(method="POST", path=path, json=told, authenticate=False, signed=True)


def _token_request(credentials: Credentials, path: str, **told: str) -> Request:
    return _public(path, {**told, "partner_id": int(credentials.partner_id), "shop_id": int(credentials.shop_id)})


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token: of this shop alone, good for one use and for 30 days."""
    last = oauth.refresh_with(credentials.refresh_token, token, "the shop must be connected")
    return _token_request(credentials, "/api/v2/auth/access_token/get", refresh_token=last)


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code (once, 10 minutes) for the first token."""
    return _token_request(credentials, "/api/v2/auth/token/get", code=code)


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the shop's owner grants access; the link is good for 5 minutes."""
    path = "/api/v2/shop/auth_partner"
    back = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode({'state': state})}"
    asked = {**proof(credentials, path, datetime.now(UTC)), "redirect": back}
    return f"{credentials.base_url()}{path}?{urlencode(asked)}"


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; `expire_in` is a duration in one answer and an instant in the other."""
    return oauth.token_of(reply, now, read_error, account="shop_id", expires="expire_in")


def shown(token: Token) -> dict[str, str]:
    """The token, for `sign` to move."""
    return {ACCESS: token.access.get_secret_value()}


async def _get(api: Api, path: str, *params: tuple[str, str], public: bool = False) -> Wire:
    """What stands in `response`."""
    request = Request(method="GET", path=path, params=params, authenticate=not public, signed=True)
    return Wire(json_of(await api.call(request)), "").needed_part("response")


async def check(api: Api) -> Identity:
    """Which shop it is; those of other countries are refused."""
    told = Wire(await calls.get(api, "/api/v2/shop/get_shop_info"), "shop")
    if (region := told.text("region")) != REGION:
        raise ChannelError(Fault.REJECTED, "other_region", f"this shop sells in {region}, not in {REGION}"[:200])
    return Identity(external_id=api.credentials.shop_id, name=told.text("shop_name") or api.credentials.shop_id)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The row of get_order_detail."""
    rows = await _details(api, [ref]) if ref.isalnum() else []
    return dict(first(rows, ref).raw)


async def _details(api: Api, refs: Sequence[str]) -> list[Wire]:
    asked = ("order_sn_list", ",".join(refs)), ("response_optional_fields", FIELDS), PENDING
    return (await _get(api, "/api/v2/order/get_order_detail", *asked)).rows("order_list")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders by update_time, in windows that one page holds: rows that move on while we read push none out.

    The cursor is `{from, until, width}` in unix seconds; what cannot be read is told as a ref, to be seen on its own.
    """
    now, told = int(api.now().timestamp()), json.loads(cursor) if cursor else {}
    start = told.get("from", now - LOOK_BACK)
    until = max(told.get("until") or now, start + 1)
    refs, end = await _window(api, start, min(until, start + told.get("width", WIDEST)))
    documents: dict[str, Raw] = {}
    for batch in batches(refs, DETAILS):
        for row in await if_there(_details(api, batch)) or []:
            with suppress(Unreadable):
                documents[mapping.order(row.raw).ref] = row.raw
    unread = tuple(ref for ref in refs if ref not in documents)
    onward = {"from": until - OVERLAP}
    if end < until:
        width = min(WIDEST, (end - start) * (2 if len(refs) <= PAGE // 2 else 1))
        onward = {"from": end, "until": until, "width": width}
    return Page(documents=tuple(documents.values()), refs=unread, cursor=json.dumps(onward), more=end < until)


async def _window(api: Api, start: int, end: int) -> tuple[list[str], int]:
    """Refs of the longest of the halved windows that one page holds, and where it ends.

    Of more than a page within one second every page is read: both edges of a window are its own, so a row that slides
    off a page is in the next window too.
    """
    refs, onward = await _listed(api, "update_time", start, end)
    while onward and end - start > 1:
        end = start + (end - start) // 2
        refs, onward = await _listed(api, "update_time", start, end)
    while onward:
        more, onward = await _listed(api, "update_time", start, end, onward)
        refs += more
    return list(dict.fromkeys(refs)), end


async def _listed(api: Api, clock: str, start: int, end: int, cursor: str = "") -> tuple[list[str], str | None]:
    """A page of refs, and where the next one begins (None at the end)."""
    asked = {"time_range_field": clock, "time_from": str(start), "time_to": str(end), "page_size": str(PAGE)}
    told = await _get(api, "/api/v2/order/get_order_list", *asked.items(), ("cursor", cursor), PENDING)
    refs = [ref for row in told.rows("order_list") if (ref := row.ref("order_sn"))]
    return refs, told.needed_ref("next_cursor") if told.flag("more") else None


async def latest_orders(api: Api) -> Page:
    """Refs of the orders made in the last minutes."""
    now = int(api.now().timestamp())
    refs, _more = await _listed(api, "create_time", now - LATEST, now)
    return Page(refs=tuple(refs))


async def before_shipping(api: Api, news: ShipmentNews) -> Raw:
    """`{order, parameter}`: what the order's carrier asks for; `parameter` null where there is nothing to arrange."""
    if news.news is not News.DISPATCHED:
        return None
    told = await fetch_order(api, news.order_ref)
    if told.get("order_status") not in shipping.TO_ARRANGE or told.get("advance_package"):
        return {"order": told, "parameter": None}
    parcel = shipping.package(Wire(told, "order"), news)
    asked = [("order_sn", news.order_ref), *([("package_number", parcel)] if parcel else [])]
    return {"order": told, "parameter": (await _get(api, "/api/v2/logistics/get_shipping_parameter", *asked)).raw}


# ── Items ───────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Items that are not deleted, each with its models."""
    asked = ("offset", cursor or "0"), ("page_size", str(DETAILS)), *(("item_status", status) for status in STATUSES)
    told = await _get(api, "/api/v2/product/get_item_list", *asked)
    tags = {ref: row.raw.get("tag") for row in told.rows("item") if (ref := row.ref("item_id"))}
    documents = await fetch_listings(api, list(tags), tags)
    onward = told.text("next_offset") if told.flag("has_next_page") else None
    return Page(documents=tuple(documents), cursor=onward, more=onward is not None)


async def fetch_listings(api: Api, refs: Sequence[str], tags: Mapping[str, Raw] = {}) -> list[Raw]:
    """`{item, models}` of those that are there; `tags` are the list's, which a row may not repeat."""
    found: list[Raw] = []
    for batch in batches([ref for ref in refs if ref.isdecimal()], DETAILS):
        told = await if_there(_get(api, "/api/v2/product/get_item_base_info", ("item_id_list", ",".join(batch))))
        for some in batches(told.rows("item_list") if told else [], MODELS_AT_ONCE):
            found += await asyncio.gather(*(_with_models(api, row, tags) for row in some))
    return [box for box in found if box]


async def _with_models(api: Api, row: Wire, tags: Mapping[str, Raw]) -> Raw:
    """Which models an item has is asked for one item at a time; None where it is gone by now."""
    ref = row.needed_ref("item_id")
    item = {**row.raw, "tag": row.raw.get("tag") or tags.get(ref)}
    if not row.flag("has_model"):
        return {"item": item, "models": None}
    models = await if_there(_get(api, "/api/v2/product/get_model_list", ("item_id", ref)))
    return models and {"item": item, "models": models.raw}


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One item with its models."""
    return first(await fetch_listings(api, [ref]), ref)


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    boxes = await fetch_listings(api, list(dict.fromkeys(write.listing_ref for write in writes)))
    seen = {(one.slot_ref, one.location_ref): one for box in boxes for one in listings.listings(box)}
    return [seen.get((write.slot_ref, write.location_ref)) for write in writes]


# ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Point the application's pushes at us, switch on those we need, take our shop off the blocked ones."""
    told = await _get(api, "/api/v2/push/get_app_push_config", public=True)
    mine, blocked = api.credentials.shop_id, told.bare_refs("blocked_shop_id")
    off = sorted(PUSHES - set(map(int, told.bare_refs("push_config_on_list"))))
    wrong = {
        f"callback set to {url}": told.text("callback_url") != url,
        f"pushes switched on: {', '.join(map(str, off))}": off,
        "shop unblocked": mine in blocked,
        "pushes were suspended": told.text("live_push_status") == "suspended",  # too many were not answered with 2xx
    }
    if any(wrong.values()):
        others = {"blocked_shop_id_list": [int(shop) for shop in blocked if shop != mine]} if mine in blocked else {}
        config = {"callback_url": url, "set_push_config_on": sorted(PUSHES), **others}
        await api.call(_public("/api/v2/push/set_app_push_config", config))
    return [done for done, is_wrong in wrong.items() if is_wrong]


async def missed(api: Api, cursor: str | None) -> tuple[list[Notice], str | None]:
    """Our shop's among the earliest 100 lost pushes of the application (kept for 3 days).

    They are confirmed, and the next ones come, an hour after we have read them. The cursor is `{last, seen}`.
    """
    told = await _get(api, "/api/v2/push/get_lost_push_message", public=True)
    found, last = told.rows("push_message_list"), told.raw.get("last_message_id")
    if not found:
        return [], None
    known = json.loads(cursor) if cursor else {}
    if known.get("last") != last:
        mine = [notice for row in found for notice in lost(row.raw) if notice.account_ref == api.credentials.shop_id]
        return mine, json.dumps({"last": last, "seen": api.now().isoformat()})
    if api.now() - datetime.fromisoformat(known["seen"]) >= CONFIRM_AFTER:
        await api.call(_public("/api/v2/push/confirm_consumed_lost_push_message", {"last_message_id": last}))
        return [], None
    return [], cursor


def lost(row: Mapping[str, Raw]) -> list[Notice]:
    """A lost push stands whole in its `data`, as an object or as text."""
    told = row.get("data")
    with suppress(Unreadable, ValueError):
        return webhook.notices(json.loads(told) if isinstance(told, str) else told)
    return []
