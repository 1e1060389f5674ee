"""A seller who sends: measured SKUs, a sender, a store that sells, carriers that quote."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from hub.nfe import check_digit
from hub.sandbox import Product
from hub.store import freight
from jobs import freight as quotes
from jobs import freight_buy
from tests.world import Channel, World

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=200, price_cents=3990)
LIVRO = Product(sku="LIVRO", title="Livro de receitas", quantity=200, price_cents=8990)
SENDER = {
    "name": "Loja de Teste Ltda", "document": "52998224725", "phone": "+5511987654321", "email": None,
    "address": {
        "recipient": None, "street": "Rua do Remetente", "number": "10", "complement": None, "district": "Centro",
        "city": "São Paulo", "state": "SP", "postal_code": "01310200", "country": "BR",
    },
}  # fmt: skip
BUY = "POST /prepostagem/v1/prepostagens"
_BODY = "3526071122233300018155001000001234156789012"
KEY = _BODY + check_digit(_BODY)


async def seller(w: World, *, jadlog: bool = False) -> tuple[Channel, Channel]:
    """A store and Correios (and Jadlog), SKUs measured, a sender who is a person."""
    store = await w.connect("woocommerce", [CANECA, LIVRO], seed=1)
    carrier = await w.connect("correios", seed=9)
    if jadlog:
        await w.connect("jadlog", seed=3)
    await w.open_stock(CANECA=200, LIVRO=200)
    async with w.rt.db.seller(w.seller_id) as tx:
        assert await freight.measure(tx, "CANECA", 350, (120, 100, 90))
        assert await freight.measure(tx, "LIVRO", 900, (240, 170, 30))
        await freight.set_policy(tx, None, {"sender": SENDER, "tare_g": 100})
    return store, carrier


async def policy(w: World, **words: Any) -> None:
    """Change the seller's policy."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await freight.set_policy(tx, None, words)


async def sold(w: World, store: Channel, sku: str = "CANECA", quantity: int = 2) -> UUID:
    """A paid order's id."""
    ref = await store.buy(sku, quantity)
    await w.settle()
    order_id: UUID = (await w.order(ref))["id"]
    return order_id


async def invoiced(w: World, order_id: UUID, key: str) -> None:
    """An NF-e for an order."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            "INSERT INTO invoice (seller_id, id, order_id, key, issued_at) "
            "VALUES (%s, gen_random_uuid(), %s, %s, now())",
            [w.seller_id, order_id, key],
        )


async def lapse(w: World) -> None:
    """What was asked of carriers cannot arrive any more, and whoever asked is gone."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run("UPDATE freight_label SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")


async def buy(w: World, order: UUID, **more: Any) -> freight_buy.Bought:
    """Labels bought by a quote, which is asked for first."""
    with suppress(quotes.FreightRefused):  # what cannot be quoted is refused by the purchase, too
        await quotes.latest(w.rt, w.seller_id, order)
    return await freight_buy.buy(w.rt, w.seller_id, order, **more)
