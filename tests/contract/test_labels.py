"""Labels that a channel issues itself, over its sandbox: had while the parcel is here, told why not after."""

import pytest

from hub.contract import LabelSource, LabelState
from hub.faults import Fault
from hub.http import AccountApi
from hub.labels import pages_of
from tests.contract.deeds import order_of
from tests.contract.payloads import channels
from tests.contract.shops import Shop, failure, opened


async def parcel(shop: Shop, api: AccountApi, source: LabelSource) -> tuple[str, str]:
    """(order ref, shipment ref) of something just paid."""
    ref = await shop.buy("SKU-000")
    (shipment,) = (await order_of(shop, api, ref)).shipments
    assert shipment.service in source.services, "what it sells is found by the services that it labels"
    return ref, shipment.ref


@pytest.mark.parametrize("channel", channels("labels"))
async def test_a_label_is_had_until_its_parcel_left_or_was_cancelled(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.labels
        assert source
        assert source.services
        assert len(set(source.services)) == len(source.services)

        async def state(ref: str) -> LabelState:
            return source.standing(await source.look(api, ref)).state

        (sent, first), (regretted, second) = await parcel(shop, api, source), await parcel(shop, api, source)
        assert await state(first) is LabelState.READY
        for _ in range(2):  # a jammed printer
            assert len(pages_of(await source.fetch(api, first))) >= 1
            assert await state(first) is LabelState.READY
        await shop.sandbox.act("dispatch", {"order_ref": sent})
        assert await state(first) is LabelState.POSTED
        assert (await failure(source.fetch(api, first))).fault is Fault.REJECTED
        await shop.sandbox.act("cancel", {"order_ref": regretted})
        assert await state(second) is LabelState.CANCELLED
        assert (await failure(source.fetch(api, second))).fault is Fault.REJECTED
        assert (await failure(source.look(api, "1"))).fault is Fault.MISSING
