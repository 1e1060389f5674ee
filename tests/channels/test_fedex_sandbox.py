"""The FedEx client against the sandbox, over real HTTP."""

import asyncio
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pypdf import PdfReader

from adapters.fedex import ADAPTER, client, freight, mapping, sandbox, webhook
from hub.contract import json_of
from hub.faults import BadSignature, ChannelError, Fault
from hub.model import Address, DeclaredGoods, Knock, Parcel, Party, Posting, Purchase, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi

S = TrackingStatus
HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja (matriz)", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=300, length_cm=20, width_cm=15, height_cm=5
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="pedido-1", service="FEDEX_NEXT_DAY", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)
WAY = [S.LABEL_CREATED, S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.IN_TRANSIT]


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


async def refused(awaited: Any) -> ChannelError:
    with pytest.raises(ChannelError) as refusal:
        await awaited
    return refusal.value


async def bought(api: PlainApi, posting: Posting = POSTING) -> Purchase:
    assert ADAPTER.freight is not None
    return freight.read_purchase(json_of(await api.call(ADAPTER.freight.order(api, posting))))


async def test_check_proves_the_keys(connect: Connect):
    assert (await client.check(await connect(ADAPTER, sandbox.create([])))).external_id == sandbox.ACCOUNT
    wrong = await refused(client.check(await connect(ADAPTER, sandbox.create([]), secret_key="errado")))
    assert (wrong.fault, wrong.code) == (Fault.AUTH, "NOT.AUTHORIZED.ERROR")


async def test_a_token_that_ended_is_renewed_once(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [code] = carrier.parcels
    await track(api, code)
    await carrier.act("expire_token", {})
    assert (await track(api, code))[0].events
    assert carrier.tokens_made == 2


async def test_thirty_numbers_in_the_order_asked(connect: Connect):
    carrier = sandbox.create([], parcels=28)
    api = await connect(ADAPTER, carrier)
    asked = [*list(carrier.parcels)[::-1], "000000000000", "AAAA"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error.code for one in told if one.error] == ["TRACKING.TRACKINGNUMBER.NOTFOUND"] * 2
    assert all(one.events and one.status and one.deliver_by for one in told[:28])
    assert (await refused(track(api, *asked, "111111111111"))).fault is Fault.REJECTED
    assert await track(api) == []


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [*WAY, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("second_try", [*WAY, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("picked_up", [*WAY, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.AWAITING_PICKUP, S.DELIVERED]),
        ("late", [*WAY, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("returned", [*WAY, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.RETURNING, S.IN_TRANSIT, S.RETURNED]),
    ],
)
async def test_a_journey_scan_by_scan(connect: Connect, journey: str, statuses: list[TrackingStatus]):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses


async def test_a_number_used_again_is_the_new_parcel(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    old = carrier.post(None, "delivered", back=timedelta(days=200))
    with pytest.raises(LookupError):
        await carrier.act("post", {"code": old.number})
    while carrier.advance(old, timedelta(hours=5)):
        pass
    assert [one.status for one in await track(api, old.number)] == [S.DELIVERED]
    await carrier.act("post", {"code": old.number})
    assert [one.status for one in await track(api, old.number)] == [S.LABEL_CREATED]


async def test_webhooks_are_signed_tried_again_and_settle_their_parcels(connect: Connect):
    heard: list[Knock] = []

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard.append(Knock(headers=headers, body=await request.read()))
        return web.Response(status=503 if len(heard) == 1 else 202)

    ear = web.Application()
    ear.router.add_post("/in", hear)
    carrier = sandbox.create([], retry_seconds=0.01)
    api = await connect(ADAPTER, carrier)
    secret = client.security_token(api.credentials)
    assert secret == sandbox.HOOK_TOKEN
    async with TestServer(ear) as hearing:
        await carrier.act("callback", {"url": str(hearing.make_url("/in"))})
        code = (await carrier.act("post", {"journey": "delivered"}))["code"]
        await asyncio.gather(*carrier.courier.under_way)
        assert [knock.body for knock in heard] == [heard[0].body] * 2
        while (await carrier.act("advance", {"code": code}))["scans"]:
            await asyncio.gather(*carrier.courier.under_way)
    for knock in heard:
        webhook.verify(secret, knock)
        with pytest.raises(BadSignature):
            webhook.verify("another", knock)
    [last] = webhook.read(heard[-1])
    assert last.ref == code
    assert mapping.parse(last.raw, [code]) == await track(api, code)


async def test_quotes(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    asked = ["FEDEX_DISTANCE_DEFERRED", "SAME_DAY"]
    quotes = freight.read_quotes(await client.quote(api, BOX, asked), asked)
    assert (quotes[0].price_cents, quotes[0].days) == (31_50 + 147, 5)
    assert quotes[1].error is not None
    every = freight.read_quotes(await client.quote(api, BOX, []), [])
    assert [quote.service for quote in every] == ["FEDEX_NEXT_DAY", "FEDEX_DISTANCE_DEFERRED"]
    wrong = await refused(client.quote(api, BOX.model_copy(update={"to_postal_code": "00000000"}), []))
    assert (wrong.fault, wrong.code) == (Fault.REJECTED, "RECIPIENTS.POSTALCODE.INVALID")


async def test_buy_with_its_label_post_track_and_cancel(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    first, other = await bought(api), await bought(api)
    assert (first.service, first.price_cents, first.tracking_code) == ("FEDEX_NEXT_DAY", 58_20 + 252, first.ref)
    assert first.label is not None
    [page] = PdfReader(BytesIO(first.label)).pages
    assert first.ref in page.extract_text()
    await api.call(freight.cancellation(other.ref))
    assert carrier.orders()[other.ref] == "cancelled"
    assert (await track(api, first.ref))[0].error is not None
    await carrier.act("post", {"code": first.ref})
    assert (await track(api, first.ref))[0].status is S.LABEL_CREATED
    for gone in (first.ref, other.ref):  # handed over; cancelled before
        problem = await refused(api.call(freight.cancellation(gone)))
        assert (problem.fault, problem.code) == (Fault.REJECTED, "cancel_refused")
    assert (await refused(api.call(freight.cancellation("000000000000")))).fault is Fault.MISSING
    with pytest.raises(LookupError):
        await carrier.act("post", {"code": other.ref})


async def test_what_bears_another_accounts_number_is_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert (await refused(api.call(freight.buy(POSTING)))).fault is Fault.REJECTED
    other = await connect(ADAPTER, sandbox.create([]), account="999999999")
    for asked in (bought(other), client.quote(other, BOX, []), other.call(freight.cancellation("1"))):
        assert (await refused(asked)).code == "ACCOUNT.NUMBER.MISMATCH"
    assert (await refused(bought(api, POSTING.model_copy(update={"service": "X"})))).fault is Fault.REJECTED
