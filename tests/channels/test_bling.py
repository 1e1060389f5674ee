"""Bling: what its documents mean, what it is told, and its doors; explicit values worked out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bling import ADAPTER, mapping, sandbox, stock, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Fulfilment, Knock, News, Origin, Payment, Reply, Request, ShipmentNews, StockWrite, Topic
from hub.parse import instant
from hub.sandbox import Product
from tests.channels.conftest import Connect

FILES = Path(__file__).parents[1] / "adapters" / "bling"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "bling"
SPEC = Path(__file__).parents[2].parent / "shared" / "openapi" / "bling-v3-openapi.json"
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(**changed: Any) -> dict[str, Any]:
    raw = payload("order", "open_order_of_a_shop")
    return {**raw, "data": raw["data"] | changed}


@pytest.mark.parametrize(
    ("situation", "root", "payment", "fulfilment", "cancelled"),
    [
        ({"id": 6, "valor": 0}, None, Payment.PAID, Fulfilment.NONE, False),
        ({"id": 15, "valor": 3}, None, Payment.PAID, Fulfilment.NONE, False),
        ({"id": 9, "valor": 1}, None, Payment.PAID, Fulfilment.DISPATCHED, False),
        ({"id": 12, "valor": 2}, None, Payment.VOIDED, Fulfilment.NONE, True),
        ({"id": 21, "valor": 10}, None, Payment.PENDING, Fulfilment.NONE, False),
        ({"id": 447790, "valor": 447790}, 9, Payment.PAID, Fulfilment.DISPATCHED, False),  # made from Atendido
        ({"id": 447790, "valor": 2}, 15, Payment.PAID, Fulfilment.NONE, False),  # its parent is told: that counts
        ({"id": 447790, "valor": 2}, None, Payment.VOIDED, Fulfilment.NONE, True),
    ],
)
def test_situations(situation: Any, root: Any, payment: Any, fulfilment: Any, cancelled: bool):
    order = mapping.order(told(situacao=situation) | {"situacao_raiz": root})
    assert (order.payment, order.fulfilment, order.cancelled) == (payment, fulfilment, cancelled)


def test_a_situation_of_nobodys_is_not_guessed():
    with pytest.raises(Unreadable, match=r"data\.situacao\.id: unknown situation 447790"):
        mapping.order(told(situacao={"id": 447790, "valor": 447790}))


def test_a_unit_value_of_three_places_is_multiplied_before_it_is_rounded():
    order = mapping.order(payload("order", "unit_value_of_three_places"))
    assert (order.lines[0].total_cents, order.items_cents) == (1000, 1000)  # 3 x 3.335 = 10.005, half-even


def test_money():
    percent = mapping.order(payload("order", "discount_in_percent"))
    assert (percent.items_cents, percent.discount_cents, percent.shipping_cents) == (7980, 798, 1590)
    assert percent.total_cents == 7980 - 798 + 1590
    money = mapping.order(payload("order", "discount_in_money_and_other_expenses"))
    assert (money.discount_cents, money.other_cents, money.total_cents, money.fees_cents) == (550, 250, 9270, 958)


def test_where_it_was_born():
    def born(name: str) -> Origin | None:
        return mapping.order(payload("order", name)).origin

    assert born("open_order_of_a_shop") == Origin(channel="mercadolivre", ref="2000009900000001")
    assert born("intermediary_names_the_channel") == Origin(channel="mercadolivre", ref="2000009900000001")
    assert born("number_of_a_shop_that_nobody_named") == Origin(channel="bling:203040", ref="2000009900000001")
    assert born("draft_is_not_paid") is None  # made in Bling itself


def test_dates_are_of_brasilia_and_masks_tell_nothing():
    order = mapping.order(told(contato={"id": 5, "nome": "M*** S***", "numeroDocumento": "***.982.***-**"}))
    assert order.placed_at == instant("2026-11-20T03:00:00Z", "")
    assert order.buyer is not None
    assert (order.buyer.name, order.buyer.document) == (None, None)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"data": {"id": 1, "numero": 2, "situacao": {"id": 6}}}, "data.itens"),
        (told(itens=[{"quantidade": 1.5, "valor": 1}]), "data.itens.0.quantidade"),
        (told(itens=[{"quantidade": 0, "valor": 1}]), "data.itens.0.quantidade"),
        (told(total="dez"), "data.total"),
        (told(id=None), "data.id"),
        (told(desconto={"valor": 1, "unidade": "PONTOS"}), "data.desconto.unidade"),
        (told(situacao=None), "data.situacao.id"),
        (told(transporte="correio"), "data.transporte"),
        ([], "data"),
    ],
)
def test_what_cannot_be_read_is_named(raw: Any, path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(raw)
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


@given(st.data())
def test_a_broken_order_is_read_or_refused(data: st.DataObject):
    raw = told()
    spot = raw["data"]
    for key in data.draw(
        st.lists(st.sampled_from(["itens", "transporte", "etiqueta", "contato", "situacao", "desconto"]))
    ):
        inner = spot.get(key) if isinstance(spot, dict) else None
        spot = inner[0] if isinstance(inner, list) and inner else inner if isinstance(inner, dict) else spot
    key = data.draw(st.sampled_from(sorted(spot)))
    spot[key] = data.draw(JSON)
    try:
        mapping.order(raw)
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read


def test_what_a_buyer_can_buy_is_what_is_not_reserved():
    (one,) = mapping.listings(payload("listing", "simple_in_its_deposit"))
    assert (one.stock_quantity, one.quantity, one.location_ref) == (15, 13, "7001")
    (short,) = mapping.listings(payload("listing", "more_reserved_than_there_is"))
    assert (short.stock_quantity, short.quantity) == (2, 0)
    (kit,) = mapping.listings(payload("listing", "composed_follows_from_its_parts"))
    assert (kit.stock_quantity, kit.quantity) == (None, 4)
    assert [one.sku for one in mapping.listings(payload("listing", "page_without_balances"))] == ["CANECA-AZUL"]


def test_errors_are_told_from_the_innermost():
    file = payload("stock_response", "errors_within_errors")
    assert stock.error_of(json.loads(file["body"])) == (
        "VALIDATION_ERROR",
        "Problemas de validação. lote: Lote vencido.",
    )


def test_a_write_without_its_deposit_leaves_the_refusal_to_bling():
    request = stock.render(StockWrite(slot_ref="5", listing_ref="5", quantity=3))
    assert request.json == {"produto": {"id": 5}, "operacao": "B", "quantidade": 3}
    with pytest.raises(Unreadable, match="operacao"):
        stock.sent(Request(method="POST", path="/estoques", json={"operacao": "E", "produto": {"id": 1}}))


def test_events_without_an_id_and_bodies_that_are_none():
    def read(body: bytes) -> Any:
        return webhook.read(Knock(headers={}, body=body))

    with pytest.raises(Unreadable, match=r"body\.data\.produto\.id"):
        read(b'{"event": "virtual_stock.updated", "data": {"produto": {}}}')
    with pytest.raises(Unreadable, match="not JSON"):
        read(b"event=order.created")
    (odd,) = read(b'{"event": "order.updated", "data": {"id": 7}, "date": "ontem"}')
    assert (odd.topic, odd.ref, odd.at) == (Topic.ORDER, "7", None)


NEWS = ShipmentNews(
    news=News.DISPATCHED, order_ref="21540001", tracking_code="AA123456785BR", carrier="Correios",
    at=datetime(2026, 11, 21, 10, tzinfo=UTC),
)  # fmt: skip


def test_a_parcel_is_written_into_the_whole_order_once():
    order = told()["data"]
    put, patch = stock.shipped(NEWS.model_copy(update={"there": {"data": order}}), "default")
    assert (put.method, patch.path) == ("PUT", "/pedidos/vendas/21540001/situacoes/9")
    assert put.json["itens"] == order["itens"]
    assert put.json["transporte"]["volumes"] == [{"servico": "Correios", "codigoRastreamento": "AA123456785BR"}]
    again = stock.shipped(NEWS.model_copy(update={"there": {"data": put.json}}), "default")
    assert [request.method for request in again] == ["PATCH"]
    assert stock.shipped(NEWS.model_copy(update={"news": News.DELIVERED}), "default") == []


# ── The account over real HTTP ──────────────────────────────────────────────────────────────────────────────


async def test_a_refresh_token_is_good_for_once(connect: Connect):
    place = sandbox.create([CUP])
    api = await connect(ADAPTER, place)
    first = await ADAPTER.check(api)
    assert (first.external_id, first.facts["deposit"]) == (sandbox.COMPANY, "7001")
    assert first.facts["situations"] == {"447790": 15}
    await api.renew()
    api.token = None  # and with the one that was typed in, used by now
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(api)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "invalid_grant")


async def test_a_deposit_that_is_not_there_is_refused_with_those_that_are(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP]), deposit="5")
    with pytest.raises(ChannelError, match=r"there is no active 5 \(there are: 7001, 7002\)"):
        await ADAPTER.check(api)


async def test_more_than_three_calls_a_second_are_throttled(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP], rate=3))
    for _ in range(2):  # the token was the first
        await api.call(Request(method="GET", path="/depositos"))
    with pytest.raises(ChannelError) as problem:
        await api.call(Request(method="GET", path="/depositos"))
    assert (problem.value.fault, problem.value.code) == (Fault.THROTTLED, "TOO_MANY_REQUESTS")


async def test_balances_of_every_sign_are_found(connect: Connect):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in (0, 1)]
    place = sandbox.create([*goods, Product(sku="NEG", title="x", quantity=0, price_cents=100)])
    vars(place)["by_sku"]["NEG"].units = -2
    api = await connect(ADAPTER, place)
    api.facts = (await ADAPTER.check(api)).facts
    assert ADAPTER.listings
    page = await ADAPTER.listings.pages(api, None)
    found = [one for raw in page.documents for one in ADAPTER.listings.parse(raw)]
    assert {one.sku: (one.stock_quantity, one.quantity) for one in found} == {
        "P0": (0, 0),
        "P1": (1, 1),
        "NEG": (-2, 0),
    }


# ── What Bling itself publishes ─────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "contact", "error_429_second", "error_order_400", "fixture_product_store_list", "logistics_object_request", "nfe",
    "order_created", "orders_list", "fixture_sales_order_list", "products_list", "product", "situacoes_do_modulo",
    "situacoes_modulos", "stock_balances", "stock_created", "fixture_estoques_saldos_get",
    "fixture_product_variation_obter", "webhook_order_created", "webhook_order_deleted",
    "webhook_virtual_stock_updated",
}  # fmt: skip


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    for file in sorted(SAMPLES.glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem in REFUSED:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
        else:
            assert mapping.order(raw).lines
    for name in ("webhook_order_created", "webhook_order_deleted", "webhook_virtual_stock_updated"):
        (notice,) = webhook.read(Knock(headers={}, body=(SAMPLES / f"{name}.json").read_bytes()))
        assert notice.ref
        assert notice.account_ref
    for name in ("product", "products_list"):
        assert mapping.listings(json.loads((SAMPLES / f"{name}.json").read_text()))


@pytest.mark.skipif(not SPEC.exists(), reason="the official definition is not beside this checkout")
def test_what_we_send_is_what_the_definition_asks():
    spec = json.loads(SPEC.read_text())
    asked = spec["components"]["schemas"]["EstoquesDadosDTO"]["required"]
    asked += spec["components"]["schemas"]["EstoquesDadosBaseDTO"]["required"]
    write = StockWrite(slot_ref="5", location_ref="7001", listing_ref="5", quantity=3)
    request = stock.render(write)
    assert set(asked) <= set(request.json)
    assert (
        request.json["operacao"]
        in spec["components"]["schemas"]["EstoquesDadosBaseDTO"]["properties"]["operacao"]["enum"]
    )
    for path, method in (
        ("/estoques", "post"), ("/estoques/saldos", "get"), ("/produtos", "get"), ("/produtos/{idProduto}", "get"),
        ("/pedidos/vendas", "get"), ("/pedidos/vendas/{idPedidoVenda}", "get"),
        ("/pedidos/vendas/{idPedidoVenda}", "put"),
        ("/pedidos/vendas/{idPedidoVenda}/situacoes/{idSituacao}", "patch"), ("/nfe/{idNotaFiscal}", "get"),
        ("/depositos", "get"), ("/situacoes/modulos", "get"), ("/situacoes/modulos/{idModuloSistema}", "get"),
        ("/situacoes/{idSituacao}", "get"), ("/empresas/me/dados-basicos", "get"),
    ):  # fmt: skip
        assert method in spec["paths"][path], path


def test_an_answer_without_an_entry_is_not_believed():
    write = StockWrite(slot_ref="5", location_ref="7001", listing_ref="5", quantity=3)
    with pytest.raises(Unreadable, match=r"body\.data\.id"):
        stock.read(write, Reply(status=201, headers={}, body=b'{"data": {}}'))
