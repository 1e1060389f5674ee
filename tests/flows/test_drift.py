"""What the audit makes of a channel that shows something else: repaired, proposed or left, and kept as one episode."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from hub.context import acting_as
from hub.faults import ChannelError, Fault
from hub.model import Outcome, OutcomeKind
from hub.sandbox import Product
from hub.store import Tx, accounts, slots
from hub.throttle import Throttle
from jobs import proposals, push_stock, sweep
from jobs.catalogue import record
from jobs.connect import Refused
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)


async def two_stores(w: World, *products: Product) -> tuple[Channel, Channel]:
    one = await w.connect("woocommerce", products or (CANECA,), name="Uma", seed=1)
    two = await w.connect("woocommerce", products or (CANECA,), name="Outra", seed=2)
    await w.open_stock(**{product.sku: product.quantity for product in products or (CANECA,)})
    await w.pass_time()
    return one, two


def edit(channel: Channel, sku: str, units: int) -> None:
    """Somebody changes a number there; nobody is told."""
    vars(channel.sandbox)["by_sku"][sku].units = units


async def audit(w: World) -> None:
    await w.hurry("reconcile")
    await w.drain()


async def policy(w: World, channel: Channel, **named: str) -> None:
    async with w.rt.db.seller(w.seller_id) as tx:
        await accounts.settle_settings(tx, channel.account.id, drift=named)


async def episodes(w: World) -> list[dict[str, Any]]:
    return await w.rows("SELECT * FROM drift ORDER BY first_seen_at")


async def told(w: World) -> list[tuple[str, str | None, str, str | None]]:
    return [(row["class"], row["direction"], row["state"], row["ended"]) for row in await episodes(w)]


async def test_more_than_there_is_is_put_right_at_once() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        edit(two, "CANECA", 15)
        await w.hurry("reconcile")
        await w.at_rest(CANECA=10)
        await audit(w)
        assert await told(w) == [("external_edit", "up", "closed", "repaired")]


@pytest.mark.flaky(reruns=2)  # its patience is shortened to moments: over before it is looked at on a busy machine
async def test_fewer_than_there_are_waits_for_its_order_and_is_then_put_right() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        edit(two, "CANECA", 3)
        await audit(w)
        assert await told(w) == [("unknown_sale", "down", "waiting", None)]
        assert two.shelf() == {"CANECA": 3}
        await w.at_rest(CANECA=10)
        await audit(w)
        assert await told(w) == [("external_edit", "down", "closed", "repaired")]
        assert (await episodes(w))[0]["count"] == 2


async def test_a_sale_nobody_told_of_is_asked_for_before_it_is_called_one() -> None:
    async with world() as w:
        one, two = await two_stores(w)
        two.turn(webhook_drop=1.0)
        await two.buy("CANECA", 2)
        with two.reading_writes() as written:
            await w.hurry("reconcile")
            await w.at_rest(CANECA=8)
        assert await told(w) == [], "its order was found: there is no difference"
        assert written == []
        assert one.shelf() == {"CANECA": 8}


async def test_an_order_that_cannot_be_read_keeps_the_number_from_being_raised() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        edit(two, "CANECA", 9)
        await w.rows(
            """INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, state, error)
               VALUES (%s, gen_random_uuid(), %s, 'webhook', 'order', '77', 'x', 'parked', 'x') RETURNING id""",
            w.seller_id, two.account.id,
        )  # fmt: skip
        for _ in range(3):
            await audit(w)
        assert [row[:3] for row in await told(w)] == [("unknown_sale", "down", "waiting")]
        assert (await episodes(w))[0]["why"] == "orders_unread"
        assert two.shelf() == {"CANECA": 9}


async def test_a_push_that_did_not_stick_is_sent_again() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        await w.count(CANECA=6)
        await w.at_rest(CANECA=6)
        await w.pass_time()
        edit(two, "CANECA", 10)
        await w.hurry("reconcile")
        await w.at_rest(CANECA=6)
        assert [row[:2] for row in await told(w)] == [("lost_push", "up")]


async def test_a_proposal_holds_raises_and_lets_a_new_lower_number_out() -> None:
    async with world() as w:
        one, two = await two_stores(w)
        await policy(w, two, external_edit_down="propose")
        edit(two, "CANECA", 3)
        await w.hurry("reconcile")
        await w.settle()
        for _ in range(3):
            await audit(w)
        assert [row[:3] for row in await told(w)] == [("external_edit", "down", "proposed")]
        assert (await episodes(w))[0]["count"] >= 4
        assert await w.alerts() == ["drift_proposed"]

        await one.buy("CANECA", 1)  # nine there are, three it shows: nothing to say
        await w.at_rest()
        assert two.shelf() == {"CANECA": 3}
        await one.buy("CANECA", 8)  # one is left
        await w.at_rest(CANECA=1)
        await w.pass_time()
        await audit(w)
        assert [row[2:] for row in await told(w)] == [("closed", "went_away")]
        assert await w.alerts() == []
        await w.count(CANECA=30)
        await w.settle()
        assert one.shelf() == two.shelf(), "what was asked about is over: raises go out again"


async def test_an_ignored_number_stands_until_the_hub_computes_another() -> None:
    async with world() as w:
        one, two = await two_stores(w)
        await policy(w, two, external_edit_up="ignore")
        edit(two, "CANECA", 12)
        await audit(w)
        await w.at_rest()
        assert two.shelf() == {"CANECA": 12}
        assert [row[:3] for row in await told(w)] == [("external_edit", "up", "noted")]
        await one.buy("CANECA", 1)
        await w.at_rest(CANECA=9)


async def test_a_paused_listing_is_noted_and_left() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        await w.pass_time()
        product = vars(market.sandbox)["products"]["CANECA"]
        product.items[0].status = "paused"
        product.take(10)
        for offer in product.items[0].offers:
            offer.shown = 0
        await audit(w)
        assert [row[:3] for row in await told(w)] == [("paused", "down", "noted")]
        assert store.shelf() == {"CANECA": 10}


async def test_a_listing_that_names_another_sku_is_proposed_and_its_number_not_raised() -> None:
    async with world() as w:
        _one, two = await two_stores(w, CANECA, PRATO)
        shelf = vars(two.sandbox)["by_sku"]
        shelf["CANECA"].sku, shelf["PRATO"].sku = "PRATO", "OUTRO"
        await audit(w)
        assert [row[:3] for row in await told(w)] == [("wrong_link", None, "proposed")]
        await w.count(CANECA=20)
        await w.settle()
        assert shelf["CANECA"].units == 10, "it may be another product: no more of it is shown"
        await w.count(CANECA=2)
        await w.settle()
        assert shelf["CANECA"].units == 2


async def test_a_listing_that_is_gone_is_closed_and_noted() -> None:
    async with world() as w:
        _one, two = await two_stores(w, CANECA, PRATO)
        gone = vars(two.sandbox)["by_sku"].pop("PRATO")
        del vars(two.sandbox)["items"][gone.id]
        await audit(w)
        assert [row[:3] for row in await told(w)] == [("gone", None, "noted")]
        closed = await w.rows("SELECT ref FROM stock_slot WHERE status = 'closed'")
        assert [row["ref"] for row in closed] == [str(gone.id)]


async def test_a_channel_that_forgets_its_whole_shelf_is_not_believed() -> None:
    products = [Product(sku=f"P{n}", title=f"Produto {n}", quantity=5, price_cents=1000) for n in range(30)]
    async with world() as w:
        _one, two = await two_stores(w, *products)
        vars(two.sandbox)["by_sku"].clear()
        vars(two.sandbox)["items"].clear()
        await audit(w)
        assert await w.rows("SELECT 1 FROM stock_slot WHERE status = 'closed'") == []
        assert await w.alerts() == ["drift_gone"]

        await audit(w)  # a whole walk misses them again, and each of them is asked for
        assert len(await w.rows("SELECT 1 FROM stock_slot WHERE status = 'closed'")) == 30
        await audit(w)
        assert await w.alerts() == []


async def test_many_differences_at_once_are_one_alert() -> None:
    products = [Product(sku=f"P{n}", title=f"Produto {n}", quantity=5, price_cents=1000) for n in range(25)]
    async with world() as w:
        _one, two = await two_stores(w, *products)
        for product in products:
            edit(two, product.sku, 9)
        await audit(w)
        assert await w.alerts() == ["drift_many"]
        await w.settle()
        await w.pass_time()
        await audit(w)
        assert await w.alerts() == []
        assert {row[2:] for row in await told(w)} == {("closed", "repaired")}


async def test_an_audit_goes_on_where_a_killed_worker_stopped() -> None:
    products = [Product(sku=f"P{n:03}", title=f"Produto {n}", quantity=5, price_cents=1000) for n in range(250)]
    async with world() as w:
        _one, two = await two_stores(w, *products)
        edit(two, "P240", 9)
        await w.pass_time()
        route, calls = "GET /wp-json/wc/v3/products", two.calls()
        two.turn(latency=0.05)
        await w.rows("UPDATE task SET due_at = now() WHERE kind = 'reconcile' AND account_id = %s RETURNING 1",
                     two.account.id)  # fmt: skip
        rt, pulse = await w.process()
        work = asyncio.ensure_future(sweep.drain(rt, "catalogue"))
        row = None
        while row is None or row["cursor"] is None:
            row = await w.row("SELECT cursor FROM task WHERE kind = 'reconcile' AND account_id = %s", two.account.id)
            await asyncio.sleep(0.005)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await pulse.__aexit__(None, None, None)
        done = (two.calls() - calls)[route]
        assert 1 <= done < 3, "the worker died in the middle"
        two.turn(latency=0.0)
        await sweep.free_dead(w.rt, w.pulse)
        await w.drain()
        assert (two.calls() - calls)[route] <= 4, "what was read is not read again"
        assert [row[:2] for row in await told(w)] == [("external_edit", "up")]


async def test_a_writer_that_wakes_after_the_audit_is_too_late() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        await w.count(CANECA=7)
        token = uuid4()
        async with w.rt.db.seller(w.seller_id) as tx:
            (slot,) = await slots.claim(tx, two.account.id, token, 99, w.rt.now() + timedelta(seconds=2), 9)
            began = w.rt.now() - timedelta(seconds=60)
            await slots.begin(tx, token, [slot.id], began, push_stock.LANDED)  # it left, and its worker stands still
        edit(two, "CANECA", 7)  # it landed
        await w.hurry("reconcile")
        await sweep.DRAINS["catalogue"](w.rt, two.account)
        row = await w.row("SELECT lease_token, lease_by, expected FROM stock_slot WHERE id = %s", slot.id)
        assert row == {"lease_token": None, "lease_by": None, "expected": 7}
        answer = Outcome(listing_ref=slot.listing_ref, slot_ref=slot.ref, outcome=OutcomeKind.ACCEPTED, seen=7)
        async with w.rt.db.seller(w.seller_id) as tx:
            assert not await slots.accepted(tx, token, slot, answer, began, w.rt.now(), push_stock.LANDED)
        await w.at_rest(CANECA=7)


async def proposed(w: World, channel: Channel, units: int = 3) -> dict[str, Any]:
    """An edit that waits for a person's word."""
    await policy(w, channel, external_edit_down="propose")
    edit(channel, "CANECA", units)
    await audit(w)
    await w.settle()
    (row,) = await episodes(w)
    assert row["state"] == "proposed"
    return row


async def test_an_accepted_proposal_is_written() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        row = await proposed(w, two)
        with acting_as("cli:ana"):
            await proposals.accept(w.rt, w.seller_id, row["id"])
        assert await w.alerts() == []
        await w.at_rest(CANECA=10)
        await w.pass_time()
        await audit(w)
        assert await told(w) == [("external_edit", "down", "closed", "repaired")]
        assert (await episodes(w))[0]["decided_by"] == "cli:ana"
        with pytest.raises(Refused, match="is closed"):
            await proposals.accept(w.rt, w.seller_id, row["id"])


async def test_a_dismissed_difference_stands_until_another_number_is_computed() -> None:
    async with world() as w:
        one, two = await two_stores(w)
        row = await proposed(w, two)
        await proposals.dismiss(w.rt, w.seller_id, row["id"])
        await audit(w)
        await w.at_rest()
        assert two.shelf() == {"CANECA": 3}
        assert await told(w) == [("external_edit", "down", "dismissed", None)]
        assert await w.alerts() == []
        await one.buy("CANECA", 1)
        await w.at_rest(CANECA=9)


async def test_an_accepted_link_is_the_one_that_the_listing_names() -> None:
    async with world() as w:
        _one, two = await two_stores(w, CANECA, PRATO)
        shelf = vars(two.sandbox)["by_sku"]
        shelf["CANECA"].sku, shelf["PRATO"].sku = "PRATO", "OUTRO"
        await audit(w)
        (row,) = await episodes(w)
        await proposals.accept(w.rt, w.seller_id, row["id"])
        await w.settle()
        assert shelf["CANECA"].units == 4, "as many as there are of PRATO"
        assert await told(w) == [("wrong_link", None, "closed", "accepted")]
        await w.pass_time()
        await audit(w)
        assert await told(w) == [("wrong_link", None, "closed", "accepted")]


async def test_what_cannot_be_decided_is_refused() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        with pytest.raises(Refused, match="there is no difference"):
            await proposals.dismiss(w.rt, w.seller_id, w.seller_id)
        for name, wanted, why in (("gone", "repair", "is not one of"), ("sale", "ignore", "there is no class")):
            with pytest.raises(Refused, match=why):
                await proposals.set_policy(w.rt, two.account, name, wanted)
        held = await proposals.set_policy(w.rt, two.account, "gone", "propose")
        held = await proposals.set_policy(w.rt, two.account, "paused", "repair")
        assert (held["gone"], held["paused"]) == ("propose", "repair")
        gone = vars(two.sandbox)["by_sku"].pop("CANECA")
        del vars(two.sandbox)["items"][gone.id]
        await audit(w)
        (row,) = await episodes(w)
        with pytest.raises(Refused, match="dismiss it"):
            await proposals.accept(w.rt, w.seller_id, row["id"])
        await proposals.dismiss(w.rt, w.seller_id, row["id"])
        assert await w.alerts() == []


async def test_an_audit_whose_place_is_forgotten_there_begins_anew() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA, PRATO], seed=2)
        kept = '{"started": "2026-01-01T00:00:00+00:00", "cursor": "a-scan-of-yesterday"}'
        await w.rows("UPDATE task SET cursor = %s WHERE kind = 'reconcile' RETURNING 1", kept)
        await audit(w)
        task = await w.row("SELECT cursor, error, succeeded_at FROM task WHERE kind = 'reconcile'")
        assert (task["cursor"], task["error"]) == (None, None)
        assert task["succeeded_at"]
        assert await w.rows("SELECT 1 FROM listing WHERE gone_at IS NOT NULL") == []
        assert market.account.name


async def test_an_audit_waits_where_others_need_the_limit_and_sales_do_not() -> None:
    async with world() as w:
        one, two = await two_stores(w)
        take = Throttle.take

        async def scarce(self: Throttle, *args: Any, spare: float = 0.0, **more: Any) -> None:
            if spare:
                at = w.rt.now() + timedelta(minutes=3)
                raise ChannelError(Fault.THROTTLED, "own_limit", "our limit frees in 180.0 s", retry_at=at)
            await take(self, *args, **more)

        calls = two.calls()
        with patch.object(Throttle, "take", scarce):
            await w.hurry("reconcile")
            await one.buy("CANECA", 2)
            await w.at_rest(CANECA=8)
        assert (two.calls() - calls)["GET /wp-json/wc/v3/products"] == 0
        rows = await w.rows("SELECT due_at, attempts, error, cursor FROM task WHERE kind = 'reconcile'")
        assert [(row["attempts"], row["error"]) for row in rows] == [(0, None), (0, None)]
        assert all(
            w.rt.now() + timedelta(minutes=2) < row["due_at"] < w.rt.now() + timedelta(minutes=4) for row in rows
        )

        await audit(w)
        assert (two.calls() - calls)["GET /wp-json/wc/v3/products"] == 1


async def test_a_source_is_read_and_not_judged() -> None:
    async with world() as w:
        _one, two = await two_stores(w)
        async with w.rt.db.seller(w.seller_id) as tx:
            await accounts.set_stock_role(tx, two.account.id, "source")
        edit(two, "CANECA", 3)
        await w.hurry("reconcile")
        await w.drain()
        assert await told(w) == []
        row = await w.row("SELECT seen, held FROM stock_slot WHERE account_id = %s", two.account.id)
        assert (row["seen"], row["held"]) == (3, None)


async def test_a_page_costs_as_many_statements_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    products = [Product(sku=f"P{n:02}", title=f"Produto {n}", quantity=5, price_cents=1000) for n in range(40)]
    async with world() as w:
        one = await w.connect("woocommerce", products, seed=1, variation_share=0.0)
        await w.open_stock(**{product.sku: product.quantity for product in products})
        await w.pass_time()
        account = await w.account(one)
        source = w.rt.adapter("woocommerce").listings
        assert source
        page = await source.pages(await w.rt.api(account), None)
        told_there = [listing for raw in page.documents for listing in source.parse(raw)]
        asked: list[str] = []
        for name in ("all", "run"):
            method = getattr(Tx, name)

            def counted(self: Tx, sql: Any, params: Any = (), method: Any = method) -> Any:
                asked.append(str(sql))
                return method(self, sql, params)

            monkeypatch.setattr(Tx, name, counted)
        counts = []
        for some in (told_there[:3], told_there):
            asked.clear()
            await record(w.rt, account, some, w.rt.now())
            counts.append(len(asked))
        assert len(told_there) == 40
        assert counts[0] == counts[1] <= 12


async def test_a_held_number_stays_while_others_of_its_account_go_out_and_is_free_once_it_was_written() -> None:
    async with world() as w:
        one, two = await two_stores(w, CANECA, PRATO)
        await proposed(w, two)
        await one.buy("PRATO", 1)
        await w.at_rest(PRATO=3)
        assert two.shelf()["CANECA"] == 3, "a drain of its account passes it over"
        await one.buy("CANECA", 9)
        await w.at_rest(CANECA=1)
        await w.pass_time()
        await w.count(CANECA=30)  # 9 of them are sold
        await w.settle()
        assert two.shelf()["CANECA"] == one.shelf()["CANECA"] == 21
