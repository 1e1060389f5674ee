"""The Jadlog client against the sandbox, over real HTTP."""

import pytest

from adapters.jadlog import ADAPTER, client, mapping, sandbox
from hub.faults import ChannelError, Fault
from hub.model import TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi

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
