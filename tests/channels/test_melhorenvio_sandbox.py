"""The Melhor Envio client against the sandbox, over real HTTP."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pypdf import PdfReader

from adapters.melhorenvio import ADAPTER, client, freight, mapping, sandbox, webhook
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import (
    Address,
    DeclaredGoods,
    Knock,
    Parcel,
    Party,
    Posting,
    Purchase,
    Request,
    TrackedObject,
    TrackingStatus,
)
from tests.channels.conftest import Connect, PlainApi

S = TrackingStatus
HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja (matriz)", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=300, length_cm=20, width_cm=15, height_cm=5,
    value_cents=5980,
)  # fmt: skip
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="pedido 1", service="2", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)
SEDEX_CENTS = 32_10 + 2_37 + 60  # first price, 0.3 kg, one per cent of the insured 59.80


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


async def into_cart(api: PlainApi, posting: Posting = POSTING) -> Purchase:
    return freight.read_purchase(json_of(await api.call(freight.cart_item(posting))))


async def refused(awaited: Any) -> ChannelError:
    with pytest.raises(ChannelError) as refusal:
        await awaited
    return refusal.value


def paths(api: PlainApi) -> list[str]:
    return [f"{call.method} {call.path.removeprefix('/api/v2/me')}" for call in api.calls]


# ── Who we are there ───────────────────────────────────────────────────────────────────────────────────────


async def test_check_says_whose_account_it_is(connect: Connect):
    told = await client.check(await connect(ADAPTER, sandbox.create([])))
    assert (told.external_id, told.name) == ("90210", "Loja Exemplo")


@pytest.mark.parametrize("wrong", [{"client_secret": "errado"}, {"refresh_token": "errado"}])
async def test_wrong_credentials_are_for_the_seller(connect: Connect, wrong):
    api = await connect(ADAPTER, sandbox.create([]), **wrong)
    assert (await refused(client.check(api))).fault is Fault.AUTH


async def test_refresh_tokens_rotate_and_a_used_one_is_refused(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    await client.check(api)
    first = api.token
    assert first
    assert first.expires_at
    assert timedelta(days=29, hours=23) < first.expires_at - api.now() < timedelta(days=30, minutes=1)
    await carrier.act("expire_token", {})
    await client.check(api)
    assert api.token
    assert api.token != first
    api.token = first
    assert (await refused(api.renew())).code == "invalid_grant"


async def test_the_code_of_a_consent_is_traded_for_the_first_pair(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    page = client.authorize(api.credentials, "http://127.0.0.1:1/volta", "s1", "")
    agent = {"User-Agent": "Teste (eu@example.com)"}
    async with (
        aiohttp.ClientSession(headers=agent) as session,
        session.get(page, allow_redirects=False) as answer,
    ):
        back = answer.headers["Location"]
    assert back.endswith("&state=s1")
    code = back.partition("code=")[2].partition("&")[0]
    asked = client.exchange(api.credentials, code, "http://127.0.0.1:1/volta", "")
    assert ADAPTER.token
    token = client.read_token(await api.call(asked), api.now())
    assert token.refresh
    assert (await refused(api.call(asked))).code == "invalid_grant"


async def test_without_a_contact_everything_is_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    nobody = Request(method="GET", path="/api/v2/me", headers={"User-Agent": "Balcao"})
    assert (await refused(api.call(nobody))).status == 400


# ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.IN_TRANSIT, S.DELIVERED]),
        ("second_try", [S.IN_TRANSIT, S.EXCEPTION, S.DELIVERED]),
        ("recipient_must_act", [S.IN_TRANSIT, S.EXCEPTION, S.DELIVERED]),
        ("dropped_off", [S.ACCEPTED, S.IN_TRANSIT, S.DELIVERED]),
        ("undelivered", [S.IN_TRANSIT, S.EXCEPTION]),
        ("suspended", [S.IN_TRANSIT, S.EXCEPTION]),
    ],
)
async def test_a_journey_step_by_step(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses


async def test_fifty_codes_in_one_call_and_other_numbers_are_searched_for(connect: Connect):
    carrier = sandbox.create([], parcels=50)
    api = await connect(ADAPTER, carrier)
    codes = list(carrier.labels)[::-1]
    told = await track(api, *codes, codes[0])
    assert [one.code for one in told] == [*codes, codes[0]]
    assert all(one.status is S.IN_TRANSIT for one in told)
    assert paths(api)[1:] == ["POST /shipment/tracking"]
    label = carrier.labels[codes[3]]
    assert label.tracking
    numbers = [label.own_number(), label.tracking, "AA000000005BR"]
    found = await track(api, *numbers)
    assert [one.code for one in found] == numbers
    assert [one.status for one in found] == [S.IN_TRANSIT, S.IN_TRANSIT, None]
    assert [one.carrier_code for one in found] == [label.tracking, label.tracking, None]


async def test_none_of_them_known_is_a_list_there_and_errors_here(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    [told] = await track(api, "9c1f0001-5b7e-4a10-8d22-6f0000000001")
    assert told.error
    assert await client.fetch(api, ["9c1f0001-5b7e-4a10-8d22-6f0000000001"]) == [[]]
    assert await track(api) == []


async def test_tracking_may_be_an_hour_old_where_the_order_is_fresh(connect: Connect):
    carrier = sandbox.create([], cache_seconds=3600)
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": "delivered"}))["code"]
    assert (await track(api, code))[0].status is S.IN_TRANSIT
    await carrier.act("advance", {"code": code})
    assert (await track(api, code))[0].status is S.IN_TRANSIT
    order = json_of(await api.call(Request(method="GET", path=f"/api/v2/me/orders/{code}")))
    assert mapping.parse(order, [code])[0].status is S.DELIVERED


# ── Freight ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_quotes_of_all_services_of_some_and_of_one(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    every = freight.read_quotes(await client.quote(api, BOX, []), [])
    assert [(quote.service, quote.name) for quote in every] == [
        ("1", "Correios PAC"), ("2", "Correios SEDEX"), ("3", "Jadlog .Package"), ("4", "Jadlog .Com"),
    ]  # fmt: skip
    some = freight.read_quotes(await client.quote(api, BOX, ["2", "99"]), ["2", "99"])
    assert [(quote.price_cents, quote.days, bool(quote.error)) for quote in some] == [
        (SEDEX_CENTS, 3, False), (None, None, True),
    ]  # fmt: skip
    [north] = freight.read_quotes(
        await client.quote(api, BOX.model_copy(update={"to_postal_code": "69005040"}), ["3"]), ["3"]
    )
    assert north.error
    assert north.error.message == "Serviço indisponível para o trecho."


async def test_a_refused_quote_is_told_not_raised(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    nowhere = BOX.model_copy(update={"to_postal_code": "000"})
    [quote] = freight.read_quotes(await client.quote(api, nowhere, ["2"]), ["2"])
    assert quote.error
    assert quote.error.message == "O CEP informado é inválido."
    problem = await refused(client.quote(api, nowhere, []))
    assert (problem.fault, problem.detail) == (Fault.REJECTED, "O CEP informado é inválido.")


async def test_from_the_cart_to_the_pdf_and_to_the_buyer(connect: Connect):
    carrier = sandbox.create([], label_asks=2)
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    assert (item.service, item.price_cents, carrier.balance) == ("2", SEDEX_CENTS, 1_000_000)
    assert (await track(api, item.ref))[0].status is S.LABEL_CREATED

    bought = await client.settle(api, item)
    assert carrier.balance == 1_000_000 - SEDEX_CENTS
    calls = len(api.calls)
    assert await client.settle(api, bought) == bought
    assert paths(api)[calls:] == [f"GET /orders/{item.ref}"], "settled once more it only looks"
    assert carrier.balance == 1_000_000 - SEDEX_CENTS

    receipt = await client.ask_label(api, [bought.ref])
    assert [await client.label(api, receipt), await client.label(api, receipt)] == [None, None]
    label = await client.label(api, receipt)
    assert label
    assert bought.tracking_code
    assert bought.tracking_code in PdfReader(io.BytesIO(label)).pages[0].extract_text()

    await carrier.act("post", {"code": bought.ref, "journey": "delivered"})
    [posted] = await track(api, bought.ref)
    assert (posted.status, posted.carrier_code) == (S.IN_TRANSIT, "AD000000001BR")
    problem = await refused(api.call(freight.cancellation(bought.ref)))
    assert (problem.fault, problem.code) == (Fault.REJECTED, "not_canceled")
    assert not await client.withdrawn(api, bought.ref)


async def test_a_label_is_cancelled_and_its_price_comes_back(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    bought = await client.settle(api, await into_cart(api))
    await api.call(freight.cancellation(bought.ref))
    assert carrier.balance == 1_000_000
    assert (await track(api, bought.ref))[0].status is S.CANCELLED
    assert (await refused(api.call(freight.cancellation(bought.ref)))).code == "not_canceled"
    assert await client.withdrawn(api, bought.ref), "it was taken back before"
    problem = await refused(client.settle(api, bought))
    assert (problem.fault, problem.code) == (Fault.REJECTED, "canceled")


async def test_a_balance_that_is_too_small_leaves_the_item_in_the_cart(connect: Connect):
    carrier = sandbox.create([], balance=100)
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    problem = await refused(client.settle(api, item))
    assert (problem.fault, problem.code) == (Fault.REJECTED, "refused")
    assert "Saldo insuficiente" in problem.detail
    assert carrier.labels[item.ref].status == "pending"
    problem = await refused(client.label(api, item.ref))
    assert (problem.fault, problem.code) == (Fault.REJECTED, "E-PRT-0011"), "nobody makes it: asking again is no use"
    problem = await refused(api.call(freight.cancellation(item.ref)))
    assert problem.code == "not_canceled"
    assert await client.withdrawn(api, item.ref), "it was never paid: it is taken out of the cart"
    assert carrier.labels == {}
    assert await client.withdrawn(api, item.ref), "and once more"


async def test_a_payment_without_an_answer_is_not_made_twice(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    await api.call(Request(method="POST", path="/api/v2/me/shipment/checkout", json={"orders": [item.ref]}))
    calls = len(api.calls)
    await client.settle(api, item)
    assert "POST /shipment/checkout" not in paths(api)[calls:]
    assert carrier.balance == 1_000_000 - SEDEX_CENTS


async def test_what_was_paid_meanwhile_is_no_refusal(connect: Connect, monkeypatch):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    await api.call(Request(method="POST", path="/api/v2/me/shipment/checkout", json={"orders": [item.ref]}))
    look, looked = client._order, []

    async def late(*told: Any) -> Any:
        looked.append(told)
        return await look(*told) if len(looked) > 1 else None

    monkeypatch.setattr(client, "_order", late)
    assert (await client.settle(api, item)).ref == item.ref
    assert carrier.balance == 1_000_000 - SEDEX_CENTS


async def test_a_label_made_meanwhile_is_no_failure(connect: Connect, monkeypatch):
    carrier = sandbox.create([], label_asks=0)
    api = await connect(ADAPTER, carrier)
    bought = await client.settle(api, await into_cart(api))
    assert await client.label(api, bought.ref)
    looked = []

    def not_seen_at_first(order: Any) -> bool:
        looked.append(order)
        return len(looked) > 1

    monkeypatch.setattr(client, "_is_generated", not_seen_at_first)
    monkeypatch.setattr(client, "_is_being_generated", lambda _order: False)
    assert await client.settle(api, bought) == bought, 'it answers {status: false, "O envio já está gerado"}'
    assert paths(api)[-2] == "POST /shipment/generate"


async def test_a_label_that_cannot_be_made_is_not_paid_for(connect: Connect):
    carrier = sandbox.create([])
    carrier.unmade = "Agência obrigatória"
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    problem = await refused(client.settle(api, item))
    assert (problem.fault, problem.code) == (Fault.REJECTED, "not_generated")
    assert "its price came back: Agência obrigatória" in problem.detail
    assert (carrier.balance, carrier.labels[item.ref].status) == (1_000_000, "canceled")


async def test_where_the_price_does_not_come_back_making_it_is_tried_again(connect: Connect):
    carrier = sandbox.create([])
    carrier.unmade = "Agência obrigatória"
    api = await connect(ADAPTER, carrier)
    item = await into_cart(api)
    await api.call(Request(method="POST", path="/api/v2/me/shipment/checkout", json={"orders": [item.ref]}))
    carrier.labels[item.ref].status = "paid"  # neither in the cart nor what can be cancelled
    problem = await refused(client.settle(api, item))
    assert (problem.fault, problem.code) == (Fault.TRANSIENT, "not_taken_back")
    carrier.unmade = None
    assert (await client.settle(api, item)).ref == item.ref
    assert carrier.balance == 1_000_000 - SEDEX_CENTS


async def test_several_labels_in_one_pdf_in_the_order_asked(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([], label_asks=0))
    bought = [await client.settle(api, await into_cart(api)) for _ in range(3)]
    label = await client.label(api, await client.ask_label(api, [one.ref for one in reversed(bought)]))
    assert label
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(label)).pages]
    codes = [one.tracking_code for one in reversed(bought)]
    assert [code in page for code, page in zip(map(str, codes), pages, strict=True)] == [True] * 3


async def test_what_was_bought_is_found_by_its_reference(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    began = api.now()
    assert await client.find(api, POSTING, began) is None
    item = await into_cart(api)
    other = await into_cart(api, POSTING.model_copy(update={"reference": "pedido 2"}))
    assert await client.find(api, POSTING, began) == item
    settled = await client.settle(api, item)
    assert await client.find(api, POSTING, began) == settled, "also once it is paid and out of the cart"
    assert (await client.find(api, POSTING.model_copy(update={"reference": "pedido 2"}), began)) == other
    assert await client.find(api, POSTING, began + timedelta(hours=1)) is None
    await api.call(freight.cancellation(item.ref))
    assert await client.find(api, POSTING, began) is None, "what was taken back is not there any more"


async def test_what_cannot_go_into_the_cart_is_refused_with_its_fields(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    request = freight.cart_item(POSTING)
    both = request.json | {"options": request.json["options"] | {"invoice": {"key": "3" * 44}}}
    problem = await refused(api.call(Request(method="POST", path=request.path, json=both)))
    assert (problem.fault, problem.status) == (Fault.REJECTED, 422)


# ── Webhooks ───────────────────────────────────────────────────────────────────────────────────────────────


class Hub:
    """Somebody who hears webhooks; `status` is what the check of the address gets."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.heard = status, list[Knock]()

    async def hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        knock = Knock(headers=headers, body=await request.read())
        if webhook.is_ping(knock):
            return web.Response(status=self.status)
        self.heard.append(knock)
        return web.Response(status=201)


async def listening(hub: Hub) -> TestServer:
    app = web.Application()
    app.router.add_post("/in", hub.hear)
    server = TestServer(app)
    await server.start_server()
    return server


async def test_webhooks_are_signed_and_tell_what_tracking_tells(connect: Connect):
    carrier, hub = sandbox.create([]), Hub()
    api = await connect(ADAPTER, carrier)
    server = await listening(hub)
    await carrier.act("callback", {"url": str(server.make_url("/in"))})
    bought = await client.settle(api, await into_cart(api))
    await client.label(api, bought.ref)
    await client.label(api, bought.ref)
    await carrier.act("post", {"code": bought.ref, "journey": "recipient_must_act"})
    await carrier.act("advance", {})
    await carrier.act("advance", {})
    while carrier.courier.under_way:
        await asyncio.wait(carrier.courier.under_way)
    await server.close()
    assert ADAPTER.webhook
    assert ADAPTER.webhook.secret
    for knock in hub.heard:
        ADAPTER.webhook.verify(ADAPTER.webhook.secret(api.credentials) or "", knock)
    notices = [notice for knock in hub.heard for notice in webhook.read(knock)]
    assert {(notice.ref, notice.account_ref) for notice in notices} == {(bought.ref, "90210")}
    events = {notice.dedupe_key.split(":")[1] for notice in notices}
    assert events == {f"order.{word}" for word in ("created", "released", "generated", "posted", "paused", "delivered")}
    last = next(notice for notice in notices if ":order.delivered:" in notice.dedupe_key)
    [fat] = mapping.parse(last.raw, [bought.ref])
    [asked] = await track(api, bought.ref)
    assert [(event.at, event.raw_code) for event in fat.events] == [
        (event.at, event.raw_code) for event in asked.events
    ]


async def test_an_address_that_refuses_the_unsigned_check_is_not_registered():
    carrier, hub = sandbox.create([]), Hub(status=401)
    server = await listening(hub)
    with pytest.raises(LookupError, match="E-WBH-0002"):
        await carrier.act("callback", {"url": str(server.make_url("/in"))})
    assert carrier.hook is None
    await server.close()


# ── Controls ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_minutes_limit_is_told_as_throttled(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    await client.check(api)
    carrier.calls.extend([carrier.calls[0]] * 249)
    problem = await refused(client.check(api))
    assert (problem.fault, problem.status) == (Fault.THROTTLED, 429)


async def test_the_knobs_and_controls(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    base = api.credentials.base_url()
    async with aiohttp.ClientSession() as session:
        posted = await (await session.post(f"{base}/_sandbox/act/post", json={"journey": "delivered"})).json()
        assert await (await session.get(f"{base}/_sandbox/orders")).json() == {posted["code"]: "posted"}
        assert await (await session.get(f"{base}/_sandbox/shelf")).json() == {}
        for verb, told in (("sell", {}), ("advance", {"code": "none"}), ("post", {"journey": "none"})):
            assert (await session.post(f"{base}/_sandbox/act/{verb}", json=told)).status == 409
        await session.post(f"{base}/_sandbox/knobs", json={"down": True})
        assert (await refused(client.check(api))).fault is Fault.TRANSIENT
