"""Loja Integrada: two shapes of one order, situations whose flags mislead, numbers that hold reserved units."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from adapters.lojaintegrada import ADAPTER, client, mapping, sandbox, stock, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Fulfilment, Hold, Knock, News, Order, Origin, Payment, ShipmentNews, Status, StockWrite, Topic
from hub.sandbox import Product
from tests.channels.conftest import Connect
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "lojaintegrada"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "lojaintegrada"
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "hold", "status"),
    [
        ("paid", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("waits_for_payment", Payment.PENDING, Fulfilment.NONE, None, Status.PLACED),
        ("cancelled", Payment.VOIDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("dispute_is_approved_by_its_flag", Payment.PAID, Fulfilment.NONE, Hold.FROZEN, Status.PAID),
        ("chargeback_is_approved_by_its_flag", Payment.REFUNDED, Fulfilment.NONE, Hold.FROZEN, Status.PAID),
        (
            "cancellation_asked_for_is_cancelled_by_its_flag", Payment.PAID, Fulfilment.NONE, Hold.CANCEL_REQUESTED,
            Status.PAID,
        ),
        ("ready_for_pickup_has_left", Payment.PAID, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
        ("delivered", Payment.PAID, Fulfilment.DELIVERED, None, Status.DELIVERED),
    ],
)  # fmt: skip
def test_situations(name: str, payment: Any, fulfilment: Any, hold: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.hold, order.status) == (payment, fulfilment, hold, status)


def test_the_webhooks_shape_tells_the_same_order():
    one, other = told("paid"), told("as_the_webhook_tells_it")
    for part in ("ref", "payment", "items_cents", "shipping_cents", "total_cents", "ship_to", "buyer"):
        assert getattr(one, part) == getattr(other, part), part
    assert [(x.sku, x.listing_ref, x.quantity, x.total_cents) for x in one.lines] == [
        (x.sku, x.listing_ref, x.quantity, x.total_cents) for x in other.lines
    ]
    # 09:20:12 in Brasília without an offset, 12:20:12Z with one
    assert one.changed_at == datetime(2026, 11, 20, 12, 20, 12, 653648, tzinfo=UTC)
    assert other.changed_at == datetime(2026, 11, 20, 12, 20, 12, 653000, tzinfo=UTC)


def test_a_line_costs_its_subtotal_and_an_option_is_its_own_product():
    order = told("line_of_an_option_with_a_number_for_its_sku")
    (line,) = order.lines
    assert (line.sku, line.listing_ref, line.quantity, line.total_cents) == ("345", "88560002", 2, 7980)
    assert told("coupon").discount_cents == 1000


def test_where_it_was_born():
    assert told("relayed_by_a_hub").origin == Origin(channel="mercadolivre", ref="2000009900000001")
    assert told("relayed_from_nobody_we_know").origin == Origin(channel="lojaintegrada:feirinha", ref="F-1")
    assert told("paid").origin is None


def test_a_services_name_is_trimmed_and_a_parcel_is_there_before_its_code():
    assert [(x.ref, x.service, x.tracking_code) for x in told("paid").shipments] == [("69290001", "PAC", None)]
    assert told("sent_with_its_code").shipments[0].tracking_code == "AA123456785BR"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"situacao": {"codigo": "em_transe"}}, "situacao.codigo"),
        ({"situacao": None}, "situacao.codigo"),
        ({"itens": [{"quantidade": "1.5"}]}, "itens.0.quantidade"),
        ({"itens": "muitos"}, "itens"),
        ({"numero": 0}, "numero"),
        ({"valor_total": [1]}, "valor_total"),
        ({"data_modificacao": "ontem"}, "data_modificacao"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "paid") | changed)
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


def test_numbers():
    (one,) = mapping.listings(payload("listing", "some_are_reserved"))
    assert (one.stock_quantity, one.quantity, one.version) == (10, 8, "0:-1")
    (short,) = mapping.listings(payload("listing", "more_reserved_than_there_is"))
    assert (short.stock_quantity, short.quantity) == (-1, 0)
    (uncounted,) = mapping.listings(payload("listing", "not_counted"))
    assert (uncounted.stock_quantity, uncounted.quantity) == (None, None)
    assert [one.ref for one in mapping.listings(payload("listing", "page_with_a_parent"))] == ["88560001"]


def test_the_panels_days_are_repeated_or_they_would_be_lost():
    write = StockWrite(slot_ref="5", listing_ref="5", quantity=3, version="2:15")
    request = stock.render(write)
    assert (request.json["situacao_em_estoque"], request.json["situacao_sem_estoque"]) == (2, 15)
    bare = stock.render(write.model_copy(update={"version": None}))
    assert (bare.json["situacao_em_estoque"], bare.json["situacao_sem_estoque"]) == (0, -1)


def test_the_hooks_own_token_is_not_kept():
    raw = payload("notice", "order_is_whole")
    (notice,) = webhook.read(Knock(headers={}, body=raw["body"].encode()))
    assert (notice.topic, notice.ref) == (Topic.ORDER, "1841")
    assert "t0ken-da-loja" not in json.dumps(notice.raw)


def test_a_parcel_of_another_code_is_left_alone():
    at = datetime(2026, 11, 21, tzinfo=UTC)
    news = ShipmentNews(news=News.DISPATCHED, order_ref="7", tracking_code="BB2", at=at)
    there = {"envios": [{"id": 1, "objeto": "AA1"}, {"id": 2, "objeto": None}]}
    told_ = stock.shipped(news.model_copy(update={"there": there}), "default")
    assert [request.path for request in told_] == ["/v1/pedido_envio/2", "/v1/situacao/pedido/7"]
    there["envios"].pop()
    told_ = stock.shipped(news.model_copy(update={"there": there}), "default")
    assert [request.path for request in told_] == ["/v1/situacao/pedido/7"]


@pytest.mark.parametrize(
    "keys",
    [{}, {"store_key": "a"}, {"personal_token": "a", "store_key": "b", "app_key": "c"}],
)
def test_one_way_to_authenticate(keys: dict[str, str]):
    with pytest.raises(ValueError, match="give either personal_token, or both store_key and app_key"):
        client.Credentials.model_validate(keys)


@pytest.mark.parametrize("personal", [True, False])
async def test_both_ways_of_authenticating(connect: Connect, personal: bool):
    place = sandbox.create([CUP], personal=personal)
    identity = await ADAPTER.check(await connect(ADAPTER, place))
    assert identity.external_id
    wrong = {"personal_token": "x"} if personal else {"store_key": "x"}
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(await connect(ADAPTER, place, **wrong))
    assert problem.value.fault is Fault.AUTH


async def test_the_store_says_when_it_is_enough(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP], rate=2))
    await ADAPTER.check(api)
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(api)
    assert (problem.value.fault, problem.value.code) == (Fault.THROTTLED, "633")


@pytest.mark.parametrize("sets", [True, False])
async def test_balances_come_at_once_or_one_by_one(connect: Connect, sets: bool):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in range(45)]
    api = await connect(ADAPTER, sandbox.create(goods, sets=sets))
    page = await client.listing_pages(api, None)
    found = [one for raw in page.documents for one in mapping.listings(raw)]
    assert {one.sku: one.quantity for one in found} == {f"P{n}": n for n in range(45)}
    asked = [request.path for request in api.calls if "produto_estoque" in request.path]
    assert len(asked) == (3 if sets else 3 + 45)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    orders = {"pedido", "webhook_pedido"}
    for file in sorted(SAMPLES.glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem in orders:
            assert mapping.order(raw).lines
        else:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
    (stocked,) = mapping.listings(
        {"produto": {"id": 88568855}, "estoque": json.loads((SAMPLES / "estoque_get.json").read_text())}
    )
    assert (stocked.stock_quantity, stocked.quantity) == (10, 8)
    (notice,) = webhook.read(Knock(headers={}, body=(SAMPLES / "webhook_pedido.json").read_bytes()))
    assert notice.ref == "248888"
