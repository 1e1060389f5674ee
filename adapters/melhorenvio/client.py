"""Melhor Envio's paths: tokens, tracking by uuid, and a label's way from the cart to its PDF."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote as url_quote
from urllib.parse import urlencode

from pydantic import Field
from pypdf import PdfWriter

from adapters.melhorenvio import freight, mapping
from adapters.melhorenvio.freight import HOME
from hub import oauth, parse
from hub.answers import sentence_of
from hub.calls import get, get_if_there, if_there
from hub.contract import Api, Identity, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Parcel, Posting, Purchase, Raw, Reply, Request, Unsigned
from hub.wire import Wire, listed

PRODUCTION = "https://melhorenvio.com.br"
TRACKING_BATCH = 50  # assumed: the largest that it takes is not published
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
OVER = frozenset({"canceled", "cancelled", "expired"})
SKEW = timedelta(minutes=10)  # that its clock may be behind ours
NOT_GENERATED = "E-PRT-0011"  # asked to print before it is generated
SCOPES = (
    "users-read", "cart-read", "cart-write", "orders-read", "shipping-calculate", "shipping-checkout",
    "shipping-generate", "shipping-print", "shipping-tracking", "shipping-cancel",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Credentials(oauth.Application):
    """An application of Melhor Envio (Integrações, Área Dev.) and the account's first refresh token."""

    contact: str = Field(
        "suporte@balcao.example", title="E-mail para o suporte do Melhor Envio", pattern=r"^[^\s@()]+@[^\s@()]+$"
    )
    endpoint: str = Field(PRODUCTION, title="Endereço", description="Testes: https://sandbox.melhorenvio.com.br")

    def base_url(self) -> str:
        """The site's root: tokens and resources stand below it."""
        return self.endpoint.rstrip("/")


def sign(told: Unsigned) -> Request:
    """Nothing is signed; but without a User-Agent that names a person to write to, everything is refused."""
    always = {"Accept": "application/json", "User-Agent": f"Balcao ({told.credentials.contact})"}
    return replace(told.request, headers={**always, **told.shown, **told.request.headers})


# ── Tokens: access lives for 30 days, refresh for 45; each answer brings a new pair ─────────────────────────


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the account's owner grants access; the address to come back to must be the registered one, exactly."""
    asked = {
        "client_id": credentials.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
        "scope": " ".join(SCOPES),
    }
    return f"{credentials.base_url()}/oauth/authorize?{urlencode(asked, quote_via=url_quote)}"


def exchange(credentials: Credentials, code: str, redirect_uri: str, _verifier: str) -> Request:
    """Trades the code for the first pair of tokens."""
    return _grant(credentials, grant_type="authorization_code", redirect_uri=redirect_uri, code=code)


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token, first with the one of the credentials."""
    last = oauth.refresh_with(credentials.refresh_token, token)
    return _grant(credentials, grant_type="refresh_token", refresh_token=last)


def _grant(credentials: Credentials, **told: str) -> Request:
    app = {"client_id": credentials.client_id, "client_secret": credentials.client_secret.get_secret_value()}
    return Request(method="POST", path="/oauth/token", json={**told, **app}, authenticate=False, signed=True)


def read_token(reply: Reply, now: datetime) -> Token:
    """The pair of an answer; a refused refresh token is AUTH: the seller must connect again."""
    return oauth.token_of(reply, now, mapping.error_code)


async def check(api: Api) -> Identity:
    """Whose account it is; webhooks tell its number as `user_id`."""
    user = Wire(await get(api, HOME), "")
    ref = user.needed_ref("id")
    name = parse.joined(user.text("firstname"), user.text("lastname")) or user.text("email")
    return Identity(external_id=ref, name=name or f"Melhor Envio {ref}")


async def _post(api: Api, path: str, body: Raw, *accept: int, asks: bool = False) -> Reply:
    request = Request(method="POST", path=f"{HOME}{path}", json=body, asks=asks, accept=frozenset(accept))
    return await api.call(request)


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """Orders by uuid in one request (its answers may be an hour old); a code that is none is searched for alone."""
    refs = [code for code in dict.fromkeys(codes) if _UUID.fullmatch(code)]
    others = [code for code in dict.fromkeys(codes) if not _UUID.fullmatch(code)]
    found = [json_of(await _post(api, "/shipment/tracking", {"orders": refs}, asks=True))] if refs else []
    return [*found, *[await get(api, f"{HOME}/orders/search", None, q=code) for code in others]]


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]:
    """One document with a row for each service; a quote's refusal is an answer where services are named."""
    reply = await _post(api, "/shipment/calculate", freight.quote_body(parcel, services), *REFUSED, asks=True)
    told = json_of(reply)
    if reply.status in REFUSED and not services:
        code = mapping.error_code(reply) or str(reply.status)
        raise ChannelError(Fault.REJECTED, code, freight.refusal(Wire(told, ""))[:200], status=reply.status)
    return [told]


async def find(api: Api, posting: Posting, since: datetime) -> Purchase | None:
    """What stands under a posting's reference in the cart, or among the orders last made, and was not taken back.

    The first page of each is read: the newest stand first (assumed).
    """
    for path in ("/cart", "/orders"):
        for row in _rows(await get(api, f"{HOME}{path}")):
            made = row.instant("created_at", zone=parse.SAO_PAULO)
            late = made is None or made >= since - SKEW
            tags = [tag.text("tag") for tag in row.objects("tags")]
            if late and posting.reference in tags and _word(row) not in OVER:
                return freight.purchase_of(row)
    return None


def _rows(raw: Raw) -> list[Wire]:
    """The rows of a page, or of a list (both are told)."""
    page = raw.get("data", raw) if isinstance(raw, dict) else raw
    return [Wire(row, f"data.{n}") for n, row in enumerate(listed(page, "data"))]


async def settle(api: Api, purchase: Purchase) -> Purchase:
    """Pays what is in the cart from the account's balance, and has its label made. Done again it does no more.

    What is paid cannot be paid again: the cart's uuid is the order's.
    """
    order = await _order(api, purchase.ref)
    if _is_unpaid(order):
        reply = await _post(api, "/shipment/checkout", {"orders": [purchase.ref]}, *REFUSED)
        order = await _order(api, purchase.ref)
        if reply.status in REFUSED and _is_unpaid(order):  # else it says that it was paid meanwhile
            code = mapping.error_code(reply) or str(reply.status)
            raise ChannelError(Fault.REJECTED, code, sentence_of(reply)[:200], status=reply.status)
    if order and (over := _word(order)) in OVER:
        raise ChannelError(Fault.REJECTED, over, f"the label {purchase.ref} is {over}: buy another")
    if order is None or not (_is_generated(order) or _is_being_generated(order)):
        why = await _generate(api, purchase.ref)
        order = await _order(api, purchase.ref)
        if why and not (order and (_is_generated(order) or _is_being_generated(order))):
            await _take_back(api, purchase.ref, why)
    return freight.purchase_of(order) if order else purchase


async def _generate(api: Api, ref: str) -> str | None:
    """Has a label made; why it was not, also because it is made already. A 200 tells that too.

    Answers are `{uuid: {status, message}}`, `{uuid: sentence}` and `{error: sentence}`.
    """
    reply = await _post(api, "/shipment/generate", {"orders": [ref]}, HTTPStatus.OK, *REFUSED)
    answer = Wire(json_of(reply), "")
    told = answer.object(ref)
    if told.told("status") is False:
        return told.text("message") or "no reason is told"
    return sentence_of(reply) if reply.status in REFUSED or mapping.error_code(reply) else None


async def _take_back(api: Api, ref: str, why: str) -> None:
    """A label that was paid and cannot be made is cancelled, so that it may be bought again: what was paid comes back.

    TRANSIENT where it does not come back: then making it is tried again.
    """
    asked = replace(freight.cancellation(ref), accept=frozenset({HTTPStatus.OK, *REFUSED}))
    reply = await api.call(asked)
    if reply.status in REFUSED or mapping.error_code(reply):
        told = f"the label was paid, not made, and its price did not come back: {why}"
        raise ChannelError(Fault.TRANSIENT, "not_taken_back", told[:300])
    raise ChannelError(Fault.REJECTED, "not_generated", f"the label was not made, its price came back: {why}"[:300])


async def withdrawn(api: Api, ref: str) -> bool:
    """Whether a label is none any more. One that was never paid cannot be cancelled: it is taken out of the cart."""
    order = await _order(api, ref)
    if _is_unpaid(order):
        await if_there(api.call(Request(method="DELETE", path=f"{HOME}/cart/{_in_path(ref)}")))
        order = await _order(api, ref)
    return order is None or _is_unpaid(order) or _word(order) in OVER


async def _order(api: Api, ref: str) -> Wire | None:
    """An order as it stands now, fresher than its tracking; None while it is only in the cart (assumed)."""
    reply = await get_if_there(api, f"{HOME}/orders/{_in_path(ref)}")
    return Wire(json_of(reply), "") if reply else None


def _in_path(ref: str) -> str:
    return url_quote(ref, safe="")


def _word(order: Wire) -> str:
    return (order.text("status") or "").lower()


def _is_unpaid(order: Wire | None) -> bool:
    return order is None or _word(order) in ("", "created", "pending")


def _is_generated(order: Wire) -> bool:
    return bool(order.text("generated_at") or order.object("generated_key").text("finished_at"))


def _is_being_generated(order: Wire) -> bool:
    making = order.object("generated_key")
    return bool(making) and not making.text("failed_at")


async def ask_label(_api: Api, refs: Sequence[str]) -> str:
    """The receipt is the uuids themselves: a label is made when its purchase is settled."""
    return ",".join(refs)


async def label(api: Api, receipt: str) -> bytes | None:
    """The PDF of these labels, in their order; None while one is being made. REJECTED where making it failed."""
    pages = []
    for ref in receipt.split(","):
        page = await _page(api, ref)
        if page is None:
            return None
        pages.append(page)
    return pages[0] if len(pages) == 1 else _bound(pages)


async def _page(api: Api, ref: str) -> bytes | None:
    path = f"{HOME}/imprimir/pdf/{_in_path(ref)}"
    reply = await api.call(Request(method="GET", path=path, accept=frozenset(REFUSED)))
    if reply.status in REFUSED:
        await _must_be_coming(api, ref, reply)
        return None
    file = await api.call(Request(method="GET", path=_address(json_of(reply)), authenticate=False))
    if not file.body.startswith(b"%PDF"):
        raise Unreadable("body", "not a PDF")
    return file.body


def _address(told: Any) -> str:
    """Where a label's file lies (another host, which is shown no token): in a list, under `url`, or bare."""
    found = told.get("url") if isinstance(told, dict) else told[0] if isinstance(told, list) and told else told
    if not isinstance(found, str) or "://" not in found:
        raise Unreadable("url", "not told")
    return found


async def _must_be_coming(api: Api, ref: str, reply: Reply) -> None:
    """REJECTED unless a label that cannot be printed yet is being made."""
    code = mapping.error_code(reply) or str(reply.status)
    order = await _order(api, ref) if code == NOT_GENERATED else None
    if order and (_is_generated(order) or _is_being_generated(order)):
        return
    raise ChannelError(Fault.REJECTED, code, sentence_of(reply)[:200], status=reply.status)


def _bound(pages: Sequence[bytes]) -> bytes:
    """Several PDFs as one, in their order."""
    writer, bound = PdfWriter(), io.BytesIO()
    for page in pages:
        writer.append(io.BytesIO(page))
    writer.write(bound)
    return bound.getvalue()
