"""Bling's paths, paging and tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import Field

from adapters.bling import mapping, stock
from hub import oauth, parse
from hub.calls import chosen, number_of, within
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import Unreadable
from hub.model import Listing, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.paging import poll_of
from hub.wire import Wire

PRODUCTION = "https://api.bling.com.br/Api/v3"
HOME = "https://bling.com.br/Api/v3"  # consent and tokens; resources left the www address in April 2026
PAGE = 100
LATEST = 20
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=30)  # the search's clock has whole seconds; assumed to be the database's
JWT = {"enable-jwt": "1"}
FILTERS = ("1", "0", "2")  # positive (what is answered unless asked otherwise), zero, below zero


class Credentials(oauth.Application):
    """An application of developer.bling.com.br and the account's first refresh token."""

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
    last = oauth.refresh_with(credentials.refresh_token, token)
    return _token_request(credentials, ("grant_type", "refresh_token"), ("refresh_token", last))


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


async def _answer(api: Api, path: str, *params: tuple[str, str]) -> Wire:
    return Wire(json_of(await api.call(Request(method="GET", path=path, params=params))), "")


async def _one(api: Api, path: str) -> Wire:
    """What stands in `data`."""
    told = (await _answer(api, path)).part("data")
    if not told:
        raise Unreadable("data", "not told")
    return told


async def _rows(api: Api, path: str, *params: tuple[str, str]) -> list[Wire]:
    return (await _answer(api, path, *params)).needed_rows("data")


async def check(api: Api) -> Identity:
    """Whose account it is, its deposit, and the situations that it made of Bling's own."""
    company = await _one(api, "/empresas/me/dados-basicos")
    ref = company.needed_ref("id")
    facts = {"deposit": await _deposit(api), "situations": await _situations(api)}
    return Identity(external_id=ref, name=company.text("nome") or ref, facts=facts)


async def _deposit(api: Api) -> str:
    """The one that the seller chose, else the account's standard one."""
    rows = await _rows(api, "/depositos", ("limite", str(PAGE)), ("situacao", "1"))
    ids = [row.needed_ref("id") for row in rows]
    standard = [row.needed_ref("id") for row in rows if row.flag("padrao")]
    return chosen("deposit", api.credentials.deposit, ids, next(iter(standard), None))


async def _situations(api: Api) -> dict[str, int]:
    """Situations that the account made, by id, with the one of Bling's own each comes from."""
    modules = await _rows(api, "/situacoes/modulos")
    sales = next((row for row in modules if "Vendas" in (row.text("nome") or "")), None)
    rows = await _rows(api, f"/situacoes/modulos/{sales.needed_ref('id')}") if sales else []
    return {row.needed_ref("id"): parent for row in rows if (parent := row.units("idHerdado"))}


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order with the situation behind its own, its shop's channel, and its NF-e once there is one."""
    return await refetch_order(api, ref, frozenset())


async def refetch_order(api: Api, ref: str, have: frozenset[str]) -> Raw:
    """The same without the NF-e that we have: three calls a second are all there are."""
    told = (await _one(api, f"/pedidos/vendas/{number_of(ref)}")).raw
    box: dict[str, Raw] = {"data": told}
    if root := await _root(api, parse.ref(within(told, "situacao", "id"))):
        box["situacao_raiz"] = root
    if channel := api.credentials.channel_of(parse.ref(within(told, "loja", "id"))):
        box["canal"] = channel
    note = None if "billing" in have else parse.ref(within(told, "notaFiscal", "id"))
    if note:
        box["nfe"] = (await _one(api, f"/nfe/{number_of(note)}")).raw
    return box


async def _root(api: Api, situation: str | None) -> int | None:
    """What an account's own situation was made from: as learnt when it was connected, else asked for now."""
    if situation is None or situation in mapping.STAGES:
        return None
    known: int | None = api.facts.get("situations", {}).get(situation)
    return known or (await _one(api, f"/situacoes/{number_of(situation)}")).units("idHerdado")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders changed since, newest id first (assumed): the window has no end, so rows move on in it and never out."""
    at = poll_of(cursor, api.now(), LOOK_BACK)
    changed = at.since.astimezone(parse.SAO_PAULO).strftime("%Y-%m-%d %H:%M:%S")
    refs = await _orders(api, at.offset + 1, PAGE, ("dataAlteracaoInicial", changed))
    return at.page(refs, 1 if len(refs) == PAGE else 0, OVERLAP)


async def latest_orders(api: Api) -> Page:
    """The orders made last."""
    return Page(refs=tuple(await _orders(api, 1, LATEST)))


async def _orders(api: Api, page: int, size: int, *params: tuple[str, str]) -> list[str]:
    rows = await _rows(api, "/pedidos/vendas", ("pagina", str(page)), ("limite", str(size)), *params)
    return [row.needed_ref("id") for row in rows]


async def order_to_change(api: Api, news: ShipmentNews) -> Raw:
    """The order as it stands: a PUT replaces it whole."""
    return {"data": (await _one(api, f"/pedidos/vendas/{number_of(news.order_ref)}")).raw}


# ── Products and balances ───────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Active and inactive products, each with its balance."""
    page = int(cursor or 1)
    rows = await _products(api, ("pagina", str(page)))
    more = len(rows) == PAGE
    return Page(documents=tuple(await _with_balances(api, rows)), cursor=str(page + 1) if more else None, more=more)


async def _products(api: Api, *params: tuple[str, str]) -> list[Wire]:
    return await _rows(api, "/produtos", *params, ("limite", str(PAGE)), ("criterio", "5"))


async def _with_balances(api: Api, products: Sequence[Wire]) -> list[Raw]:
    """Products, those that are excluded left out, with what each has in its deposits."""
    sold = {row.needed_ref("id"): row.raw for row in products if row.text("situacao") != "E"}
    balances = await _balances(api, list(sold))
    deposit = api.facts.get("deposit")
    return [{"produto": row, "saldos": balances.get(ref), "deposito": deposit} for ref, row in sold.items()]


async def _balances(api: Api, ids: Sequence[str]) -> dict[str, Raw]:
    """Balances by product id: positive ones, and for the rest zero and below."""
    found: dict[str, Raw] = {}
    for sign in FILTERS:
        wanted = [("idsProdutos[]", each) for each in ids if each not in found]
        rows = await _rows(api, "/estoques/saldos", *wanted, ("filtroSaldoEstoque", sign)) if wanted else []
        found |= {row.needed_ref("produto.id"): row.raw for row in rows}
    return found


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its balance."""
    product = await _one(api, f"/produtos/{number_of(ref)}")
    balance = (await _balances(api, [ref])).get(ref)
    return {"produto": product.raw, "saldos": balance, "deposito": api.facts.get("deposit")}


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several products with their balances."""
    return await _with_balances(api, await _products(api, *(("idsProdutos[]", number_of(ref)) for ref in refs)))


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a product that has no balance any more."""
    balances = await _balances(api, list(dict.fromkeys(write.slot_ref for write in writes)))
    return [_seen(write, balances.get(write.slot_ref)) for write in writes]


def _seen(write: StockWrite, balance: Raw) -> Listing | None:
    product = {**(within(balance, "produto") or {}), "id": write.slot_ref}
    box = {"produto": product, "saldos": balance, "deposito": write.location_ref}
    return mapping.listings(box)[0] if balance else None
