"""A Bling account in memory: one deposit that is sold from, orders that reserve, balances that are set."""

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hub.parse import SAO_PAULO
from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Sale, Store, page_of, utc_now

CLIENT_ID, CLIENT_SECRET = "balcao-bling", "b1" * 20
COMPANY = "d4475854366a36c86a37e792f9634a51"
DEPOSIT, OTHER_DEPOSIT = 7001, 7002
SALES_MODULE, OWN_SITUATION = 98310, 447790
SITUATIONS = {"placed": 21, "paid": 6, "dispatched": 9, "delivered": 9, "returned": 9, "cancelled": 12}
VALUES = {6: 0, 9: 1, 12: 2, 15: 3, 21: 10, OWN_SITUATION: 3}
STAGES = {6: "paid", 9: "dispatched", 15: "paid", OWN_SITUATION: "paid"}
RETRIES = (1.0, 4.0)  # a vendor's hours, in a demo's seconds
TOKEN_SECONDS = 21_600


class Refusal(Exception):
    """An error in Bling's own shape."""

    def __init__(self, status: int, type_: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": {"type": type_, "message": message, "description": message, **more}}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    account: Bling = request.app[ACCOUNT]
    try:
        account.admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        gone = Refusal(404, "RESOURCE_NOT_FOUND", "O recurso requisitado não foi encontrado.")
        return web.json_response(gone.body, status=404)
    except (ValueError, KeyError, TypeError) as problem:
        return web.json_response(Refusal(400, "VALIDATION_ERROR", f"Campo inválido: {problem}").body, status=400)


def local(at: datetime) -> str:
    """A time as Bling tells it: of São Paulo, without an offset."""
    return f"{at.astimezone(SAO_PAULO):%Y-%m-%d %H:%M:%S}"


def money(cents: int) -> float:
    """Centavos as a JSON number."""
    return cents / 100


class Bling(Store):
    """The account. Orders reserve while they are open; attending one takes its units from the deposit."""

    physical = True
    takes_unpaid = False

    def __init__(
        self, products: Sequence[Product], seed: int, *, rate: int, shop: str | None, now: Callable[[], datetime]
    ) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.rate, self.shop = rate, shop
        self.refresh_token = f"refresh-{seed}-0"
        self.tokens: set[str] = set()
        self.consents = Consents()
        self.renewals = 0
        self.called: deque[float] = deque()
        self.hook = ""
        self.app[ACCOUNT] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application and the first refresh token."""
        self.base = base_url.rstrip("/")
        told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": self.refresh_token}
        return {**told, "endpoint": self.base, **({"shops": f"{SHOP}={self.shop}"} if self.shop else {})}

    def word(self, sale: Sale) -> str:
        return str(self.situation(sale))

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also callback {url}; relay {lines, number}: an order of the shop; situate {order_ref, situation}."""
        if verb == "callback":
            self.hook = str(wanted["url"])
            return {"url": self.hook}
        if verb == "relay":
            sale = self.buy(wanted["lines"], pay=False)
            sale.extra["number"] = str(wanted["number"])
            self.pay(sale)
            return {"order_ref": self.ref(sale)}
        if verb == "situate":
            sale = self.sale_of(wanted["order_ref"])
            self.situate(sale, int(wanted["situation"]))
            return {"order_ref": self.ref(sale)}
        return super().extra_act(verb, wanted)

    def situation(self, sale: Sale) -> int:
        """The situation's id."""
        return int(sale.extra.get("situation") or SITUATIONS[sale.stage])

    def situate(self, sale: Sale, situation: int) -> None:
        """Move an order to a situation, with what that does to the stock."""
        if situation not in VALUES:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "Situação não encontrada.")
        sale.extra["situation"] = situation
        if situation == SITUATIONS["dispatched"] and sale.stage == "paid":
            self.dispatch(sale)
        elif situation == SITUATIONS["cancelled"] and sale.stage in ("placed", "paid"):
            self.cancel(sale)
        else:
            self._changed(sale, "changed")

    def sale_changed(self, sale: Sale, event: str) -> None:
        if event in ("paid", "cancelled", "dispatched"):
            sale.extra.pop("situation", None)
        told = {"id": sale.id, "numero": self.number(sale), "situacao": {"id": self.situation(sale)}}
        self._tell("order.created" if event == "created" else "order.updated", told)

    def item_changed(self, item: Item) -> None:
        self._tell("virtual_stock.updated", {**self._balance(item), "vinculoComplexo": False})

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        if not self.hook:
            return
        told = {
            "eventId": f"{self.new_id():08x}-150e-72b4-e7cf-{self.chance.randrange(16**12):012x}",
            "date": f"{self.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "version": "v1",
            "event": event,
            "companyId": COMPANY,
            "data": data,
        }
        body = json.dumps(told, separators=(",", ":")).encode()
        signature = hmac.digest(CLIENT_SECRET.encode(), body, hashlib.sha256).hex()
        headers = {"Content-Type": "application/json", "X-Bling-Signature-256": f"sha256={signature}"}
        self.courier.send(Delivery(self.hook, headers, body, timeout=5, retries=RETRIES))

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request) -> None:
        """So many calls in any second, whatever they ask, and none without a token."""
        at = time.monotonic()
        while self.called and at - self.called[0] >= 1:
            self.called.popleft()
        if self.rate and len(self.called) >= self.rate:
            message = "O limite de requisições por segundo foi atingido, tente novamente mais tarde."
            raise Refusal(429, "TOO_MANY_REQUESTS", message, limit=self.rate, period="second")
        self.called.append(at)
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not request.path.startswith("/oauth/") and shown not in self.tokens:
            raise Refusal(401, "invalid_token", "The access token provided is invalid")

    async def consent(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("client_id") != CLIENT_ID or request.query.get("response_type") != "code":
            raise Refusal(400, "invalid_client", "The client id supplied is invalid")
        raise web.HTTPFound(self.consents.answer(request.query["state"]))

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if request.headers.get("Authorization") != web_basic():
            return web.json_response({"error": "invalid_client"}, status=401)
        renews = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == self.refresh_token
        traded = form.get("grant_type") == "authorization_code" and self.consents.take(form.get("code"))
        if not (renews or traded):
            told = {"error": "invalid_grant", "error_description": "Invalid refresh token"}
            return web.json_response(told, status=400)
        self.renewals += 1
        seed = self.refresh_token.split("-")[1]
        self.refresh_token, access = f"refresh-{seed}-{self.renewals}", f"access-{seed}-{self.renewals}"
        self.tokens.add(access)
        kept = {"refresh_token": self.refresh_token, "expires_in": TOKEN_SECONDS}
        return web.json_response({"access_token": access, "token_type": "Bearer", "scope": "98309", **kept})

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def number(self, sale: Sale) -> int:
        """What people call it."""
        return sale.id % 10_000

    def _head(self, sale: Sale) -> dict[str, Any]:
        situation, day = self.situation(sale), local(sale.created)[:10]
        return {
            "id": sale.id,
            "numero": self.number(sale),
            "numeroLoja": sale.extra.get("number", ""),
            "data": day,
            "dataSaida": day,
            "dataPrevista": day,
            "totalProdutos": money(sale.items_cents),
            "total": money(sale.total_cents),
            "contato": {
                "id": 500 + len(sale.buyer.name), "nome": sale.buyer.name, "tipoPessoa": "F",
                "numeroDocumento": sale.buyer.cpf,
            },
            "situacao": {"id": situation, "valor": VALUES[situation]},
            "loja": {"id": SHOP if sale.extra.get("number") else 0},
        }  # fmt: skip

    def _whole(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        volume = {"id": sale.id + 1, "servico": "PAC", "codigoRastreamento": sale.tracking or ""}
        return {
            **self._head(sale),
            "outrasDespesas": 0,
            "desconto": {"valor": 0, "unidade": "REAL"},
            "notaFiscal": {"id": sale.id + 2 if sale.dispatched else 0},
            "itens": [
                {
                    "id": line.id, "codigo": line.item.sku, "unidade": "UN", "quantidade": line.quantity, "desconto": 0,
                    "valor": money(line.cents), "aliquotaIPI": 0, "descricao": line.item.title,
                    "produto": {"id": line.item.id},
                }
                for line in sale.lines
            ],
            "parcelas": [
                {"id": sale.id + 3, "dataVencimento": local(sale.created)[:10], "valor": money(sale.total_cents),
                 "formaPagamento": {"id": 1}},
            ],
            "transporte": {
                "fretePorConta": 0, "frete": money(SHIPPING_CENTS), "contato": {"id": 0, "nome": "Correios"},
                "etiqueta": {
                    "nome": who.name, "endereco": who.street, "numero": who.number, "complemento": who.complement,
                    "municipio": who.city, "uf": who.state, "cep": f"{who.postal_code[:5]}-{who.postal_code[5:]}",
                    "bairro": who.district,
                },
                "volumes": [volume],
            },
            "taxas": {"taxaComissao": 0, "custoFrete": 0, "valorBase": money(sale.items_cents)},
        }  # fmt: skip

    def _sale(self, request: web.Request) -> Sale:
        try:
            return self.sale_of(request.match_info["id"])
        except LookupError:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "Pedido de venda não encontrado.") from None

    async def list_orders(self, request: web.Request) -> web.Response:
        query = request.query
        since = query.get("dataAlteracaoInicial")
        after = datetime.fromisoformat(since).replace(tzinfo=SAO_PAULO) if since else None
        rows = sorted(self.changed_since(after), key=lambda sale: -sale.id)
        return self._page(request, [self._head(sale) for sale in rows])

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response({"data": self._whole(self._sale(request))})

    async def put_order(self, request: web.Request) -> web.Response:
        sale, told = self._sale(request), await request.json()
        missing = [
            key for key in ("data", "dataSaida", "dataPrevista", "contato", "itens", "parcelas") if key not in told
        ]
        if missing:
            fields = [
                {"code": 49, "msg": "Campo obrigatório", "element": key, "namespace": "VENDAS"} for key in missing
            ]
            raise Refusal(400, "VALIDATION_ERROR", "A venda não pode ser salva.", fields=fields)
        codes = [volume.get("codigoRastreamento") for volume in told.get("transporte", {}).get("volumes", ())]
        sale.tracking = next(filter(None, codes), sale.tracking)
        self._changed(sale, "changed")
        return web.json_response({"data": {"id": sale.id}})

    async def patch_situation(self, request: web.Request) -> web.Response:
        self.situate(self._sale(request), int(request.match_info["situation"]))
        return web.Response(status=204)

    async def get_nfe(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        sale = self.sales.get(number - 2)
        if sale is None or sale.dispatched is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "Nota fiscal não encontrada.")
        told = {
            "id": number, "numero": str(self.number(sale)), "serie": "1", "situacao": 5,
            "dataEmissao": local(sale.dispatched), "valorNota": money(sale.total_cents),
            "chaveAcesso": f"3526113018802500012155001{self.number(sale):09d}1{number:08d}7"[:44].ljust(44, "0"),
        }  # fmt: skip
        return web.json_response({"data": told})

    # ── Products and balances ───────────────────────────────────────────────────────────────────────────────

    def _product(self, item: Item) -> dict[str, Any]:
        return {
            "id": item.id,
            "idProdutoPai": item.parent or 0,
            "nome": " ".join(filter(None, (item.family, item.title))),
            "codigo": item.sku,
            "preco": money(item.price_cents),
            "tipo": "P",
            "situacao": "A" if item.live else "I",
            "formato": "S",
            "gtin": item.gtin or "",
            "estoque": {"saldoVirtualTotal": item.units - item.reserved},
        }

    def _balance(self, item: Item) -> dict[str, Any]:
        virtual = item.units - item.reserved
        return {
            "produto": {"id": item.id, "codigo": item.sku},
            "saldoFisicoTotal": item.units,
            "saldoVirtualTotal": virtual,
            "depositos": [{"id": DEPOSIT, "saldoFisico": item.units, "saldoVirtual": virtual}],
        }

    def _page(self, request: web.Request, rows: Sequence[Any]) -> web.Response:
        size = int(request.query.get("limite", 100))
        if not 1 <= size <= 100:
            raise Refusal(400, "VALIDATION_ERROR", "limite: no máximo 100")
        return web.json_response({"data": list(page_of(rows, int(request.query.get("pagina", 1)), size))})

    def _chosen(self, request: web.Request) -> list[Item]:
        ids = request.query.getall("idsProdutos[]", [])
        return [self.items[int(each)] for each in ids if int(each) in self.items] if ids else list(self.items.values())

    async def list_products(self, request: web.Request) -> web.Response:
        return self._page(request, [self._product(item) for item in self._chosen(request)])

    async def get_product(self, request: web.Request) -> web.Response:
        item = self.items.get(int(request.match_info["id"]))
        if item is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "Produto não encontrado.")
        return web.json_response({"data": self._product(item)})

    async def balances(self, request: web.Request) -> web.Response:
        sign = int(request.query.get("filtroSaldoEstoque", 1))
        signs = {1: lambda units: units > 0, 0: lambda units: units == 0, 2: lambda units: units < 0}
        chosen = [item for item in self._chosen(request) if signs[sign](item.units - item.reserved)]
        return web.json_response({"data": [self._balance(item) for item in chosen]})

    async def post_stock(self, request: web.Request) -> web.Response:
        told = await request.json()
        item, units = self.items.get(int(told["produto"]["id"])), int(told["quantidade"])
        if item is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "Produto não encontrado.")
        if int(told["deposito"]["id"]) != DEPOSIT:
            fields = [{"code": 3, "msg": "Depósito inválido", "element": "deposito", "namespace": "ESTOQUES"}]
            raise Refusal(400, "VALIDATION_ERROR", "Não foi possível salvar o estoque", fields=fields)
        self.set_units(item, {"B": units, "E": item.units + units, "S": item.units - units}[told["operacao"]])
        return web.json_response({"data": {"id": self.new_id()}}, status=201)

    # ── The account ─────────────────────────────────────────────────────────────────────────────────────────

    def _route(self) -> None:
        deposits = [{"id": DEPOSIT, "descricao": "Geral", "situacao": 1, "padrao": True, "desconsiderarSaldo": False},
                    {"id": OTHER_DEPOSIT, "descricao": "Avarias", "situacao": 1, "padrao": False}]  # fmt: skip
        own = {"id": OWN_SITUATION, "nome": "Separação", "idHerdado": 15, "cor": "#123456"}
        fixed: dict[str, Any] = {
            "/empresas/me/dados-basicos": {"id": COMPANY, "nome": "Loja de Exemplo LTDA", "cnpj": "30188025000121"},
            "/depositos": deposits,
            "/situacoes/modulos": [{"id": SALES_MODULE, "nome": "Vendas", "criarSituacoes": True}],
            f"/situacoes/modulos/{SALES_MODULE}": [{"id": 6, "nome": "Em aberto", "idHerdado": 0}, own],
            f"/situacoes/{OWN_SITUATION}": own,
        }
        router = self.app.router
        for path, told in fixed.items():
            router.add_get(path, _telling(told))
        router.add_get("/oauth/authorize", self.consent)
        router.add_post("/oauth/token", self.token)
        router.add_get("/pedidos/vendas", self.list_orders)
        router.add_get(r"/pedidos/vendas/{id:\d+}", self.get_order)
        router.add_put(r"/pedidos/vendas/{id:\d+}", self.put_order)
        router.add_patch(r"/pedidos/vendas/{id:\d+}/situacoes/{situation:\d+}", self.patch_situation)
        router.add_get(r"/nfe/{id:\d+}", self.get_nfe)
        router.add_get("/produtos", self.list_products)
        router.add_get(r"/produtos/{id:\d+}", self.get_product)
        router.add_get("/estoques/saldos", self.balances)
        router.add_post("/estoques", self.post_stock)


def _telling(told: Any) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": told})

    return answer


def web_basic() -> str:
    """What the application shows at the token's address."""
    return "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


SHOP = 203040
ACCOUNT: web.AppKey[Bling] = web.AppKey("account", Bling)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    rate: int = 0,
    shop: str | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Bling:
    """An account that sells `products`.

    `rate`: calls in any second (a real one takes 3; 0: as many as there come); `shop`: the channel of its one shop.
    """
    return Bling(products, seed, rate=rate, shop=shop, now=now)
