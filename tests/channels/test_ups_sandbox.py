"""The UPS client against the sandbox, over real HTTP."""

import asyncio
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pypdf import PdfReader

from adapters.ups import ADAPTER, client, freight, mapping, sandbox, webhook
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Address, DeclaredGoods, Knock, Parcel, Party, Posting, Request, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi

S = TrackingStatus
HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja (matriz)", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=300, length_cm=20, width_cm=15, height_cm=5
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="pedido-1", service="11", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)
WAY = [S.LABEL_CREATED, S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.IN_TRANSIT]


async def track(api: PlainApi, code: str) -> TrackedObject:
    [told] = mapping.parse(await client.fetch(api, [code]), [code])
    return told


async def refused(awaited: Any) -> ChannelError:
    with pytest.raises(ChannelError) as refusal:
        await awaited
    return refusal.value


async def bought(api: PlainApi, posting: Posting = POSTING) -> str:
    assert ADAPTER.freight is not None
    return freight.read_purchase(json_of(await api.call(ADAPTER.freight.order(api, posting)))).ref


async def test_check_proves_the_secret(connect: Connect):
    assert (await client.check(await connect(ADAPTER, sandbox.create([])))).external_id == sandbox.ACCOUNT
    wrong = await refused(client.check(await connect(ADAPTER, sandbox.create([]), client_secret="errado")))
    assert (wrong.fault, wrong.code) == (Fault.AUTH, "10401")


async def test_a_token_that_ended_is_renewed_once(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [code] = carrier.parcels
    await track(api, code)
    await carrier.act("expire_token", {})
    assert (await track(api, code)).events
    assert carrier.tokens_made == 2


async def test_calls_without_their_names_are_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    nameless = Request(method="GET", path="/api/track/v1/details/1Z9999999", headers={"transId": ""})
    assert (await refused(api.call(nameless))).code == "VSS002"


async def test_a_number_unknown_and_a_number_that_is_none(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    told = [(await track(api, code)).error for code in ("1ZA1B2C30400000010", "A B/C")]
    assert [problem.code if problem else None for problem in told] == ["TW0001", "TV1002"]


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [*WAY, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("second_try", [*WAY, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("picked_up", [*WAY, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.AWAITING_PICKUP, S.DELIVERED]),
        ("late", [*WAY, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("returned", [*WAY, S.OUT_FOR_DELIVERY, S.EXCEPTION, S.RETURNING, S.IN_TRANSIT, S.RETURNED]),
        ("lost", [*WAY, S.LOST]),
    ],
)
async def test_a_journey_scan_by_scan(connect: Connect, journey: str, statuses: list[TrackingStatus]):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code)).status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code)).status)
    assert seen == statuses
    last = await track(api, code)
    assert last.deliver_by is not None
    assert [event.zone for event in last.events] == [None] * len(last.events)


async def test_alerts_of_numbers_subscribed_to_are_the_scans_that_asking_tells(connect: Connect):
    heard: list[Knock] = []

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard.append(Knock(headers=headers, body=await request.read()))
        return web.Response()

    ear = web.Application()
    ear.router.add_post("/in", hear)
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    async with TestServer(ear) as hearing:
        code = (await carrier.act("post", {"journey": "late"}))["code"]
        url = str(hearing.make_url("/in"))
        assert await client.watch(api, [code, "AA123456785BR"], url, "segredo") == [code]
        assert await client.watch(api, ["AA123456785BR"], url, "segredo") == []
        while (await carrier.act("advance", {"code": code}))["scans"]:
            await asyncio.gather(*carrier.courier.under_way)
    for knock in heard:
        assert ADAPTER.webhook is not None
        ADAPTER.webhook.verify("segredo", knock)
    assert heard[0].headers["user-agent"] == "UPSPubSubTrackingService"
    notices = [notice for knock in heard for notice in webhook.read(knock)]
    assert {notice.ref for notice in notices} == {code}
    told = [event for notice in notices for event in mapping.parse(notice.raw, [code])[0].events]
    asked = (await track(api, code)).events[1:]  # no history: the first scan was made before

    def scan(event: Any) -> tuple[Any, ...]:
        return event.at, event.raw_code, event.place, event.state, event.status

    assert [scan(event) for event in told] == [scan(event) for event in asked if event.raw_code != "UP/154"]


async def test_a_hundred_numbers_in_one_subscription(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    codes = [carrier.number("65") for _ in range(150)]
    assert await client.watch(api, codes, "https://hub.example/in", "segredo") == codes
    sent = [call.json["trackingNumberList"] for call in api.calls if "subscription" in call.path]
    assert [len(batch) for batch in sent] == [100, 50]
    many = {"locale": "pt_BR", "trackingNumberList": codes, "destination": {}}
    path = "/api/track/v1/subscription/standard/package"
    assert (await refused(api.call(Request(method="POST", path=path, json=many)))).code == "VSS220"


async def test_quotes(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    quotes = freight.read_quotes(await client.quote(api, BOX, ["11", "08"]), ["11", "08"])
    assert quotes[0].price_cents == (33_80 + 3 * 56) * 9 // 10
    assert (quotes[0].days, quotes[0].name) == (4, "UPS Standard")
    assert quotes[1].error is not None
    every = freight.read_quotes(await client.quote(api, BOX, []), [])
    assert [quote.service for quote in every] == ["65", "07", "11"]
    wrong = await refused(client.quote(api, BOX.model_copy(update={"to_postal_code": "00000000"}), []))
    assert (wrong.fault, wrong.code) == (Fault.REJECTED, "111286")


async def test_buy_find_label_post_track_and_void(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    assert await client.find(api, POSTING, api.now()) is None
    ref = await bought(api)
    found = await client.find(api, POSTING, api.now())
    assert found is not None
    assert (found.ref, found.tracking_code, found.service) == (ref, ref, "11")
    other = await bought(api, POSTING.model_copy(update={"reference": "pedido-2"}))
    label = await client.label(api, await client.ask_label(api, [ref, other]))
    assert label is not None
    pages = [page.extract_text() for page in PdfReader(BytesIO(label)).pages]
    assert [ref in pages[0], other in pages[1], len(pages)] == [True, True, 2]
    await api.call(freight.cancellation(other))
    assert (await refused(api.call(freight.cancellation(other)))).fault is Fault.REJECTED
    assert await client.find(api, POSTING.model_copy(update={"reference": "pedido-2"}), api.now()) is None
    assert (await refused(client.label(api, other))).fault is Fault.MISSING
    assert (await track(api, ref)).error is not None
    await carrier.act("post", {"code": ref})
    assert (await track(api, ref)).status is S.LABEL_CREATED
    handed_over = await refused(api.call(freight.cancellation(ref)))
    assert (handed_over.fault, handed_over.code) == (Fault.REJECTED, "void_refused")


async def test_a_purchase_without_the_accounts_number_is_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert (await refused(api.call(freight.buy(POSTING)))).code == "120100"
    other = await connect(ADAPTER, sandbox.create([]), account="ZZZZZZ")
    assert (await refused(bought(other))).code == "120100"
    assert (await refused(bought(api, POSTING.model_copy(update={"service": "99"})))).code == "121210"
