"""Bling's paths, paging and tokens."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from adapters.bling import mapping, stock
from hub import contract, oauth, parse
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Raw, Reply, Request, ShipmentNews, StockWrite

PRODUCTION = "https://api.bling.com.br/Api/v3"
HOME = "https://bling.com.br/Api/v3"  # consent and tokens; resources left the www address in April 2026
PAGE = 100
LATEST = 20
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=30)  # the search's clock has whole seconds; assumed to be the database's
JWT = {"enable-jwt": "1"}
FILTERS = ("1", "0", "2")  # positive (what is answered unless asked otherwise), zero, below zero


class Credentials(contract.Credentials):
    """An application of developer.bling.com.br and the account's first refresh token."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    deposit: str | None = Field(
        None, title="Depósito", pattern=r"^\d*$", description="Empty: the account's standard one."
    )
    shops: str | None = Field(
        None,
        title="Lojas",
        pattern=r"^\s*(\d+\s*=\s*[a-z]+\s*(,\s*\d+\s*=\s*[a-z]+\s*)*)?$",
        description="Which shop of Bling is which channel: 203040=mercadolivre, 203041=shopee.",
    )
    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root."""
        return self.endpoint.rstrip("/")

    def home(self) -> str:
        """Where consent is given and tokens are handed out."""
        return HOME if self.base_url() == PRODUCTION else self.base_url()

    def channel_of(self, shop: str | None) -> str | None:
        """The hub's channel behind a shop of Bling, as the seller told it."""
        pairs = (pair.partition("=") for pair in (self.shops or "").split(",") if "=" in pair)
        return {name.strip(): channel.strip() for name, _, channel in pairs}.get(shop or "")


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def _token_request(credentials: Credentials, *form: tuple[str, str]) -> Request:
    keys = oauth.basic(credentials.client_id, credentials.client_secret)
    path = f"{credentials.home()}/oauth/token"
    return Request(method="POST", path=path, form=form, headers={**keys, **JWT}, authenticate=False)


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token; it rotates, and lives for 30 days."""
    last = (token.refresh if token else None) or credentials.refresh_token
    if last is None:
        raise ChannelError(Fault.AUTH, "no_refresh_token", "the account must be connected")
    return _token_request(credentials, ("grant_type", "refresh_token"), ("refresh_token", last.get_secret_value()))


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code, which lives for one minute, for the first token."""
    return _token_request(credentials, ("grant_type", "authorization_code"), ("code", code))


def authorize(credentials: Credentials, _redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the account's owner grants access; the address to come back to stands in the application."""
    asked = {"response_type": "code", "client_id": credentials.client_id, "state": state}
    return f"{credentials.home()}/oauth/authorize?{urlencode(asked)}"


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; a used refresh token is AUTH."""
    return oauth.token_of(reply, now, stock.read_error)


def shown(token: Token) -> dict[str, str]:
    """The headers that show a token."""
    return {**oauth.bearer(token), **JWT}


async def _get(api: Api, path: str, *params: tuple[str, str]) -> Raw:
    told = json_of(await api.call(Request(method="GET", path=path, params=params)))
    if not isinstance(told, dict) or "data" not in told:
        raise Unreadable("data", "not told")
    return told["data"]


async def _rows(api: Api, path: str, *params: tuple[str, str]) -> list[dict[str, Any]]:
    rows = await _get(api, path, *params)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("data", "not a list of rows")
    return rows


async def check(api: Api) -> Identity:
    """Whose account it is, its deposit, and the situations that it made of Bling's own."""
    company = await _get(api, "/empresas/me/dados-basicos")
    ref = parse.ref(company.get("id")) if isinstance(company, dict) else None
    if ref is None:
        raise Unreadable("data.id", "the company's id is not told")
    deposits = await _rows(api, "/depositos", ("limite", str(PAGE)), ("situacao", "1"))
    facts = {"deposit": _deposit(api.credentials.deposit, deposits), "situations": await _situations(api)}
    return Identity(external_id=ref, name=parse.text(company.get("nome")) or ref, facts=facts)


def _deposit(wanted: str | None, deposits: Sequence[Mapping[str, Any]]) -> str:
    ids = [str(row.get("id")) for row in deposits]
    if wanted and wanted not in ids:
        raise ChannelError(
            Fault.REJECTED, "no_deposit", f"deposit: there is no active {wanted} (there are: {', '.join(ids)})"
        )
    standard = next((str(row["id"]) for row in deposits if row.get("padrao")), ids[0] if ids else None)
    if standard is None:
        raise ChannelError(Fault.REJECTED, "no_deposit", "this account has no active deposit")
    return wanted or standard


async def _situations(api: Api) -> dict[str, int]:
    """Situations that the account made, by id, with the one of Bling's own each comes from."""
    modules = await _rows(api, "/situacoes/modulos")
    sales = next((row for row in modules if "Vendas" in str(row.get("nome"))), None)
    if sales is None:
        return {}
    rows = await _rows(api, f"/situacoes/modulos/{sales.get('id')}")
    return {str(row["id"]): row["idHerdado"] for row in rows if row.get("idHerdado") and row.get("id")}


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order with the situation behind its own, its shop's channel, and its NF-e once there is one."""
    return await refetch_order(api, ref, frozenset())


async def refetch_order(api: Api, ref: str, have: frozenset[str]) -> Raw:
    """The same without the NF-e that we have: three calls a second are all there are."""
    told = await _get(api, f"/pedidos/vendas/{_number(ref)}")
    if not isinstance(told, dict):
        raise Unreadable("data", "not an order")
    box: dict[str, Raw] = {"data": told}
    situation = told.get("situacao")
    if isinstance(situation, dict) and (root := await _root(api, situation)):
        box["situacao_raiz"] = root
    shop = told.get("loja")
    if isinstance(shop, dict) and (channel := api.credentials.channel_of(parse.ref(shop.get("id")))):
        box["canal"] = channel
    note = told.get("notaFiscal")
    if "billing" not in have and isinstance(note, dict) and (key := parse.ref(note.get("id"))):
        box["nfe"] = await _get(api, f"/nfe/{_number(key)}")
    return box


async def _root(api: Api, situation: Mapping[str, Any]) -> int | None:
    """What an account's own situation was made from: as learnt when it was connected, else asked for now."""
    told = situation.get("id")
    if told in mapping.STAGES:
        return None
    known = api.facts.get("situations", {}).get(str(told))
    if known:
        return int(known)
    row = await _get(api, f"/situacoes/{_number(str(told))}")
    return row.get("idHerdado") or None if isinstance(row, dict) else None


def _number(ref: str) -> str:
    if not ref.isdecimal():
        raise ChannelError(Fault.MISSING, "no_number", f"Bling numbers everything; {ref[:40]!r} is no number")
    return ref


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Refs of orders changed since, newest id first (assumed: what comes meanwhile pushes rows on, never out).

    The window has no end, so an order that changes while pages are read stays in it.
    """
    now = api.now()
    told = json.loads(cursor) if cursor else {}
    since = datetime.fromisoformat(told["since"]) if told else now - LOOK_BACK
    page, began = told.get("page", 1), told.get("began") or now.isoformat()
    changed = since.astimezone(parse.SAO_PAULO).strftime("%Y-%m-%d %H:%M:%S")
    rows = await _rows(
        api, "/pedidos/vendas", ("pagina", str(page)), ("limite", str(PAGE)), ("dataAlteracaoInicial", changed)
    )
    refs = tuple(str(row["id"]) for row in rows if parse.ref(row.get("id")))
    if len(rows) == PAGE:
        onward = {"since": since.isoformat(), "page": page + 1, "began": began}
        return Page(refs=refs, cursor=json.dumps(onward), more=True)
    return Page(refs=refs, cursor=json.dumps({"since": (datetime.fromisoformat(began) - OVERLAP).isoformat()}))


async def latest_orders(api: Api) -> Page:
    """The orders made last."""
    rows = await _rows(api, "/pedidos/vendas", ("pagina", "1"), ("limite", str(LATEST)))
    return Page(refs=tuple(str(row["id"]) for row in rows if parse.ref(row.get("id"))))


async def order_to_change(api: Api, news: ShipmentNews) -> Raw:
    """The order as it stands: a PUT replaces it whole."""
    return {"data": await _get(api, f"/pedidos/vendas/{_number(news.order_ref)}")}


# ── Products and balances ───────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Active and inactive products, each with its balance. Excluded ones are gone."""
    page = int(cursor or 1)
    rows = await _rows(api, "/produtos", ("pagina", str(page)), ("limite", str(PAGE)), ("criterio", "5"))
    sold = [row for row in rows if row.get("situacao") != "E"]
    more = len(rows) == PAGE
    return Page(documents=tuple(await _with_balances(api, sold)), cursor=str(page + 1) if more else None, more=more)


async def _with_balances(api: Api, products: Sequence[Mapping[str, Any]]) -> list[Raw]:
    balances = await _balances(api, [str(row["id"]) for row in products])
    deposit = api.facts.get("deposit")
    return [{"produto": row, "saldos": balances.get(str(row["id"])), "deposito": deposit} for row in products]


async def _balances(api: Api, ids: Sequence[str]) -> dict[str, Raw]:
    """Balances by product id: positive ones, and for the rest zero and below."""
    found: dict[str, Raw] = {}
    for sign in FILTERS:
        left = [each for each in ids if each not in found]
        if not left:
            break
        wanted = [("idsProdutos[]", each) for each in left]
        for row in await _rows(api, "/estoques/saldos", *wanted, ("filtroSaldoEstoque", sign)):
            found[str((row.get("produto") or {}).get("id"))] = row
    return found


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its balance."""
    product = await _get(api, f"/produtos/{_number(ref)}")
    (row,) = await _with_balances(api, [product])
    return row


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several products with their balances."""
    wanted = [("idsProdutos[]", _number(ref)) for ref in refs]
    rows = await _rows(api, "/produtos", ("limite", str(PAGE)), ("criterio", "5"), *wanted)
    return await _with_balances(api, [row for row in rows if row.get("situacao") != "E"])


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a product that has no balance any more."""
    balances = await _balances(api, list(dict.fromkeys(write.slot_ref for write in writes)))
    return [_seen(write, balances.get(write.slot_ref)) for write in writes]


def _seen(write: StockWrite, balance: Raw) -> Listing | None:
    if balance is None:
        return None
    product = {**(balance.get("produto") or {}), "id": write.slot_ref}
    return mapping.listings({"produto": product, "saldos": balance, "deposito": write.location_ref})[0]
