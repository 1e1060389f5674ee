"""Credentials that are wrong, end, or can be used once."""

import asyncio
from unittest.mock import patch

import adapters.woocommerce.sandbox as woo
from hub.model import Request
from hub.sandbox import Product
from jobs import connect
from jobs.runtime import Runtime
from tests.world import Channel, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
TOKEN = "POST /oauth/token"
NEW_SECRET = "cs_" + "9c" * 20


async def ask(rt: Runtime, channel: Channel) -> int:
    """One call that needs the token."""
    account = await rt.account(channel.account.seller_id, channel.account.id)
    return (await (await rt.api(account)).call(Request(method="GET", path="/users/me"))).status


async def test_a_refused_key_holds_the_account_and_keeps_its_work() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        with patch.object(woo, "WRITE_SECRET", NEW_SECRET):
            await market.buy("CANECA", 3)
            await w.settle()
            assert (await w.account(store)).status == "held"
            assert await w.alerts() == ["account_held"]
            assert store.shelf() == {"CANECA": 10}

            sold = await store.buy("CANECA", 2)  # its webhooks still come
            await market.buy("CANECA", 1)
            await w.settle()
            assert market.shelf() == {"CANECA": 6}

            await connect.account_reseal(w.rt, store.account, {"consumer_secret": NEW_SECRET})
            assert await connect.resume(w.rt, await w.account(store)) == "live"
            await w.at_rest(CANECA=4)
        assert (await w.order(sold))["status"] == "paid"
        assert await w.alerts() == []


async def test_a_used_refresh_token_holds_the_account_until_a_new_one_is_given() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        vars(market.sandbox)["refresh"] = "TG-outro-cliente-usou"
        await market.act("expire")
        await store.buy("CANECA", 3)
        await w.settle()
        assert (await w.account(market)).status == "held"
        assert market.calls()[TOKEN] == 2  # the first, and the one refused: it is not tried again and again

        await connect.account_reseal(w.rt, market.account, {"refresh_token": vars(market.sandbox)["refresh"]})
        await connect.resume(w.rt, await w.account(market))
        await w.at_rest(CANECA=7)


async def test_a_single_use_token_is_renewed_once_for_many_callers() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        assert market.calls()[TOKEN] == 1
        await market.act("expire")
        assert await asyncio.gather(*(ask(w.rt, market) for _ in range(8))) == [200] * 8
        assert market.calls()[TOKEN] == 2


async def test_a_token_near_its_end_is_renewed_before_it_is_refused() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE credential SET token_expires_at = now() + interval '1 minute'")
        before = market.calls()
        assert await asyncio.gather(*(ask(w.rt, market) for _ in range(8))) == [200] * 8
        assert (market.calls() - before) == {TOKEN: 1, "GET /users/me": 8}


async def test_two_processes_renew_a_single_use_token_once_in_all() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        other, _pulse = await w.process()
        for _ in range(3):
            market.turn(latency=0.1)
            await market.act("expire")
            before = market.calls()[TOKEN]
            told = await asyncio.gather(*(ask(rt, market) for rt in (w.rt, other) * 4))
            assert told == [200] * 8
            assert market.calls()[TOKEN] == before + 1


async def test_a_renewal_whose_worker_died_is_taken_over() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await market.act("expire")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                "UPDATE credential SET lease_token = gen_random_uuid(), lease_until = now() + interval '0.5 seconds'"
            )
        assert await ask(w.rt, market) == 200
        assert market.calls()[TOKEN] == 2


async def test_a_sale_right_after_a_second_account_is_connected_finds_its_account() -> None:
    async with world() as w:
        await w.connect("mercadolivre", [CANECA], name="Um", seed=1)
        two = await w.connect("mercadolivre", [CANECA], name="Dois", seed=2, user_id=987654321)
        await w.open_stock(CANECA=10)
        await two.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        assert w.intake.counted["nobody"] == 0
