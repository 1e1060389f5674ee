"""Quotes of several carriers side by side: asked at once, each in its own time, kept with what they were asked with."""

import time
from typing import Any
from unittest.mock import patch

import pytest

from hub.contract import FreightSource
from hub.freight import Rule, why
from hub.model import Parcel, Quote
from jobs import freight
from jobs.freight import FreightRefused
from tests.flows.freighting import policy, seller, sold
from tests.world import Log, world


async def test_offers_stand_side_by_side_and_are_kept_with_what_was_asked() -> None:
    async with world() as w:
        store, _carrier = await seller(w, jadlog=True)
        order = await sold(w, store)
        quoted = await freight.quote(w.rt, w.seller_id, order)
        offers = {(row["channel"], row["service"]): row for row in quoted.rows}
        assert {channel for channel, _service in offers} == {"correios", "jadlog"}
        assert all(row["price_cents"] > 0 and row["deliver_by"] for row in quoted.rows if row["error"] is None)
        assert [row["price_cents"] for row in quoted.rows if row["price_cents"]] == sorted(
            row["price_cents"] for row in quoted.rows if row["price_cents"]
        )
        # SEDEX from 01… to 13…: 24.50 + 8.70 for a zone + 3.40 for a kilogram + 1% of the 79 reais declared
        assert offers["correios", "03220"]["price_cents"] == 2450 + 870 + 340 + 79
        kept = await w.row("SELECT asked FROM freight_quote")
        (parcel,) = kept["asked"]["parcels"]
        assert (parcel["weight_g"], parcel["length_cm"], parcel["width_cm"], parcel["height_cm"]) == (800, 18, 12, 10)
        assert (parcel["from_postal_code"], parcel["to_postal_code"]) == ("01310200", "13010000")
        assert parcel["value_cents"] == 7980
        assert kept["asked"]["units"] == [{"CANECA": 2}]
        road = [row for (channel, _s), row in offers.items() if channel == "jadlog" and row["cubic_g"]]
        assert {row["cubic_g"] for row in road} >= {-(-18 * 12 * 10 * 1000 // 3333)}


async def test_rules_choose_and_say_why() -> None:
    async with world() as w:
        store, _carrier = await seller(w)
        order = await sold(w, store)
        quoted = await freight.quote(w.rt, w.seller_id, order)
        cheap, fast = quoted.choice(Rule.CHEAPEST), quoted.choice(Rule.FASTEST)
        assert cheap.offer is not None
        assert fast.offer is not None
        assert (cheap.offer.service, fast.offer.service) == ("03298", "03220")
        assert quoted.choice().rule is Rule.PROMISE
        assert why(fast, "pt-BR") == "a mais rápida entre 2"
        await policy(w, rule="fastest")
        again = await freight.latest(w.rt, w.seller_id, order)
        assert again.id == quoted.id
        assert again.choice().offer == fast.offer
        ((_order, told),) = await freight.preview(w.rt, w.seller_id, [order])
        assert not isinstance(told, FreightRefused)
        assert told.choice().offer == fast.offer


async def test_a_carrier_that_is_down_or_slow_is_a_row_and_holds_nobody_up() -> None:
    async with world() as w:
        store, carrier = await seller(w, jadlog=True)
        order = await sold(w, store)
        carrier.turn(latency=4.0)
        began = time.monotonic()
        quoted = await freight.quote(w.rt, w.seller_id, order, seconds=2.0)
        assert time.monotonic() - began < 10
        by_channel = {row["channel"]: row for row in quoted.rows}
        assert by_channel["correios"]["error_code"] == "timeout"
        assert by_channel["correios"]["error"] == "no answer within 2 s"
        assert any(row["price_cents"] for row in quoted.rows if row["channel"] == "jadlog")


async def test_a_fault_of_our_own_in_one_carrier_is_its_row(log: Log) -> None:
    async with world() as w:
        store, _carrier = await seller(w, jadlog=True)
        order = await sold(w, store)
        asked, broken = freight._quotes, w.rt.adapter("jadlog").freight

        async def stumble(api: Any, source: FreightSource, parcel: Parcel) -> list[Quote]:
            if source is broken:
                raise KeyError("prazo")
            return await asked(api, source, parcel)

        with patch.object(freight, "_quotes", stumble):
            quoted = await freight.quote(w.rt, w.seller_id, order)
        rows = {row["channel"]: row for row in quoted.rows}
        assert rows["jadlog"]["error_code"] == "KeyError"
        assert rows["correios"]["price_cents"]
        assert log.tracebacks.pop().count("prazo")


async def test_missing_measures_are_named_sku_by_sku() -> None:
    async with world() as w:
        store, _carrier = await seller(w)
        await store.act("buy", lines=[{"sku": "CANECA", "quantity": 1}, {"sku": "LIVRO", "quantity": 1}])
        await w.settle()
        order = (await w.row("SELECT id FROM orders"))["id"]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE sku SET height_mm = NULL WHERE code = 'LIVRO'")
            await tx.run("UPDATE sku SET weight_g = NULL WHERE code = 'CANECA'")
        with pytest.raises(FreightRefused, match="missing for CANECA, LIVRO") as refusal:
            await freight.quote(w.rt, w.seller_id, order)
        assert "faltam peso ou medidas de CANECA, LIVRO" in refusal.value.told("pt-BR")


async def test_many_units_go_in_several_volumes_and_every_volume_is_paid() -> None:
    async with world() as w:
        store, _carrier = await seller(w)
        one = await freight.quote(w.rt, w.seller_id, await sold(w, store, "LIVRO", 1))
        await policy(w, most_g=1_000)
        three = await freight.quote(w.rt, w.seller_id, await sold(w, store, "LIVRO", 3))
        assert len(three.consignment.parcels) == 3
        price = {row["service"]: row["price_cents"] for row in one.rows}
        assert {row["service"]: row["price_cents"] for row in three.rows} == {
            service: cents * 3 for service, cents in price.items()
        }


KEPT_BACK = {
    "UPDATE orders SET status = 'placed'": "status",
    "UPDATE orders SET hold = 'fraud'": "hold",
    "UPDATE orders SET fulfilled_by = 'marketplace'": "marketplace",
    "UPDATE order_line SET sku_id = NULL": "unlinked",
    "UPDATE order_line SET dispatched_quantity = quantity": "nothing",
    "UPDATE orders SET told = told || '{\"ship_to\": null}'": "to",
    "UPDATE freight_policy SET sender = NULL": "sender",
    "UPDATE freight_policy SET most_g = 300": "too_large",
    "DELETE FROM orders": "order",
}


async def test_what_keeps_an_order_is_said() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        for change, kind in KEPT_BACK.items():
            async with w.rt.db.seller(w.seller_id) as tx, tx.trial(dry=True):
                await tx.run("DELETE FROM reservation")
                await tx.conn.execute(change.encode())
                with pytest.raises(FreightRefused) as refusal:
                    await freight.consignment(tx, order)
            assert refusal.value.kind == kind
            assert "{" not in refusal.value.told("pt-BR")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE account SET status = 'paused' WHERE id = %s", [carrier.account.id])
        with pytest.raises(FreightRefused, match="no carrier's account is live"):
            await freight.quote(w.rt, w.seller_id, order)
        assert await w.rows("SELECT 1 FROM freight_quote") == []
