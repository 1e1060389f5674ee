"""No second label is bought beside the channel's own, none for what is not there, and none at a price nobody saw."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import adapters
from hub.store import freight
from jobs import freight as quotes
from jobs import freight_buy
from jobs.freight import FRESH, FreightRefused
from jobs.freight_checks import own_labels
from jobs.freight_plan import plan, totals
from tests.flows.freighting import CANECA, buy, seller, sold
from tests.flows.test_freight_buying import preposts
from tests.world import World, world

PAYLOADS = Path(__file__).parents[1] / "adapters"
SNAPSHOTS = Path(__file__).parents[1] / "contract" / "__snapshots__"


async def waiting(w: World) -> dict[UUID, Any]:
    """Orders of the queue to buy, with what is short of each."""
    async with w.rt.db.seller(w.seller_id) as tx:
        return {row["id"]: row["short"] for row in await freight.queue(tx, "to_buy", own_labels(w.rt))}


async def told_otherwise(w: World, order: UUID, shipments: list[dict[str, Any]], **words: Any) -> None:
    """What an order's channel tells, changed."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            "UPDATE orders SET told = told || %s WHERE id = %s", [json.dumps({"shipments": shipments, **words}), order]
        )


async def test_what_the_channel_sends_with_its_own_label_is_bought_only_by_who_insists() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        market = await w.connect("mercadolivre", [CANECA], seed=4)
        theirs, ours = await sold(w, market, "CANECA", 1), await sold(w, store, "CANECA", 1)
        assert await waiting(w) == {ours: None}

        planned = await plan(w.rt, w.seller_id, [theirs, ours])
        assert [each.refusal and each.refusal.kind for each in planned] == ["own_label", None]
        assert "Mercado Livre arranges its shipping and gives its label (me2:drop_off)" in str(planned[0].refusal)
        (total,) = totals(planned)
        assert planned[1].offer is not None
        assert (total.labels, total.cents) == (1, planned[1].offer["price_cents"])

        for insists in ((), ("despite_shortage",)):
            with pytest.raises(FreightRefused, match="a second one, paid apart"):
                await buy(w, theirs, insists=insists)
        assert preposts(carrier) == []
        assert (await buy(w, theirs, insists=["second_label"])).labels[0]["status"] == "bought"

        again = await sold(w, market, "CANECA", 1)
        (parcel,) = (await w.row(f"SELECT told -> 'shipments' AS s FROM orders WHERE id = '{again}'"))["s"]
        await told_otherwise(w, again, [{**parcel, "service": "me1", "tracking_code": None}])
        assert set(await waiting(w)) == {ours, again}
        await told_otherwise(w, again, [{**parcel, "service": "me1", "tracking_code": "BR1"}])
        with pytest.raises(FreightRefused, match="a parcel already, by code BR1"):
            await buy(w, again)
        await told_otherwise(w, again, [], fulfilled_by=None)
        assert set(await waiting(w)) == {ours}
        await told_otherwise(w, again, [], fulfilled_by="seller")
        assert set(await waiting(w)) == {ours, again}

        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET origin_channel = 'shopee' WHERE id = %s", [ours])
        assert set(await waiting(w)) == {again}
        with pytest.raises(FreightRefused, match="Shopee arranges its shipping"):
            await buy(w, ours)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET origin_channel = 'woocommerce' WHERE id = ANY(%s)", [[ours, again]])
        assert set(await waiting(w)) == {ours}, "what relays an order of a connected store leaves the label to that one"


async def test_what_is_short_is_seen_and_bought_only_by_who_insists() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store, "CANECA", 2)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                """INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity)
                   SELECT seller_id, order_id, ref, sku_id, 1 FROM order_line WHERE order_id = %s""",
                [order],
            )
        assert await waiting(w) == {order: "1 x CANECA"}
        (planned,) = await plan(w.rt, w.seller_id, [order])
        assert planned.refusal is not None
        assert planned.refusal.kind == "short"
        assert planned.refusal.told("pt-BR").startswith(f"pedido {planned.refusal.params['number']}: em falta (1 x CAN")
        for insists in ((), ("second_label",)):
            with pytest.raises(FreightRefused, match="units are short"):
                await buy(w, order, insists=insists)
        assert preposts(carrier) == []
        assert (await buy(w, order, insists=["despite_shortage"])).labels[0]["status"] == "bought"


async def test_nothing_is_bought_at_a_price_that_nobody_saw() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        with pytest.raises(FreightRefused, match="no quote of the last 30 minutes"):
            await freight_buy.buy(w.rt, w.seller_id, order)
        quoted = await quotes.latest(w.rt, w.seller_id, order)
        offer = quoted.choice().offer
        assert offer is not None
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE freight_quote SET at = at - %s", [FRESH])
        with pytest.raises(FreightRefused, match="no quote of the last 30 minutes"):
            await freight_buy.buy(w.rt, w.seller_id, order, seen_cents=offer.price_cents)
        await quotes.latest(w.rt, w.seller_id, order)
        with pytest.raises(FreightRefused, match=r"no longer R\$ 0.01 but R\$ "):
            await freight_buy.buy(w.rt, w.seller_id, order, seen_cents=1)
        assert preposts(carrier) == []
        assert not (await freight_buy.buy(w.rt, w.seller_id, order, seen_cents=offer.price_cents)).again
        assert (await freight_buy.buy(w.rt, w.seller_id, order, seen_cents=1)).again
        assert len(preposts(carrier)) == 1


TOLD: tuple[
    tuple[str, dict[str, Any], bool], ...
] = (  # channel, what it told, whether it sends it with a label of its own
    ("mercadolivre", {"shipments": [{"service": "me2:drop_off"}], "fulfilled_by": "seller"}, True),
    ("mercadolivre", {"shipments": [{"service": "me2:self_service"}], "fulfilled_by": "seller"}, True),
    ("mercadolivre", {"shipments": [{"service": "custom"}], "fulfilled_by": "seller"}, False),
    ("mercadolivre", {"shipments": [{"service": "not_specified"}], "fulfilled_by": "seller"}, False),
    ("mercadolivre", {}, True),
    ("shopee", {"raw_status": {"order_status": "READY_TO_SHIP"}}, True),
    ("shopee", {}, True),
    ("tiktok", {"raw_status": {"shipping_type": "TIKTOK"}}, True),
    ("tiktok", {"raw_status": {"shipping_type": "SELLER"}}, False),
    ("amazon", {"raw_status": {"EasyShipShipmentStatus": "PendingSchedule"}}, True),
    ("amazon", {"raw_status": {"fulfilledBy": "MERCHANT", "programs": ["AMAZON_EASY_SHIP"]}}, True),
    ("amazon", {"raw_status": {"FulfillmentChannel": "MFN"}}, False),
    ("amazon", {}, False),
    ("magalu", {"fulfilled_by": "seller", "shipments": [{"carrier": "magalu-entregas", "service": None}]}, True),
    ("magalu", {"fulfilled_by": "seller", "shipments": [{"carrier": "integra", "service": None}]}, False),
    ("magalu", {"fulfilled_by": None, "shipments": []}, True),
)


async def test_each_channel_tells_by_its_own_words_whether_it_sends() -> None:
    paths = {name: source.own_label for name in adapters.names() if (source := adapters.get(name).orders)}
    named = {  # of documents as the channels tell them
        ("mercadolivre", "me1"): False, ("mercadolivre", "me2:drop_off"): True,
        ("mercadolivre", "me2:xd_drop_off"): True, ("magalu", "Entrega pelo parceiro"): False,
    }  # fmt: skip
    asked = list(TOLD)
    for (channel, service), own in named.items():
        every = (json.loads(path.read_text()) for path in sorted((SNAPSHOTS / channel / "order").glob("*.json")))
        asked.append((channel, next(o for o in every if any(s["service"] == service for s in o["shipments"])), own))
    easy = json.loads((PAYLOADS / "amazon" / "order" / "v2026_unit_price_is_of_one.json").read_text())
    easy["order"]["programs"] = ["PRIME", "AMAZON_EASY_SHIP"]
    amazon = adapters.get("amazon").orders
    assert amazon is not None
    asked.append(("amazon", amazon.parse(easy).model_dump(mode="json"), True))
    documents = [
        (path.parents[1].name, path.read_text())
        for path in sorted(SNAPSHOTS.glob("*/order/*.json")) if paths.get(path.parents[1].name)
    ]  # fmt: skip
    async with world() as w, w.rt.db.seller(w.seller_id) as tx:
        for channel, text in documents:  # whatever is told, it is one or the other
            assert await tx.value("SELECT %s::jsonb @@ %s::jsonpath", [text, paths[channel]]) in (True, False)
        assert {channel for channel, _text in documents} == {channel for channel, _told, _own in TOLD}
        for channel, told, own in asked:
            sql = "SELECT %s::jsonb @@ %s::jsonpath"
            assert await tx.value(sql, [json.dumps(told), paths[channel]]) is own, (channel, told)
