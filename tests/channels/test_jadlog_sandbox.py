"""The Jadlog client against the sandbox, over real HTTP."""

import pytest

from adapters.jadlog import ADAPTER, client, freight, mapping, sandbox
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Purchase, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi
from tests.channels.test_jadlog import BOX, POSTING

S = TrackingStatus


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse_tracking(await client.fetch(api, codes), codes)


async def test_the_key_is_proven_by_asking_for_some_parcel(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    told = await client.check(api)
    assert (told.external_id, told.name) == (sandbox.CNPJ, f"Jadlog, CNPJ {sandbox.CNPJ}")
    assert [call.path for call in api.calls] == ["/tracking/consultar"]


async def test_a_wrong_key(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), token="errado")
    with pytest.raises(ChannelError) as refusal:
        await client.check(api)
    assert (refusal.value.fault, refusal.value.code, refusal.value.status) == (Fault.AUTH, "TOKEN INVALIDO", 401)


async def test_a_hundred_codes_in_the_order_asked(connect: Connect):
    carrier = sandbox.create([], parcels=98, seed=4)
    api = await connect(ADAPTER, carrier)
    parcels = list(carrier.parcels.values())[::-1]
    asked = [
        *(parcel.shipment if n % 2 else parcel.cte for n, parcel in enumerate(parcels)),
        "11999999999999",
        "12345678",
    ]
    told = await track(api, *asked)
    assert len(api.calls) == 1
    assert [one.code for one in told] == asked
    assert all(one.status and one.deliver_by for one in told[:98])
    assert [one.error.message for one in told if one.error] == [sandbox.UNKNOWN] * 2
    with pytest.raises(ChannelError) as refusal:
        await track(api, *asked, "10000000000000")
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "erro")


async def test_no_codes_no_call(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert await track(api) == []
    assert api.calls == []


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        (
            "second_try",
            [S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED],
        ),
        (
            "odd_word",
            [S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.OUT_FOR_DELIVERY, S.DELIVERED],
        ),
    ],
)
async def test_a_journey(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses


async def test_a_parcel_is_asked_for_by_each_of_its_numbers(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [parcel] = carrier.parcels.values()
    told = await track(api, parcel.shipment, parcel.cte, parcel.order)
    assert {one.status for one in told} == {told[0].status}
    assert all(one.events for one in told)


async def test_prices_side_by_side(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    told = freight.read_quotes(await client.quote(api, BOX, ["3", "0", "14"]), ["3", "0", "14"])
    # 21.90 + 5.184 kg at 3.10; 38.40 + 2.880 kg at 7.20
    assert [(one.service, one.price_cents, one.days) for one in told] == [
        ("3", 3797, 5),
        ("0", 5914, 2),
        ("14", None, None),
    ]
    assert told[2].error
    assert told[2].error.message == "Modalidade nao contratada"
    assert len(api.calls) == 1
    assert [row["modalidade"] for row in (await client.quote(api, BOX, []), api.calls[-1].json)[1]["frete"]] == [
        3,
        5,
        9,
        0,
    ]


async def test_a_wrong_contract_is_the_reason_of_every_service(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), contract="1")
    told = freight.read_quotes(await client.quote(api, BOX, ["3", "5"]), ["3", "5"])
    assert [one.error and one.error.message for one in told] == ["frete[0].contrato Numero de contrato invalido"] * 2


async def buy(api: PlainApi) -> Purchase:
    return freight.read_purchase(json_of(await api.call(client.complete(api, freight.order(POSTING)))))


async def test_bought_once_however_often_it_is_sent_followed_and_found(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    bought = await buy(api)
    assert bought.label
    assert bought.label.startswith(b"%PDF")
    assert await client.find(api, POSTING, api.now()) is None, "tracking tells of no order that was not handed over"
    again = await buy(api)
    assert (len(carrier.orders_made), again.tracking_code) == (1, None)
    assert await client.settle(api, again) == again
    await carrier.act("post", {"code": bought.tracking_code})
    for told in (await client.find(api, POSTING, api.now()), await client.settle(api, again)):
        assert told
        assert told.tracking_code == bought.tracking_code
    assert await client.settle(api, bought) == bought
    api.calls.clear()
    remembered = Purchase(ref=bought.ref)  # as it was written down before a crash
    assert (await client.settle(api, remembered)).tracking_code == bought.tracking_code
    assert api.calls == []
    assert (await track(api, bought.ref))[0].status is S.ACCEPTED


async def test_an_order_is_called_off_until_it_is_handed_over(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    bought = await buy(api)
    await api.call(freight.cancellation(bought.ref))
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation(bought.ref))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "erro")
    with pytest.raises(LookupError):
        await carrier.act("post", {"code": bought.ref})
    assert (await buy(api)).ref != bought.ref, "an order that was called off may be sent again"


async def test_an_order_without_the_accounts_numbers_is_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), account="9")
    with pytest.raises(ChannelError) as refusal:
        await buy(api)
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "erro")
    assert "contaCorrente" in refusal.value.detail
