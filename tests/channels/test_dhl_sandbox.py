"""The DHL client against the sandbox, over real HTTP."""

import pytest

from adapters.dhl import ADAPTER, client, freight, mapping, sandbox
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Address, DeclaredGoods, Parcel, Party, Posting, Request, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi

S = TrackingStatus
HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
AWAY = Address(street="Rua Augusta", number="5", city="Lisboa", postal_code="1000001", country="PT")
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000",
    to_postal_code="86010000",
    weight_g=300,
    length_cm=20,
    width_cm=15,
    height_cm=5,
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="1", service="N", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


async def test_check_proves_the_password(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert (await client.check(api)).external_id == sandbox.ACCOUNT
    stranger = await connect(ADAPTER, sandbox.create([]), password="outra")
    with pytest.raises(ChannelError) as refusal:
        await client.check(stranger)
    assert refusal.value.fault is Fault.AUTH


async def test_ten_waybills_are_one_request(connect: Connect):
    carrier = sandbox.create([], parcels=8)
    api = await connect(ADAPTER, carrier)
    asked = [*list(carrier.parcels)[::-1], "1234567890", "AAAA"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error.code for one in told if one.error] == ["not_told", "not_told"]
    assert all(one.events and one.status and one.deliver_by for one in told[:8])
    assert len(api.calls) == 1
    assert [one.error and one.error.code for one in await track(api, "AAAA")] == ["404"]
    assert await track(api) == []
    assert len(api.calls) == 2


async def test_one_waybill_by_its_own_address(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [code] = carrier.parcels
    one = Request(method="GET", path=f"/shipments/{code}/tracking")
    assert mapping.parse(json_of(await api.call(one)), []) == await track(api, code)
    last = Request(method="GET", path=f"/shipments/{code}/tracking", params=(("trackingView", "last-checkpoint"),))
    assert len(mapping.parse(json_of(await api.call(last)), [])[0].events) == 1
    for params in ((("trackingView", "shipment-details"), ("shipmentTrackingNumber", code)), ()):
        with pytest.raises(ChannelError) as refusal:
            await api.call(Request(method="GET", path="/tracking", params=params))
        assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("second_try", [S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("cleared", [S.CUSTOMS, S.CUSTOMS, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("late", [S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("collected", [S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.AWAITING_PICKUP, S.DELIVERED]),
        ("returned", [S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.EXCEPTION, S.RETURNED]),
        ("damaged", [S.OUT_FOR_DELIVERY, S.DELIVERED]),
    ],
)
async def test_a_journey_scan_by_scan(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    assert int(code[:9]) % 7 == int(code[9])
    [told] = await track(api, code)
    seen, late = [told.status], False
    while (await carrier.act("advance", {"code": code}))["scans"]:
        [told] = await track(api, code)
        seen.append(told.status)
        late |= told.delayed
    assert seen == [S.ACCEPTED, *[S.IN_TRANSIT] * 5, *statuses]
    assert late is (journey == "late")
    assert carrier.orders() == {code: told.events[-1].raw_code}


async def test_quotes_ask_for_the_cities_first(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    services = ["P", "N", "ZZ"]
    worldwide, domestic, none = freight.read_quotes(await client.quote(api, BOX, services), services)
    assert (domestic.price_cents, domestic.days, domestic.error) == (58_90 + 9_40, 2, None)
    assert worldwide.error is not None
    assert none.error is not None
    assert (worldwide.error.code, none.error.code) == ("no_price", "not_told")
    asked = dict(api.calls[-1].params)
    assert [call.path for call in api.calls] == ["/address-validate", "/address-validate", "/rates"]
    assert (asked["originCityName"], asked["destinationCityName"]) == ("SAO PAULO", "CURITIBA")
    assert (asked["weight"], asked["accountNumber"]) == ("0.300", sandbox.ACCOUNT)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"to_postal_code": "00000000"}, "8001"), ({"weight_g": 71_000}, "996"), ({}, "account number")],
)
async def test_a_refused_quote_is_told_not_raised(connect: Connect, change, words):
    account = {} if change else {"account": "0"}
    api = await connect(ADAPTER, sandbox.create([]), **account)
    [quote] = freight.read_quotes(await client.quote(api, BOX.model_copy(update=change), ["N"]), ["N"])
    assert quote.error is not None
    assert words in quote.error.message


async def test_buy_post_and_track(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    assert ADAPTER.freight is not None
    bought = freight.read_purchase(json_of(await api.call(ADAPTER.freight.order(api, POSTING))))
    assert bought.label is not None
    assert bought.label.startswith(b"%PDF")
    assert (bought.price_cents, bought.service) == (58_90 + 9_40, None)
    assert bought.tracking_code is not None
    [waiting] = await track(api, bought.tracking_code)
    assert (waiting.status, waiting.error and waiting.error.code) == (None, "404")
    await carrier.act("post", {"code": bought.tracking_code})
    [posted] = await track(api, bought.tracking_code)
    assert (posted.status, posted.events[0].place) == (S.ACCEPTED, "CURITIBA-BR")
    with pytest.raises(LookupError):
        await carrier.act("post", {"code": bought.tracking_code})


async def test_goods_for_abroad_are_declared(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    buyer = SHOP.model_copy(update={"address": AWAY})
    abroad = POSTING.model_copy(update={"recipient": buyer, "service": "P"})
    whole = client.complete(api, freight.purchase(abroad))
    assert freight.read_purchase(json_of(await api.call(whole))).tracking_code
    whole.json["content"]["isCustomsDeclarable"] = False
    with pytest.raises(ChannelError) as refusal:
        await api.call(whole)
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "7010")


async def test_what_a_shipment_needs(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    incomplete = freight.purchase(POSTING)  # no account and no day
    with pytest.raises(ChannelError) as refusal:
        await api.call(incomplete)
    assert (refusal.value.status, refusal.value.fault) == (422, Fault.REJECTED)
    assert "plannedShippingDateAndTime" in refusal.value.detail
    whole = client.complete(api, incomplete)
    for name, wrong, code in (
        ("plannedShippingDateAndTime", "amanhã", "998"),
        ("plannedShippingDateAndTime", "2020-01-01T10:00:00 GMT-03:00", "998"),
        ("accounts", [], "400"),
        ("productCode", "ZZ", "7007"),
    ):
        with pytest.raises(ChannelError) as refusal:
            await api.call(Request(method="POST", path="/shipments", json={**whole.json, name: wrong}))
        assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, code)


async def test_a_spent_quota_is_throttled(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([], quota=1))
    await client.check(api)
    with pytest.raises(ChannelError) as refusal:
        await client.check(api)
    assert refusal.value.fault is Fault.THROTTLED


async def test_what_cannot_be_done_there(connect: Connect):
    carrier = sandbox.create([])
    await connect(ADAPTER, carrier)
    for verb, wanted in (("buy", {}), ("advance", {"code": "1"}), ("post", {"journey": "lost"})):
        with pytest.raises(LookupError):
            await carrier.act(verb, wanted)
    assert carrier.shelf() == {}
