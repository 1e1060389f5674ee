"""A label of Melhor Envio is paid once: whatever breaks between the cart and the PDF, and whoever tells of it later."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.store import freight
from jobs import freight_buy, freight_labels, freight_leave
from tests.flows.freighting import CANECA, SENDER, lapse, sold
from tests.flows.freighting import buy as bought
from tests.world import Channel, World, hang_up, world

CHECKOUT, GENERATE = "POST /api/v2/me/shipment/checkout", "POST /api/v2/me/shipment/generate"
ORDER = "GET /api/v2/me/orders/{id}"


async def seller(w: World) -> tuple[Channel, Channel, UUID]:
    """A store, Melhor Envio, and a paid order."""
    store = await w.connect("woocommerce", [CANECA], seed=1)
    carrier = await w.connect("melhorenvio", seed=9, label_asks=0)
    await w.open_stock(CANECA=200)
    async with w.rt.db.seller(w.seller_id) as tx:
        assert await freight.measure(tx, "CANECA", 350, (120, 100, 90))
        await freight.set_policy(tx, None, {"sender": SENDER, "tare_g": 100})
    return store, carrier, await sold(w, store)


async def buy(w: World, order: UUID) -> dict[str, Any]:
    (label,) = (await bought(w, order)).labels
    return label


def spent(carrier: Channel) -> int:
    """Centavos gone from the balance."""
    return 1_000_000 - int(vars(carrier.sandbox)["balance"])


@contextmanager
def broken(carrier: Channel, name: str, *, arrives: bool, after: int = 0) -> Iterator[None]:
    """A route whose answer is lost, from the call after so many; 503 where the request does not even arrive."""
    (route,) = [
        each for each in carrier.sandbox.app.router.routes()
        if each.resource and f"{each.method} {each.resource.canonical}" == name
    ]  # fmt: skip
    handler: Any = route._handler
    seen: list[int] = []

    async def lost(request: web.Request) -> web.StreamResponse:
        seen.append(1)
        if len(seen) <= after:
            answer: web.StreamResponse = await handler(request)
            return answer
        if not arrives:
            return web.json_response({"message": "Service Unavailable"}, status=503)
        answer = await handler(request)
        await hang_up(request)
        return answer

    route._handler = lost
    try:
        yield
    finally:
        route._handler = handler


async def test_from_the_order_to_the_pdf_and_to_the_buyers_door() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, order)
        assert (label["status"], label["service"]) == ("bought", "3"), "the cheapest within the promise"
        assert spent(carrier) == label["price_cents"] == label["quoted_cents"]
        files, failures = await freight_labels.fetched(w.rt, w.seller_id, [label["id"]])
        assert failures == {}
        assert files[label["id"]].startswith(b"%PDF")
        again = await bought(w, order)
        assert again.again
        assert spent(carrier) == label["price_cents"]
        await carrier.act("post", code=label["ref"], journey="delivered")
        await carrier.act("advance", code=label["ref"])
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET track_due_at = now() WHERE track_due_at IS NOT NULL")
        await w.settle()
        parcel = await w.row("SELECT status, news_told FROM shipment")
        assert (parcel["status"], parcel["news_told"][-1]) == ("delivered", "delivered")


async def test_a_payment_whose_answer_was_lost_is_not_made_twice() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        with broken(carrier, CHECKOUT, arrives=True):
            label = await buy(w, order)
        assert label["status"] == "paying"
        assert spent(carrier) == label["quoted_cents"]
        await lapse(w)
        assert await freight_buy.settle_left(w.rt) == 1
        assert (await buy(w, order))["status"] == "bought"
        assert spent(carrier) == label["quoted_cents"]
        assert carrier.calls()[CHECKOUT] == 1


async def test_a_purchase_that_breaks_after_its_payment_is_not_given_up_as_refused() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        with broken(carrier, ORDER, arrives=False, after=1):
            label = await buy(w, order)
        assert (label["status"], spent(carrier)) == ("paying", label["quoted_cents"])
        await lapse(w)
        assert await freight_buy.settle_left(w.rt) == 1
        assert (await buy(w, order))["status"] == "bought"
        assert spent(carrier) == label["quoted_cents"]


async def test_what_the_balance_does_not_hold_is_refused_and_bought_once_it_does() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        vars(carrier.sandbox)["balance"] = 100
        label = await buy(w, order)
        assert (label["status"], label["error"]) == ("refused", "Saldo insuficiente na carteira.")
        vars(carrier.sandbox)["balance"] = 1_000_000
        label = await buy(w, order)
        assert (label["status"], spent(carrier)) == ("bought", label["price_cents"])


async def test_a_label_that_cannot_be_made_costs_nothing() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        vars(carrier.sandbox)["unmade"] = "Agência obrigatória"
        label = await buy(w, order)
        assert label["status"] == "refused"
        assert "Agência obrigatória" in label["error"]
        assert spent(carrier) == 0


async def test_a_label_is_taken_back_and_its_price_with_it() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, order)
        await freight_leave.cancel(w.rt, w.seller_id, label["id"])
        assert spent(carrier) == 0
        another = await buy(w, order)
        assert another["id"] != label["id"]
        assert (another["status"], spent(carrier)) == ("bought", another["price_cents"])


async def test_a_webhook_moves_the_parcel_before_the_carrier_is_asked() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, order)
        await freight_labels.fetched(w.rt, w.seller_id, [label["id"]])
        before = carrier.calls()
        await carrier.act("post", code=label["ref"], journey="delivered")
        await carrier.act("advance", code=label["ref"])
        while carrier.sandbox.courier.under_way:
            await asyncio.wait(carrier.sandbox.courier.under_way)
        await w.settle()
        parcel = await w.row("SELECT status, news_told FROM shipment")
        assert (parcel["status"], parcel["news_told"][-1]) == ("delivered", "delivered")
        assert not carrier.calls() - before, "fat notices are enough"
