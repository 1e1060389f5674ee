"""One sale, every channel: two stores that share a shelf."""

from hub.sandbox import Product
from tests.world import world

SHELF = [
    Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
]


async def test_a_sale_on_one_store_shows_on_the_other() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, name="Um", seed=1)
        two = await w.connect("woocommerce", SHELF, name="Dois", seed=2)
        await w.open_stock(CANECA=10, PRATO=4)
        assert two.sandbox.shelf() == {"CANECA": 10, "PRATO": 4}

        await one.buy("CANECA", 3)
        await w.settle()

        assert one.sandbox.shelf() == two.sandbox.shelf() == {"CANECA": 7, "PRATO": 4}
        level = await w.row(
            "SELECT on_hand, reserved FROM stock_level l JOIN sku k ON k.id = l.sku_id WHERE k.code = 'CANECA'"
        )
        assert level == {"on_hand": 10, "reserved": 3}


async def test_a_cancelled_sale_comes_back_everywhere() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, name="Um", seed=1)
        two = await w.connect("woocommerce", SHELF, name="Dois", seed=2)
        await w.open_stock(CANECA=10, PRATO=4)
        order = await one.buy("PRATO", 4)
        await w.settle()
        assert two.sandbox.shelf()["PRATO"] == 0

        await one.act("cancel", order_ref=order)
        await w.settle()

        assert one.sandbox.shelf() == two.sandbox.shelf() == {"CANECA": 10, "PRATO": 4}
