"""A meaningless zero: a run that would empty an account stops and asks; what sold out goes out."""

from hub.sandbox import Product
from jobs import connect, policies
from tests.world import Channel, World, world

SKUS = tuple(f"SKU-{n:02d}" for n in range(12))
PRODUCTS = [Product(sku=sku, title=sku, quantity=5, price_cents=1000) for sku in SKUS]


async def full_shelves(w: World) -> tuple[Channel, Channel]:
    store = await w.connect("woocommerce", PRODUCTS, seed=1)
    market = await w.connect("mercadolivre", PRODUCTS, seed=2)
    await w.open_stock(**dict.fromkeys(SKUS, 5))
    await w.pass_time()
    return store, market


async def test_a_count_that_would_empty_the_shelves_stops_and_asks() -> None:
    async with world() as w:
        store, market = await full_shelves(w)
        await w.count(**dict.fromkeys(SKUS, 0))
        await w.at_rest()

        assert set(store.shelf().values()) == set(market.shelf().values()) == {5}
        assert await w.alerts() == ["zero_brake", "zero_brake"]
        assert (await w.account(store)).braked_at is not None

        await w.count(**{SKUS[0]: 3})  # what is not zero goes out all the same
        await w.at_rest(**{SKUS[0]: 3, SKUS[1]: 5})


async def test_zeros_that_were_seen_and_let_go_go_out() -> None:
    async with world() as w:
        store, market = await full_shelves(w)
        await w.count(**dict.fromkeys(SKUS, 0))
        await w.at_rest()
        for channel in (store, market):
            await connect.resume(w.rt, await w.account(channel))
        await w.at_rest(**dict.fromkeys(SKUS, 0))
        assert await w.alerts() == []
        assert (await w.account(store)).braked_at is None

        await w.count(**dict.fromkeys(SKUS, 5))
        await w.at_rest(**dict.fromkeys(SKUS, 5))
        await w.count(**dict.fromkeys(SKUS, 0))  # and the next one asks again
        await w.at_rest(**dict.fromkeys(SKUS, 5))
        assert await w.alerts() == ["zero_brake", "zero_brake"]


async def test_a_sellers_own_limit_holds_in_place_of_the_installations() -> None:
    async with world() as w:
        await full_shelves(w)
        await policies.set_brake_share(w.rt, w.seller_id, 1.0)
        await w.count(**dict.fromkeys(SKUS, 0))
        await w.at_rest(**dict.fromkeys(SKUS, 0))
        assert await w.alerts() == []


async def test_zeros_from_sales_always_go_out() -> None:
    async with world() as w:
        _store, market = await full_shelves(w)
        await market.act("buy", lines=[{"sku": sku, "quantity": 5} for sku in SKUS])
        await w.at_rest(**dict.fromkeys(SKUS, 0))
        assert await w.alerts() == []


async def test_a_few_zeros_are_not_worth_asking_about() -> None:
    async with world() as w:
        await full_shelves(w)
        await w.count(**dict.fromkeys(SKUS[:3], 0))
        await w.at_rest(**dict.fromkeys(SKUS[:3], 0))
        assert await w.alerts() == []
