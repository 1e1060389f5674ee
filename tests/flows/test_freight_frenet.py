"""Labels that are made unpaid, paid once and heard of by notices: Frenet, from the quote to the buyer's channel."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from adapters.frenet import freight as words
from jobs import freight_buy, freight_leave
from jobs.freight import FreightRefused, quote
from tests.flows.freighting import seller as sending
from tests.flows.freighting import sold
from tests.world import Channel, World, world


async def seller(w: World, **options: Any) -> tuple[Channel, Channel, UUID]:
    """A store, Frenet, and a paid order with its quotes."""
    store, _correios = await sending(w)
    carrier = await w.connect("frenet", seed=5, **options)
    order = await sold(w, store)
    await quote(w.rt, w.seller_id, order)
    return store, carrier, order


async def buy(w: World, carrier: Channel, order: UUID) -> dict[str, Any]:
    account = await w.account(carrier)
    bought = await freight_buy.buy(w.rt, w.seller_id, order, account_id=account.id, service="JAD3")
    (label,) = bought.labels
    return label


def there(carrier: Channel) -> Any:
    """The sandbox, with what only Frenet's has."""
    return carrier.sandbox


def shipments(carrier: Channel) -> list[Any]:
    return list(there(carrier).shipments.values())


async def test_a_label_is_made_with_its_offer_paid_once_and_its_notices_ordered_with_it() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, carrier, order)
        assert (label["status"], label["tracking_code"]) == ("bought", shipments(carrier)[0].code)
        (shipment,) = shipments(carrier)
        assert shipment.status == words.PAID
        assert shipment.told["Quotation"]["ShippingPrice"] == label["quoted_cents"] / 100
        assert shipment.told["Quotation"]["CarrierCode"] == "JAD"
        address = shipment.told["TrackingNotificationUrl"]
        assert address.startswith(f"{w.rt.policy.public_url}/in/")
        assert address.endswith(f"?token={carrier.sandbox.credentials('')['webhook_token']}")
        paid = there(carrier).balance
        assert (await buy(w, carrier, order))["id"] == label["id"]
        assert (len(shipments(carrier)), there(carrier).balance) == (1, paid)


async def test_without_a_public_address_no_notices_are_ordered() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        w.rt.policy = replace(w.rt.policy, public_url=None)
        await buy(w, carrier, order)
        assert "TrackingNotificationUrl" not in shipments(carrier)[0].told


async def test_a_label_called_off_with_an_error_is_called_off() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w, sulks=1.0)
        label = await buy(w, carrier, order)
        await freight_leave.cancel(w.rt, w.seller_id, label["id"])
        assert shipments(carrier)[0].status == words.CALLED_OFF
        assert (await w.row("SELECT status FROM freight_label"))["status"] == "cancelled"


async def test_a_label_that_was_posted_is_not_called_off() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, carrier, order)
        await carrier.act("post", code=label["tracking_code"])
        with pytest.raises(FreightRefused):
            await freight_leave.cancel(w.rt, w.seller_id, label["id"])
        assert (await w.row("SELECT status FROM freight_label"))["status"] == "bought"


async def status(w: World) -> str | None:
    told: str | None = (await w.row("SELECT status FROM shipment"))["status"]
    return told


async def test_a_parcel_is_heard_of_and_asked_about_by_its_service_all_the_same() -> None:
    async with world() as w:
        _store, carrier, order = await seller(w)
        label = await buy(w, carrier, order)
        code = label["tracking_code"]
        await carrier.act("post", code=code, journey="delivered")
        await w.settle()
        assert await status(w) == "accepted", "by a notice, with the token that went out in our address"
        carrier.turn(webhook_drop=1.0)
        await carrier.act("advance", code=code)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET track_due_at = now() WHERE tracking_code = %s", [code])
        await w.settle()
        assert carrier.calls()["POST /tracking/trackinginfo"] > 0
        row = await w.row("SELECT status, track_error FROM shipment")
        assert row == {"status": "in_transit", "track_error": None}
