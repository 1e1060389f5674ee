"""Shopee's paths, paging, signatures and tokens."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr

from adapters.shopee import listings, mapping, shipping, webhook
from adapters.shopee.errors import read_error
from hub import contract, oauth, parse
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, News, Notice, Raw, Reply, Request, ShipmentNews, StockWrite, Unsigned

T = TypeVar("T")
PRODUCTION = "https://openplatform.shopee.com.br"
ACCESS = "access_token"  # where the token stands until it is moved into the query
REGION = "BR"
PAGE, DETAILS, MODELS_AT_ONCE = 100, 50, 10
LOOK_BACK = timedelta(days=7)
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


def signature(credentials: Credentials, path: str, timestamp: str, token: str = "") -> str:
    """Lower hex HMAC-SHA256, good for 5 minutes: of the application's own calls, or of the shop's with its token."""
    shop = credentials.shop_id if token else ""
    base = f"{credentials.partner_id}{path}{timestamp}{token}{shop}"
    return hmac.digest(credentials.partner_key.get_secret_value().encode(), base.encode(), hashlib.sha256).hex()


def sign(told: Unsigned) -> Request:
    """The request with who asks, when and by which token in its query; its body is not signed."""
    token, timestamp = told.shown.get(ACCESS, ""), str(int(told.now.timestamp()))
    signed = signature(told.credentials, urlsplit(told.url).path, timestamp, token)
    mine = [("partner_id", told.credentials.partner_id), ("timestamp", timestamp), ("sign", signed)]
    if token:
        mine += [(ACCESS, token), ("shop_id", told.credentials.shop_id)]
    return replace(told.request, params=(*told.request.params, *mine))


def _public(path: str, told: Mapping[str, Raw]) -> Request:
    """A call of the application itself: signed, without a shop's token."""
    return Request(method="POST", path=path, json=told, authenticate=False, signed=True)


def _token_request(credentials: Credentials, path: str, told: Mapping[str, str]) -> Request:
    ids = {"partner_id": int(credentials.partner_id), "shop_id": int(credentials.shop_id)}
    return _public(path, {**told, **ids})


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token: of this shop alone, good for one use and for 30 days."""
    last = (token.refresh if token else None) or credentials.refresh_token
    if last is None:
        raise ChannelError(Fault.AUTH, "no_refresh_token", "the shop must be connected")
    return _token_request(credentials, "/api/v2/auth/access_token/get", {"refresh_token": last.get_secret_value()})


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code (once, 10 minutes) for the first token."""
    return _token_request(credentials, "/api/v2/auth/token/get", {"code": code})


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the shop's owner grants access; the link is good for 5 minutes."""
    path, timestamp = "/api/v2/shop/auth_partner", str(int(datetime.now(UTC).timestamp()))
    back = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode({'state': state})}"
    signed = signature(credentials, path, timestamp)
    asked = {"partner_id": credentials.partner_id, "timestamp": timestamp, "sign": signed, "redirect": back}
    return f"{credentials.base_url()}{path}?{urlencode(asked)}"


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; `expire_in` is a duration in one answer and an instant in the other."""
    return oauth.token_of(reply, now, read_error, account="shop_id", expires="expire_in")


def shown(token: Token) -> dict[str, str]:
    """The token, for `sign` to move."""
    return {ACCESS: token.access.get_secret_value()}


async def _get(api: Api, path: str, *params: tuple[str, str], public: bool = False) -> dict[str, Any]:
    """What stands in `response`."""
    request = Request(method="GET", path=path, params=params, authenticate=not public, signed=True)
    body = json_of(await api.call(request))
    told = body.get("response") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        raise Unreadable("response", "not told")
    return told


def _rows(told: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = told.get(key) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable(f"response.{key}", "not a list of rows")
    return rows


async def check(api: Api) -> Identity:
    """Which shop it is, and until when it is authorized; shops of other countries are refused."""
    told = json_of(await api.call(Request(method="GET", path="/api/v2/shop/get_shop_info")))
    if not isinstance(told, dict):
        raise Unreadable("body", "not an answer of Shopee")
    if told.get("region") != REGION:
        raise ChannelError(
            Fault.REJECTED, "other_region", f"this shop sells in {str(told.get('region'))[:20]}, not in {REGION}"
        )
    facts = {"status": told.get("status"), "authorized_until": told.get("expire_time")}
    shop = api.credentials.shop_id
    return Identity(external_id=shop, name=parse.text(told.get("shop_name")) or shop, facts=facts)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The row of get_order_detail."""
    if not ref.isalnum():
        raise ChannelError(Fault.MISSING, "no_order_sn", f"not an order_sn: {ref[:40]!r}")
    rows = await _details(api, [ref])
    if not rows:
        raise ChannelError(Fault.MISSING, "error_not_found", f"there is no order {ref[:40]}")
    return rows[0]


async def _details(api: Api, refs: Sequence[str]) -> list[dict[str, Any]]:
    asked = ("order_sn_list", ",".join(refs)), ("response_optional_fields", FIELDS), PENDING
    return _rows(await _get(api, "/api/v2/order/get_order_detail", *asked), "order_list")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders by update_time, in windows that one page holds: rows that move on while we read push none out.

    The cursor is `{from, until, width}` in unix seconds; what cannot be read is told as a ref, to be seen on its own.
    """
    now, told = int(api.now().timestamp()), json.loads(cursor) if cursor else {}
    start = told.get("from", now - int(LOOK_BACK.total_seconds()))
    until = max(told.get("until") or now, start + 1)
    end = min(until, start + told.get("width", WIDEST))
    refs, more = await _listed(api, "update_time", start, end)
    while more and end - start > 1:
        end = start + (end - start) // 2
        refs, more = await _listed(api, "update_time", start, end)
    if more:
        refs = await _all_listed(api, start, end)
    documents, unread = await _read(api, refs)
    if end < until:
        width = min(WIDEST, (end - start) * (2 if len(refs) <= PAGE // 2 else 1))
        onward = json.dumps({"from": end, "until": until, "width": width})
        return Page(documents=documents, refs=unread, cursor=onward, more=True)
    return Page(documents=documents, refs=unread, cursor=json.dumps({"from": until - OVERLAP}))


async def _listed(api: Api, clock: str, start: int, end: int, cursor: str = "") -> tuple[list[str], str]:
    """A page of refs, and where the next one begins ("" at the end)."""
    told = await _get(
        api, "/api/v2/order/get_order_list", ("time_range_field", clock), ("time_from", str(start)),
        ("time_to", str(end)), ("page_size", str(PAGE)), ("cursor", cursor), PENDING,
    )  # fmt: skip
    refs = [ref for row in _rows(told, "order_list") if (ref := parse.ref(row.get("order_sn")))]
    onward = str(told.get("next_cursor") or "")
    if told.get("more") and not onward:
        raise Unreadable("response.next_cursor", "more is told, and not where")
    return refs, onward if told.get("more") else ""


async def _all_listed(api: Api, start: int, end: int) -> list[str]:
    """More than a page changed within one second: every page. A row that slides off is in the next window too."""
    refs, cursor = await _listed(api, "update_time", start, end)
    while cursor:
        more, cursor = await _listed(api, "update_time", start, end, cursor)
        refs += more
    return list(dict.fromkeys(refs))


async def _read(api: Api, refs: Sequence[str]) -> tuple[tuple[Raw, ...], tuple[str, ...]]:
    """Documents of what can be read, refs of the rest."""
    documents: dict[str, Raw] = {}
    for batch in _batches(refs, DETAILS):
        for row in await _unless_gone(_details(api, batch)) or []:
            try:
                documents[mapping.order(row).ref] = row
            except Unreadable:
                continue
    return tuple(documents.values()), tuple(ref for ref in refs if ref not in documents)


def _batches(rows: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (rows[n : n + size] for n in range(0, len(rows), size))


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
    parcel = shipping.package(told, news)
    asked = [("order_sn", news.order_ref), *([("package_number", parcel)] if parcel else [])]
    return {"order": told, "parameter": await _get(api, "/api/v2/logistics/get_shipping_parameter", *asked)}


# ── Items ───────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Items that are not deleted, each with its models."""
    offset = cursor or "0"
    statuses = [("item_status", status) for status in STATUSES]
    told = await _get(api, "/api/v2/product/get_item_list", ("offset", offset), ("page_size", str(DETAILS)), *statuses)
    rows = [row for row in _rows(told, "item") if parse.ref(row.get("item_id"))]
    tags = {str(row["item_id"]): row.get("tag") for row in rows}
    documents = tuple(await _items(api, list(tags), tags))
    onward = parse.text(told.get("next_offset"))
    if not told.get("has_next_page") or onward is None:
        return Page(documents=documents)
    return Page(documents=documents, cursor=onward, more=True)


async def _items(api: Api, ids: Sequence[str], tags: Mapping[str, Raw] | None = None) -> list[Raw]:
    """`{item, models}` of those that are there; what models an item has is asked for one item at a time."""
    found: list[Raw] = []
    for batch in _batches(ids, DETAILS):
        asked = ("item_id_list", ",".join(batch))
        told = await _unless_gone(_get(api, "/api/v2/product/get_item_base_info", asked))
        rows = [{**row, "tag": row.get("tag") or (tags or {}).get(str(row.get("item_id")))}
                for row in _rows(told or {}, "item_list")]  # fmt: skip
        for some in _batches(rows, MODELS_AT_ONCE):
            found += [box for box in await asyncio.gather(*(_with_models(api, row) for row in some)) if box]
    return found


async def _with_models(api: Api, row: Mapping[str, Any]) -> Raw:
    if not row.get("has_model"):
        return {"item": row, "models": None}
    asked = ("item_id", str(row.get("item_id")))
    models = await _unless_gone(_get(api, "/api/v2/product/get_model_list", asked))  # it may be, by now
    return None if models is None else {"item": row, "models": models}


async def _unless_gone(awaited: Awaitable[T]) -> T | None:
    """What is answered; None for MISSING."""
    try:
        return await awaited
    except ChannelError as problem:
        if problem.fault is not Fault.MISSING:
            raise
        return None


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One item with its models."""
    found = await fetch_listings(api, [ref])
    if not found:
        raise ChannelError(Fault.MISSING, "error_item_not_found", f"there is no item {ref[:40]}")
    return found[0]


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several items, with the models of those that have any."""
    return await _items(api, [ref for ref in refs if ref.isdecimal()])


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    boxes = await fetch_listings(api, list(dict.fromkeys(write.listing_ref for write in writes)))
    seen = {(one.slot_ref, one.location_ref): one for box in boxes for one in listings.listings(box)}
    return [seen.get((write.slot_ref, write.location_ref)) for write in writes]


# ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Point the application's pushes at us, switch on those we need, take our shop off the blocked ones."""
    told = await _get(api, "/api/v2/push/get_app_push_config", public=True)
    blocked, mine = _numbers(told, "blocked_shop_id"), int(api.credentials.shop_id)
    off = sorted(PUSHES - set(_numbers(told, "push_config_on_list")))
    wrong = {
        f"callback set to {url}": told.get("callback_url") != url,
        f"pushes switched on: {', '.join(map(str, off))}": off,
        "shop unblocked": mine in blocked,
        "pushes were suspended": told.get("live_push_status") == "suspended",  # too many were not answered with 2xx
    }
    if any(wrong.values()):
        others = {"blocked_shop_id_list": [shop for shop in blocked if shop != mine]} if mine in blocked else {}
        config = {"callback_url": url, "set_push_config_on": sorted(PUSHES), **others}
        await api.call(_public("/api/v2/push/set_app_push_config", config))
    return [done for done, is_wrong in wrong.items() if is_wrong]


def _numbers(told: Mapping[str, Any], key: str) -> list[int]:
    rows = told.get(key)
    return [each for each in rows if isinstance(each, int)] if isinstance(rows, list) else []


async def missed(api: Api, cursor: str | None) -> tuple[list[Notice], str | None]:
    """Our shop's among the earliest 100 lost pushes of the application (kept for 3 days).

    They are confirmed, and the next ones come, an hour after we have read them. The cursor is `{last, seen}`.
    """
    told = await _get(api, "/api/v2/push/get_lost_push_message", public=True)
    found, last = _rows(told, "push_message_list"), told.get("last_message_id")
    if not found:
        return [], None
    known = json.loads(cursor) if cursor else {}
    if known.get("last") != last:
        mine = [notice for row in found for notice in lost(row) if notice.account_ref == api.credentials.shop_id]
        return mine, json.dumps({"last": last, "seen": api.now().isoformat()})
    if api.now() - datetime.fromisoformat(known["seen"]) >= CONFIRM_AFTER:
        await api.call(_public("/api/v2/push/confirm_consumed_lost_push_message", {"last_message_id": last}))
        return [], None
    return [], cursor


def lost(row: Mapping[str, Any]) -> list[Notice]:
    """A lost push stands whole in its `data`, as an object or as text."""
    told = row.get("data")
    try:
        return webhook.notices(json.loads(told) if isinstance(told, str) else told)
    except (Unreadable, ValueError):
        return []
