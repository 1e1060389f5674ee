"""A Loja Integrada store in memory: it reserves what is sold, and tells orders in two shapes."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hub.parse import SAO_PAULO
from hub.sandbox import Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Line, Sale, Store, utc_now

STORE_KEY, APP_KEY = "5e2d1a90c0ffee5e2d1a", "0b0e0d5a-3c7e-4c1b-9f3a-5d1f0c9b7a11"
PERSONAL_TOKEN = "lipt-6f2c9d"
CODES = {
    "placed": "aguardando_pagamento", "paid": "pedido_pago", "dispatched": "pedido_enviado",
    "delivered": "pedido_entregue", "returned": "pagamento_devolvido", "cancelled": "pedido_cancelado",
}  # fmt: skip
NUMBERS = {
    "aguardando_pagamento": 2, "pedido_pago": 4, "pagamento_devolvido": 7, "pedido_cancelado": 8, "pedido_enviado": 11,
    "pedido_entregue": 14, "pedido_em_separacao": 15,
}  # fmt: skip
RETRIES = (1.0, 4.0)


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, **({"code": code} if code else {})}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        request.app[STORE].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed, LookupError):
        return web.json_response({"message": "Recurso não encontrado"}, status=404)
    except (ValueError, TypeError) as problem:
        return web.json_response({"message": f"Erro de integridade: {problem}"}, status=400)


def naive(at: datetime) -> str:
    """A time of Brasília without an offset."""
    return at.astimezone(SAO_PAULO).replace(tzinfo=None).isoformat(timespec="microseconds")


def money(cents: int) -> str:
    """Centavos as the API tells them."""
    return f"{cents / 100:.2f}"


class Loja(Store):
    """The store. `personal` is which of the two ways its seller authenticates."""

    physical = True

    def __init__(
        self,
        products: Sequence[Product],
        seed: int,
        *,
        personal: bool,
        sets: bool,
        rate: int,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.personal, self.sets, self.rate = personal, sets, rate
        self.key = f"{STORE_KEY[:-2]}{seed:02d}"
        self.called: deque[float] = deque()
        self.hooks: dict[str, tuple[str, str]] = {}
        self.settings: dict[int, tuple[int, int]] = {}  # of an item: days to deliver with stock, without
        self.app[STORE] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """A personal token, or the pair of keys."""
        self.base = base_url.rstrip("/")
        keys = {"personal_token": f"{PERSONAL_TOKEN}{self.key[-2:]}"} if self.personal else {
            "store_key": self.key, "app_key": APP_KEY,
        }  # fmt: skip
        return {**keys, "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        return str(sale.extra.get("code") or CODES[sale.stage])

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also relay {lines, marketplace, ref}: an order that a hub puts in; situate {order_ref, code}."""
        if verb == "relay":
            sale = self.buy(wanted["lines"], pay=False)
            sale.extra["marketplace"] = (str(wanted["marketplace"]), str(wanted["ref"]))
            self.pay(sale)
            return {"order_ref": self.ref(sale)}
        if verb == "situate":
            sale = self.sale_of(wanted["order_ref"])
            self.situate(sale, str(wanted["code"]))
            return {"order_ref": self.ref(sale)}
        return super().extra_act(verb, wanted)

    def situate(self, sale: Sale, code: str) -> None:
        """A situation set by hand or by the API: nothing keeps it from any other."""
        sale.extra["code"] = code
        step = {"pedido_enviado": self.dispatch, "pedido_entregue": self.deliver, "pedido_cancelado": self.cancel}.get(
            code
        )
        if step is None or self.word(sale) == CODES[sale.stage]:
            self._changed(sale, "changed")
        else:
            step(sale)

    def sale_changed(self, sale: Sale, event: str) -> None:
        if event != "changed":
            sale.extra.pop("code", None)
        self._tell("pedido", {"token": "x", "tipo": "pedido_venda", **self._told(sale)})

    def item_changed(self, item: Item) -> None:
        self._tell("produto", [self._product(item)])

    def _tell(self, topic: str, body: Any) -> None:
        if topic in self.hooks:
            url, token = self.hooks[topic]
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            self.courier.send(Delivery(url, headers, json.dumps(body).encode(), timeout=10, retries=RETRIES))

    def admit(self, request: web.Request) -> None:
        """A key of one of the two forms, and so many calls a minute."""
        shown = {f"chave_api {self.key} aplicacao {APP_KEY}", f"Basic {PERSONAL_TOKEN}{self.key[-2:]}"}
        if request.headers.get("Authorization", "") not in shown:
            raise Refusal(401, "Autenticação inválida")
        at = time.monotonic()
        while self.called and at - self.called[0] >= 60:
            self.called.popleft()
        if self.rate and len(self.called) >= self.rate:
            raise Refusal(429, "Limite de requisições atingido", 633)
        self.called.append(at)

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _situation(self, sale: Sale) -> dict[str, Any]:
        code = self.word(sale)
        return {
            "id": NUMBERS.get(code, 0), "codigo": code, "aprovado": sale.paid is not None,
            "cancelado": sale.stage == "cancelled", "final": sale.stage in ("cancelled", "delivered"),
        }  # fmt: skip

    def _row(self, sale: Sale) -> dict[str, Any]:
        """As the search shows it: without its lines."""
        return {
            "numero": sale.id, "data_criacao": naive(sale.created), "data_modificacao": naive(sale.changed),
            "situacao": self._situation(sale), "valor_total": money(sale.total_cents),
        }  # fmt: skip

    def _person(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        place = {
            "tipo": "PF", "nome": who.name, "cpf": who.cpf, "cnpj": None, "ie": "isento", "endereco": who.street,
            "numero": who.number, "complemento": who.complement or None, "bairro": who.district, "cidade": who.city,
            "estado": who.state, "cep": who.postal_code, "pais": "Brasil",
        }  # fmt: skip
        person = {
            "id": 900 + len(who.name), "nome": who.name, "email": who.email, "telefone_celular": who.phone,
            "cpf": who.cpf, "cnpj": None,
        }  # fmt: skip
        name, ref = sale.extra.get("marketplace", (None, None))
        born = {"marketplace_info": {"integrador": "hub", "marketplace": name, "id_externo_unico": ref}} if name else {}
        return {"cliente": person, "endereco_entrega": place, **born}

    def _whole(self, sale: Sale) -> dict[str, Any]:
        """As the API tells it: text, addresses for numbers."""

        def line(n: int, line: Line) -> dict[str, Any]:
            uri = f"/api/v1/produto/{line.item.id}"
            return {
                "id": line.id, "linha": n, "sku": line.item.sku, "nome": line.item.title,
                "quantidade": f"{line.quantity}.000", "preco_venda": f"{line.cents / 100:.4f}",
                "preco_subtotal": f"{line.cents * line.quantity / 100:.4f}",
                "produto": {"id_externo": None, "resource_uri": uri}, "tipo": "normal",
            }  # fmt: skip

        return {
            **self._row(sale), **self._person(sale),
            "itens": [line(n, each) for n, each in enumerate(sale.lines, start=1)],
            "envios": [{"id": sale.id + 1, "objeto": sale.tracking, "valor": money(SHIPPING_CENTS),
                        "forma_envio": {"code": "PAC", "id": 1, "nome": "Correios", "tipo": "PAC "}}],
            "valor_desconto": "0.00", "valor_envio": money(SHIPPING_CENTS), "valor_subtotal": money(sale.items_cents),
        }  # fmt: skip

    def _told(self, sale: Sale) -> dict[str, Any]:
        """As the webhook tells it: numbers, times with an offset."""
        whole = self._whole(sale)
        for n, line in enumerate(sale.lines):
            whole["itens"][n] |= {
                "produto_id": line.item.id, "quantidade": line.quantity,
                "preco_subtotal": line.cents * line.quantity / 100,
            }  # fmt: skip
            del whole["itens"][n]["produto"]
        for key in ("valor_desconto", "valor_envio", "valor_subtotal", "valor_total"):
            whole[key] = float(whole[key])
        times = {"data_criacao": sale.created, "data_modificacao": sale.changed}
        told = {key: at.astimezone(UTC).isoformat().replace("+00:00", "Z") for key, at in times.items()}
        return {**whole, **told, "id": 900_000 + sale.id}

    def _product(self, item: Item) -> dict[str, Any]:
        return {
            "id": item.id, "sku": item.sku, "nome": " ".join(filter(None, (item.family, item.title))),
            "ativo": item.live, "removido": False, "tipo": "atributo_opcao" if item.parent else "normal",
            "pai": f"/api/v1/produto/{item.parent}" if item.parent else None, "gtin": item.gtin,
        }  # fmt: skip

    def _stock(self, item: Item) -> dict[str, Any]:
        days = self.settings.get(item.id, (0, -1))
        return {
            "id": item.id + 100_000, "produto": f"/api/v1/produto/{item.id}", "gerenciado": True,
            "quantidade": item.units, "quantidade_reservada": item.reserved,
            "quantidade_disponivel": item.units - item.reserved,
            "situacao_em_estoque": days[0], "situacao_sem_estoque": days[1],
        }  # fmt: skip

    # ── Routes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, request: web.Request, rows: Sequence[Any], size: int = 50) -> web.Response:
        limit, offset = int(request.query.get("limit", 20)), int(request.query.get("offset", 0))
        if not 1 <= limit <= size:
            raise Refusal(400, "limit inválido")
        meta: dict[str, Any] = {
            "limit": limit,
            "offset": offset,
            "total_count": len(rows),
            "previous": None,
            "next": None,
        }
        if offset + limit < len(rows):
            meta["next"] = f"/api/v1{request.path.removeprefix('/v1')}?limit={limit}&offset={offset + limit}"
        return web.json_response({"meta": meta, "objects": list(rows[offset : offset + limit])})

    async def search(self, request: web.Request) -> web.Response:
        def bound(name: str) -> datetime | None:
            told = request.query.get(name)
            return datetime.fromisoformat(told).replace(tzinfo=SAO_PAULO) if told else None

        made = bound("since_criado")
        rows = [sale for sale in self.changed_since(bound("since_atualizado")) if made is None or sale.created >= made]
        return self._page(request, [self._row(sale) for sale in rows])

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._whole(self.sale_of(request.match_info["id"])))

    async def put_parcel(self, request: web.Request) -> web.Response:
        sale = self.sale_of(int(request.match_info["id"]) - 1)
        sale.tracking = str((await request.json())["objeto"])
        self._changed(sale, "changed")
        return web.json_response({"id": sale.id + 1, "objeto": sale.tracking})

    async def put_situation(self, request: web.Request) -> web.Response:
        sale, code = self.sale_of(request.match_info["id"]), str((await request.json())["codigo"])
        self.situate(sale, code)
        return web.json_response(self._situation(sale), status=202)

    async def list_situations(self, request: web.Request) -> web.Response:
        return self._page(request, [{"id": number, "codigo": code} for code, number in NUMBERS.items()])

    async def list_products(self, request: web.Request) -> web.Response:
        return self._page(request, [self._product(item) for item in self.items.values()])

    def _item(self, told: str) -> Item:
        return self.items[int(told)]

    async def get_product(self, request: web.Request) -> web.Response:
        return web.json_response(self._product(self._item(request.match_info["id"])))

    async def get_stock(self, request: web.Request) -> web.Response:
        return web.json_response(self._stock(self._item(request.match_info["id"])))

    async def get_set(self, request: web.Request) -> web.Response:
        if not self.sets:
            raise Refusal(404, "Recurso não encontrado")
        ids = [int(each) for each in request.match_info["ids"].split(";")]
        return web.json_response({"objects": [self._stock(self.items[each]) for each in ids if each in self.items]})

    async def put_stock(self, request: web.Request) -> web.Response:
        item, told = self._item(request.match_info["id"]), await request.json()
        self.settings[item.id] = (int(told.get("situacao_em_estoque", 0)), int(told.get("situacao_sem_estoque", 0)))
        self.set_units(item, int(told["quantidade"]))
        return web.json_response(self._stock(item))

    async def put_hook(self, request: web.Request) -> web.Response:
        told = await request.json()
        topic, hook = request.match_info["topic"], (str(told["notifyUrl"]), str(told["token"]))
        changed, self.hooks[topic] = self.hooks.get(topic) != hook, hook
        return web.json_response({"message": f"Registros afetados: {changed:d}"})

    def _route(self) -> None:
        router = self.app.router
        router.add_get("/v1/pedido/search/", self.search)
        router.add_get(r"/v1/pedido/{id:\d+}", self.get_order)
        router.add_put(r"/v1/pedido_envio/{id:\d+}", self.put_parcel)
        router.add_put(r"/v1/situacao/pedido/{id:\d+}", self.put_situation)
        router.add_get("/v1/situacao", self.list_situations)
        router.add_get("/v1/produto", self.list_products)
        router.add_get(r"/v1/produto/{id:\d+}", self.get_product)
        router.add_get(r"/v1/produto_estoque/{id:\d+}", self.get_stock)
        router.add_put(r"/v1/produto_estoque/{id:\d+}", self.put_stock)
        router.add_get(r"/v1/produto_estoque/set/{ids}", self.get_set)
        router.add_put("/webhooks/v1/{topic:pedido|produto}", self.put_hook)


STORE: web.AppKey[Loja] = web.AppKey("store", Loja)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    personal: bool = False,
    sets: bool = False,
    rate: int = 0,
    now: Callable[[], datetime] = utc_now,
) -> Loja:
    """A store that sells `products`.

    `personal`: its seller has a personal token, not a pair of keys; `sets`: it still answers for several products at
    once; `rate`: calls in any minute (a real one takes 100; 0: as many as there come).
    """
    return Loja(products, seed, personal=personal, sets=sets, rate=rate, now=now)
