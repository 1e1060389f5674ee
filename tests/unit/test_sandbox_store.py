"""The store that sandboxes are made of: nothing is sold twice, and what is given back is there again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sandbox import Product
from hub.sandbox_store import Store

CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=1990)
TEE = [Product(sku=f"TEE-{size}", title=size, quantity=3, price_cents=4990, parent="Camiseta") for size in "PMG"]


class Physical(Store):
    physical = True


def lines(sku: str = "CUP", quantity: int = 1) -> list[dict[str, object]]:
    return [{"sku": sku, "quantity": quantity}]


@pytest.mark.parametrize("kind", [Store, Physical])
def test_what_is_not_there_is_not_sold(kind: type[Store]):
    store = kind([CUP])
    store.buy(lines(quantity=5), pay=True)
    with pytest.raises(LookupError, match="sold_out"):
        store.buy(lines(), pay=True)
    with pytest.raises(LookupError, match="sold_out"):  # two lines of one SKU are one demand
        kind([CUP]).buy([*lines(quantity=3), *lines(quantity=3)], pay=True)


def test_a_physical_store_keeps_units_until_they_are_sent():
    store = Physical([CUP])
    sale = store.buy(lines(quantity=2), pay=True)
    item = store.by_sku["CUP"]
    assert (item.units, item.reserved, item.free) == (5, 2, 3)
    store.dispatch(sale, "AA123456785BR")
    assert (item.units, item.reserved, item.free, sale.tracking) == (3, 0, 3, "AA123456785BR")
    store.dispatch(sale)
    assert (item.units, sale.tracking) == (3, "AA123456785BR")


async def test_a_part_is_cancelled_and_then_the_rest():
    store = Store([CUP])
    ref = (await store.act("buy", {"lines": lines(quantity=3)}))["order_ref"]
    await store.act("cancel", {"order_ref": ref, "lines": [{"sku": "CUP", "quantity": 1}]})
    assert (store.shelf()["CUP"], store.orders()[ref]) == (3, "paid")
    await store.act("cancel", {"order_ref": ref})
    assert (store.shelf()["CUP"], store.orders()[ref]) == (5, "cancelled")
    with pytest.raises(LookupError, match="not_cancellable"):
        await store.act("cancel", {"order_ref": ref})


def test_variations_share_their_parents_number():
    store = Store([CUP, *TEE])
    parents = {store.by_sku[tee.sku].parent for tee in TEE}
    assert len(parents) == 1
    assert parents != {None}
    assert store.by_sku["CUP"].parent is None


@given(
    st.lists(st.tuples(st.sampled_from(["buy", "pay", "cancel", "dispatch", "deliver", "return"]), st.integers(0, 9)))
)
@pytest.mark.parametrize("kind", [Store, Physical])
async def test_units_are_on_the_shelf_kept_for_somebody_or_gone(kind: type[Store], deeds: list[tuple[str, int]]):
    store = kind([CUP])
    for verb, number in deeds:
        refs = list(store.orders())
        try:
            if verb == "buy":
                await store.act("buy", {"lines": lines(quantity=1 + number % 3), "pay": number > 4})
            elif refs:
                await store.act(verb, {"order_ref": refs[number % len(refs)]})
        except LookupError:
            continue
    gone = sum(
        line.quantity - line.cancelled
        for sale in store.sales.values()
        for line in sale.lines
        if sale.stage in ("dispatched", "delivered", "returned")
    )
    kept = sum(line.holds for sale in store.sales.values() if sale.stage in ("placed", "paid") for line in sale.lines)
    assert store.shelf()["CUP"] + kept + gone == 5
    assert [sale.changed for sale in store.changed_since()] == sorted(sale.changed for sale in store.sales.values())
