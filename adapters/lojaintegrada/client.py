"""Loja Integrada's paths, paging and registration. No meaning."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field, SecretStr, model_validator

from adapters.lojaintegrada import mapping
from adapters.lojaintegrada.stock import API
from hub import contract, parse
from hub.calls import batches, get, if_there, number_of
from hub.contract import Api, Identity, Page, json_of
from hub.faults import Fault
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite
from hub.paging import poll_of
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


async def _rows(api: Api, path: str, **params: str) -> list[Wire]:
    return Wire(await get(api, API + path, **params), "").needed_rows("objects")


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
    return await get(api, f"{API}/pedido/{number_of(ref)}")


async def order_there(api: Api, news: ShipmentNews) -> Raw:
    """The order with its parcels' numbers."""
    return await fetch_order(api, news.order_ref)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Numbers of orders changed since; pages overlap, for their order is not documented and rows move."""
    at = poll_of(cursor, api.now(), LOOK_BACK)
    refs = await _numbers(api, since_atualizado=_local(at.since), offset=str(at.offset))
    return at.page(refs, PAGE - AGAIN if len(refs) == PAGE else 0, OVERLAP)


async def latest_orders(api: Api) -> Page:
    """The orders made within the last hour; which comes first is not documented."""
    return Page(refs=tuple(await _numbers(api, since_criado=_local(api.now() - timedelta(hours=1)))))


async def _numbers(api: Api, **params: str) -> list[str]:
    rows = await _rows(api, "/pedido/search/", limit=str(PAGE), **params)
    return [row.needed_ref("numero") for row in rows]


def _local(at: datetime) -> str:
    return at.astimezone(parse.SAO_PAULO).strftime("%Y-%m-%dT%H:%M:%S")


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products by page, each with its stock."""
    offset = int(cursor or 0)
    rows = await _rows(api, "/produto", limit=str(PAGE), offset=str(offset), removido="false")
    sold = {row.needed_ref("id"): row.raw for row in rows if row.text("tipo") != mapping.PARENT}
    stock = await _balances(api, list(sold))
    told = tuple({"produto": row, "estoque": stock.get(ref)} for ref, row in sold.items())
    more = len(rows) == PAGE
    return Page(documents=told, cursor=str(offset + PAGE) if more else None, more=more)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its stock."""
    product = await get(api, f"{API}/produto/{number_of(ref)}")
    return {"produto": product, "estoque": await get(api, f"{API}/produto_estoque/{ref}")}


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
        for row in await _set(api, some) if len(some) > 1 else ():
            if ref := mapping.product_ref(row):
                found[ref] = row.raw
        for each in some:
            if each not in found and (told := await if_there(get(api, f"{API}/produto_estoque/{number_of(each)}"))):
                found[each] = told
    return found


async def _set(api: Api, ids: Sequence[str]) -> list[Wire]:
    together = _rows(api, f"/produto_estoque/set/{';'.join(ids)}")
    return await if_there(together, Fault.MISSING, Fault.REJECTED, Fault.SHAPE) or []
