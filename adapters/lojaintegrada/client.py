"""Loja Integrada's paths, paging and registration. No meaning."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr, model_validator

from adapters.lojaintegrada import mapping
from adapters.lojaintegrada.stock import API
from hub import contract, parse
from hub.calls import batches, number_of
from hub.contract import Api, Identity, Page, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite
from hub.wire import Wire

PRODUCTION = "https://api.awsli.com.br"
PAGE = 50
AGAIN = 10  # rows read again on the next page: orders that change meanwhile move, and the search's order is not told
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=60)
SET = 20  # balances asked for at once, by an address that only the older documentation has


class Credentials(contract.Credentials):
    """Either a personal token (made in the panel, good for three months), or the store's key and an application's."""

    personal_token: SecretStr | None = Field(None, title="Token pessoal")
    store_key: SecretStr | None = Field(None, title="Chave de API da loja")
    app_key: SecretStr | None = Field(None, title="Chave da aplicação")
    endpoint: str = PRODUCTION

    @model_validator(mode="after")
    def _one_way(self) -> "Credentials":
        pair = self.store_key is not None and self.app_key is not None
        if (self.personal_token is not None) == pair:
            raise ValueError("give either personal_token, or both store_key and app_key")
        return self

    def base_url(self) -> str:
        """The API's root, above its versions."""
        return self.endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """Neither form is standard: the personal token is not base64."""
        if self.personal_token is not None:
            return {"Authorization": f"Basic {self.personal_token.get_secret_value().strip()}"}
        if self.store_key is None or self.app_key is None:
            return {}
        keys = self.store_key.get_secret_value().strip(), self.app_key.get_secret_value().strip()
        return {"Authorization": f"chave_api {keys[0]} aplicacao {keys[1]}"}


async def _get(api: Api, path: str, **params: str) -> dict[str, Any]:
    told = json_of(await api.call(Request(method="GET", path=API + path, params=tuple(params.items()))))
    if not isinstance(told, dict):
        raise Unreadable("body", "not an object")
    return told


async def _rows(api: Api, path: str, **params: str) -> list[dict[str, Any]]:
    rows = (await _get(api, path, **params)).get("objects")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("objects", "not a list of rows")
    return rows


async def check(api: Api) -> Identity:
    """Prove that the key may read. No document names the store itself: its key's fingerprint stands for it."""
    await _rows(api, "/situacao", limit="1")
    await _rows(api, "/pedido/search/", limit="1")
    shown = str(api.credentials.headers()["Authorization"])
    return Identity(external_id=parse.digest(shown.encode()), name="Loja Integrada")


async def subscribe(api: Api, url: str, secret: str) -> list[str]:
    """Registers both webhooks: they cannot be listed, but the answer counts what it changed (0 when all was right)."""
    done = []
    for topic in ("pedido", "produto"):
        request = Request(method="PUT", path=f"/webhooks/v1/{topic}", json={"notifyUrl": url, "token": secret})
        told = json_of(await api.call(request))
        if not str(told.get("message") if isinstance(told, dict) else "").endswith(" 0"):  # that it counts so: assumed
            done.append(f"{topic}: registered")
    return done


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order."""
    return await _get(api, f"/pedido/{number_of(ref)}")


async def order_there(api: Api, news: ShipmentNews) -> Raw:
    """The order with its parcels' numbers."""
    return await fetch_order(api, news.order_ref)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Numbers of orders changed since; pages overlap, for their order is not documented and rows move."""
    now = api.now()
    told = json.loads(cursor) if cursor else {}
    since = datetime.fromisoformat(told["since"]) if told else now - LOOK_BACK
    offset, began = told.get("offset", 0), told.get("began") or now.isoformat()
    wanted = since.astimezone(parse.SAO_PAULO).strftime("%Y-%m-%dT%H:%M:%S")
    rows = await _rows(api, "/pedido/search/", since_atualizado=wanted, limit=str(PAGE), offset=str(offset))
    if len(rows) == PAGE:
        onward = {"since": since.isoformat(), "offset": offset + PAGE - AGAIN, "began": began}
        return Page(refs=_numbers(rows), cursor=json.dumps(onward), more=True)
    rest = {"since": (datetime.fromisoformat(began) - OVERLAP).isoformat()}
    return Page(refs=_numbers(rows), cursor=json.dumps(rest))


async def latest_orders(api: Api) -> Page:
    """The orders made within the last hour; which comes first is not documented."""
    since = (api.now() - timedelta(hours=1)).astimezone(parse.SAO_PAULO).strftime("%Y-%m-%dT%H:%M:%S")
    return Page(refs=_numbers(await _rows(api, "/pedido/search/", since_criado=since, limit=str(PAGE))))


def _numbers(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(ref for ref in (parse.ref(row.get("numero")) for row in rows) if ref)


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products by page, each with its stock."""
    offset = int(cursor or 0)
    rows = await _rows(api, "/produto", limit=str(PAGE), offset=str(offset), removido="false")
    sold = [row for row in rows if row.get("tipo") != mapping.PARENT]
    stock = await _balances(api, [str(row["id"]) for row in sold])
    told = tuple({"produto": row, "estoque": stock.get(str(row["id"]))} for row in sold)
    more = len(rows) == PAGE
    return Page(documents=told, cursor=str(offset + PAGE) if more else None, more=more)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its stock."""
    product = await _get(api, f"/produto/{number_of(ref)}")
    return {"produto": product, "estoque": await _get(api, f"/produto_estoque/{ref}")}


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a product that is gone."""
    stock = await _balances(api, [write.slot_ref for write in writes])
    return [_seen(write, stock.get(write.slot_ref)) for write in writes]


def _seen(write: StockWrite, stock: Raw) -> Listing | None:
    return mapping.listings({"produto": {"id": write.slot_ref}, "estoque": stock})[0] if stock else None


async def _balances(api: Api, ids: Sequence[str]) -> dict[str, Raw]:
    """Stock by product: several at once where that address still exists, else one by one."""
    found: dict[str, Raw] = {}
    for some in batches(ids, SET):
        rows = await _set(api, some) if len(some) > 1 else None
        for row in rows or ():
            if ref := mapping.product_ref(Wire(row, "objects")):
                found[ref] = row
        for each in some:
            if each not in found and (row := await _one(api, each)):
                found[each] = row
    return found


async def _set(api: Api, ids: Sequence[str]) -> list[dict[str, Any]] | None:
    try:
        return await _rows(api, f"/produto_estoque/set/{';'.join(ids)}")
    except ChannelError as problem:
        if problem.fault not in (Fault.MISSING, Fault.REJECTED, Fault.SHAPE):
            raise
        return None


async def _one(api: Api, ref: str) -> Raw:
    try:
        return await _get(api, f"/produto_estoque/{number_of(ref)}")
    except ChannelError as gone:
        if gone.fault is not Fault.MISSING:
            raise
        return None
