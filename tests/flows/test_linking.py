"""Links move what their listings sold, and nothing is linked that is not certain."""

from typing import Any

import pytest

from hub import notice_words
from hub.sandbox import Product
from hub.store import alerts, links, stock
from hub.web import words
from hub.web.i18n import Language
from jobs import linking, linking_file
from jobs.connect import Refused
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana branca 300 ml", quantity=10, price_cents=3990)
KIT6 = Product(sku="LOJA-6", title="Kit 6 canecas de porcelana branca 300ml", quantity=10, price_cents=19990)
AVULSA = Product(
    sku="LOJA-1", title="Caneca porcelana branca 300ml", quantity=10, price_cents=3990, gtin="7891000315507"
)


async def listing_of(w: World, channel_sku: str) -> dict[str, Any]:
    return await w.row("SELECT id, ref, sku_id FROM listing WHERE channel_sku = %s", channel_sku)


async def share_its_slot(w: World) -> None:
    """The listing gets a sibling that sells from the same stock there, and calls it COPO."""
    await w.rows(
        """INSERT INTO listing (seller_id, id, account_id, ref, slot_id, channel_sku, status, managed_by, seen_at)
           SELECT seller_id, gen_random_uuid(), account_id, 'MLB-IRMAO', slot_id, 'COPO', status, managed_by, seen_at
           FROM listing RETURNING id"""
    )


async def links_now(w: World) -> dict[str, tuple[str | None, int]]:
    rows = await w.rows(
        "SELECT l.channel_sku, k.code, l.multiplier FROM listing l LEFT JOIN sku k ON k.id = l.sku_id ORDER BY 1"
    )
    return {row["channel_sku"]: (row["code"], row["multiplier"]) for row in rows}


async def test_a_partly_dispatched_order_follows_its_listing_to_another_sku_and_multiplier() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [KIT6], seed=1)
        await w.open_stock(CANECA=40, COPO=40)
        listing = await listing_of(w, "LOJA-6")
        await linking.link(w.rt, w.seller_id, listing["id"], "COPO", 2)
        left, waiting = await market.buy("LOJA-6", 2), await market.buy("LOJA-6", 1)
        await market.act("dispatch", order_ref=left)
        await w.settle()
        assert await w.level("COPO") == (36, 2)

        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 6)
        await w.at_rest()
        assert await w.level("COPO") == (40, 0)
        assert await w.level("CANECA") == (28, 6)
        assert market.shelf() == {"LOJA-6": 3}

        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 5)
        await market.act("dispatch", order_ref=waiting)
        await w.at_rest()
        assert await w.level("CANECA") == (25, 0)


async def test_what_left_before_the_opening_never_moves_the_stock_however_it_is_linked_later() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [KIT6, AVULSA], seed=1)
        listing, single = await listing_of(w, "LOJA-6"), await listing_of(w, "LOJA-1")
        gone, later = await store.buy("LOJA-6", 2), await store.buy("LOJA-1", 3)
        await store.act("complete", order_ref=gone)
        await w.settle()
        await w.open_stock(CANECA=60)  # unlinked then: nobody knew what had left
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 1)
        await linking.link(w.rt, w.seller_id, single["id"], "CANECA", 1)
        await w.at_rest()
        assert await w.level("CANECA") == (60, 3)

        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 6)
        await w.at_rest()
        assert await w.level("CANECA") == (60, 3)
        await store.act("complete", order_ref=later)
        await w.at_rest()
        assert await w.level("CANECA") == (57, 0)


async def test_unlinking_gives_back_what_open_orders_held_and_linking_takes_it_again() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [KIT6], seed=1)
        await w.open_stock(CANECA=20)
        listing = await listing_of(w, "LOJA-6")
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 6)
        await w.settle()
        await store.buy("LOJA-6", 2)
        await w.at_rest()
        assert await w.level("CANECA") == (20, 12)
        before = store.writes()
        await linking.link(w.rt, w.seller_id, listing["id"], None)
        await w.at_rest()
        assert await w.level("CANECA") == (20, 0)
        assert store.writes() == before
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 6)
        await w.at_rest()
        assert await w.level("CANECA") == (20, 12)
        assert store.shelf() == {"LOJA-6": 1}


async def test_a_sale_that_came_before_its_listing_was_linked_by_gtin_counts_when_the_walk_links_it() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [AVULSA], seed=1)
        await store.buy("LOJA-1", 4)
        await w.open_stock(CANECA=20)
        assert await w.alerts() == ["line_unlinked"]
        async with w.rt.db.seller(w.seller_id) as tx:
            await stock.sku_put(tx, "CANECA", gtin="07891000315507")
        await w.hurry("listings", "reconcile")
        await w.at_rest()
        assert await w.level("CANECA") == (20, 4)
        assert await w.alerts() == []


async def test_a_gtin_without_its_check_digit_or_on_two_skus_links_nothing() -> None:
    wrong = Product(sku="X-1", title="Outra", quantity=1, price_cents=100, gtin="7891000315508")
    async with world() as w:
        await w.connect("woocommerce", [AVULSA, wrong], seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await stock.sku_put(tx, "A", gtin="7891000315507")
            await stock.sku_put(tx, "B", gtin="07891000315507")
            await stock.sku_put(tx, "C", gtin="7891000315508")
        done = await linking.autolink(w.rt, w.seller_id)
        assert (done.linked, done.left) == (0, 2)
        assert done.refused == ("GTIN 07891000315507 is on SKU A and SKU B: nothing is linked by it",)
        async with w.rt.db.seller(w.seller_id) as tx:
            told = await links.duplicates(tx)
        assert [(row["kind"], row["places"]) for row in told] == [("gtin", ["SKU A", "SKU B"])]


async def test_one_code_in_two_cases_is_made_once_and_both_places_are_named() -> None:
    upper, lower = (Product(sku=sku, title=sku, quantity=1, price_cents=100) for sku in ("BULE", "bule"))
    async with world() as w:
        await w.connect("woocommerce", [upper], name="Um", seed=1)
        await w.connect("woocommerce", [lower], name="Dois", seed=2)
        done = await linking.autolink(w.rt, w.seller_id, create=True)
        assert (done.linked, done.left) == (1, 1)
        (sentence,) = done.refused
        assert "'bule'" in sentence
        assert "'BULE'" in sentence
        listing = await listing_of(w, "bule")
        with pytest.raises(Refused, match="'BULE'"):
            await linking.link(w.rt, w.seller_id, listing["id"], "Bule", create=True)


async def test_two_skus_or_multipliers_on_one_slot_are_refused_by_both_names() -> None:
    async with world() as w:
        await w.connect("mercadolivre", [CANECA], seed=1)
        await w.open_stock(CANECA=10, COPO=5)
        one = await listing_of(w, "CANECA")
        await share_its_slot(w)
        other = await listing_of(w, "COPO")
        for code, units in (("COPO", 1), ("CANECA", 2)):
            with pytest.raises(Refused, match=f"MLB-IRMAO.*{one['ref']}.*1 x CANECA"):
                await linking.link(w.rt, w.seller_id, other["id"], code, units)
        done = await linking.autolink(w.rt, w.seller_id)
        assert (done.linked, done.left) == (0, 1)
        assert await w.alerts() == ["link_refused"]
        async with w.rt.db.seller(w.seller_id) as tx:
            (alert,) = await alerts.open_ones(tx)
        older = {**alert, "params": {"detail": alert["params"]["detail"]}}  # as they were kept before
        reworded = {**alert, "params": {**alert["params"], "detail": "said otherwise"}}
        for row in (alert, older, reworded):
            assert words.alert_sentence(Language("pt_BR"), row) == (
                f"Um anúncio não pôde ser vinculado: O anúncio MLB-IRMAO divide o estoque com o anúncio {one['ref']}, "
                "que vende 1 × CANECA: vincule os dois ao mesmo SKU, com o mesmo multiplicador."
            )
            assert "isting MLB-IRMAO shares its stock with" in words.alert_sentence(Language("en"), row)
        strange = {**alert, "params": {"detail": "what nobody says any more"}}
        assert "what nobody says any more" in words.alert_sentence(Language("pt_BR"), strange)
        assert notice_words.facts(alert["params"], "pt_BR") == "SKU CANECA, ref. MLB-IRMAO", "no English sentence"

        # Both at once, to the same: that is no conflict.
        asked = [
            linking_file.Asked(line=n, account=None, listing=str(ref), variation=None, sku="COPO", multiplier=2)
            for n, ref in enumerate((one["ref"], "MLB-IRMAO"), start=2)
        ]
        plan = await linking_file.plan(w.rt, w.seller_id, asked, create=False)
        assert plan.wrong == {}
        assert await linking_file.carry_out(w.rt, w.seller_id, plan) == 2
        assert await links_now(w) == {"CANECA": ("COPO", 2), "COPO": ("COPO", 2)}
        assert await w.alerts() == []


async def test_a_file_that_would_link_one_slot_twice_is_wrong_in_both_lines() -> None:
    async with world() as w:
        await w.connect("mercadolivre", [CANECA], seed=1)
        await share_its_slot(w)
        one = await listing_of(w, "CANECA")
        asked = [
            linking_file.Asked(line=n, account=None, listing=str(ref), variation=None, sku=sku, multiplier=1)
            for n, (ref, sku) in enumerate(((one["ref"], "A"), ("MLB-IRMAO", "B")), start=2)
        ]
        plan = await linking_file.plan(w.rt, w.seller_id, asked, create=True)
        assert plan.good == {}
        assert "would be linked to 1 x B" in plan.wrong[2]
        assert "would be linked to 1 x A" in plan.wrong[3]


async def test_a_likely_sku_is_suggested_with_its_pack_and_never_linked() -> None:
    async with world() as w:
        await w.connect("woocommerce", [AVULSA, KIT6], seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await stock.sku_put(tx, "CAN-300", "Caneca de porcelana branca 300 ml")
            await stock.sku_put(tx, "PRATO", "Prato raso 26 cm")
        assert (await linking.autolink(w.rt, w.seller_id)).linked == 0
        told = {row["channel_sku"]: likely for row, likely in await linking.suggest(w.rt, w.seller_id)}
        assert {code: (likely[0].code, likely[0].multiplier) for code, likely in told.items()} == {
            "LOJA-1": ("CAN-300", 1), "LOJA-6": ("CAN-300", 6),
        }  # fmt: skip
        assert await links_now(w) == {"LOJA-1": (None, 1), "LOJA-6": (None, 1)}
