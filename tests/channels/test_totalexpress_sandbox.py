"""The Total Express client against the sandbox, over real HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from adapters.totalexpress import ADAPTER, client, freight, mapping, sandbox
from hub import oauth
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import NextCode, Parcel, Request, TrackedObject, TrackingStatus
from hub.parse import SAO_PAULO
from tests.channels.conftest import Connect, PlainApi
from tests.channels.test_totalexpress import POSTING

S = TrackingStatus
NOON = datetime(2026, 3, 12, 12, 0, tzinfo=SAO_PAULO)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=1300, length_cm=20, width_cm=15, height_cm=5
)


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


class Times:
    """A clock that the carrier and the account share."""

    def __init__(self, carrier: sandbox.TotalExpressSandbox, api: PlainApi, at: datetime = NOON) -> None:
        self.at = at
        carrier.clock = lambda: self.at
        api.now = lambda: self.at.astimezone(UTC)  # type: ignore[method-assign] # the account's time is the test's

    def later(self, **by: int) -> None:
        self.at += timedelta(**by)


# ── Who we are ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_check_proves_both_users(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    told = await client.check(api)
    assert (told.external_id, told.facts) == (sandbox.SENDER, {"rest": True})
    for wrong in ({"password": "x"}, {"rest_password": "x"}):
        with pytest.raises(ChannelError) as refusal:
            await client.check(await connect(ADAPTER, sandbox.create([]), **wrong))
        assert refusal.value.fault is Fault.AUTH


async def test_an_account_without_the_rest_api_lives_by_its_feed(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), rest_user=None, rest_password=None)
    api.facts = (await client.check(api)).facts
    assert api.facts == {"rest": False}
    api.calls.clear()
    [told] = await track(api, "TXAS900100001tx")
    assert told.error
    assert told.error.code == "not_told"
    assert api.calls == []


async def test_each_host_is_shown_its_own_user(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    await client.check(api)
    quote, codes = api.calls
    assert quote.authenticate
    assert "Authorization" not in quote.headers
    assert not codes.authenticate
    assert codes.headers["Authorization"] == oauth.basic(
        sandbox.REST_USER, api.credentials.rest_password
    )["Authorization"]  # fmt: skip


# ── The feed ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_feed_tells_each_lot_once(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    times = Times(carrier, api)
    code = (await carrier.act("post", {"journey": "delivered"}))["code"]
    first = await client.feed(api, "2026-03-12")
    times.later(minutes=5)
    second = await client.feed(api, first.cursor)
    await carrier.act("advance", {"code": code, "steps": 2})
    times.later(minutes=5)
    third = await client.feed(api, second.cursor)
    assert [len(page.documents) for page in (first, second, third)] == [1, 0, 1]
    assert not any(page.more for page in (first, second, third))
    assert first.cursor == "2026-03-12/489250503"
    assert third.cursor == "2026-03-12/489250503,489250504"
    [told] = mapping.parse(third.documents[0], ())
    assert (told.code, [event.raw_code for event in told.events]) == (code, ["97", "83"])
    [again] = mapping.parse(first.documents[0], ())
    assert [event.raw_code for event in again.events] == ["0"]


async def test_the_feed_asked_too_soon_says_so_within_a_200(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    times = Times(carrier, api)
    await client.feed(api, "2026-03-12")
    times.later(minutes=4, seconds=59)
    with pytest.raises(ChannelError) as refusal:
        await client.feed(api, "2026-03-12")
    assert (refusal.value.fault, refusal.value.code) == (Fault.THROTTLED, "ObterTracking/5")
    times.later(seconds=1)
    await client.feed(api, "2026-03-12")


async def test_a_day_is_left_when_the_next_is_ten_minutes_old(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    times = Times(carrier, api, NOON.replace(hour=23, minute=55))
    page = await client.feed(api, "2026-03-12")
    assert (page.cursor, page.more) == ("2026-03-12/", False)
    await carrier.act("post", {})  # told at 23:55, lotted after midnight
    times.later(minutes=9)
    early = await client.feed(api, page.cursor)
    assert (len(early.documents), early.cursor, early.more) == (1, "2026-03-12/489250503", False)
    times.later(minutes=6)
    late = await client.feed(api, early.cursor)
    assert (late.documents, late.cursor, late.more) == ((), "2026-03-13", True)
    times.later(minutes=6)
    assert (await client.feed(api, late.cursor)).more is False


async def test_a_new_account_listens_some_days_back(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    times = Times(carrier, api)
    carrier.post("TXAS900100001tx", None, "delivered", NOON - timedelta(days=3))
    asked, heard, cursor, more = [], 0, None, True
    while more:
        page = await client.feed(api, cursor)
        asked.append(api.calls[-1].xml or "")
        heard, cursor, more = heard + len(page.documents), page.cursor, page.more
        times.later(minutes=5)
    days = [xml.partition("<DataConsulta>")[2][:10] for xml in asked]
    assert days == [f"2026-03-{day:02d}" for day in range(5, 13)]
    assert heard == 1


@pytest.mark.parametrize("cursor", ["", "yesterday", "2026-03-12/x", "2026-3-12"])
async def test_a_cursor_that_is_none_begins_anew(connect: Connect, cursor):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    Times(carrier, api)
    assert (await client.feed(api, cursor)).cursor == "2026-03-06"


async def test_the_feed_is_never_repeated_by_itself(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    await client.feed(api, None)
    [asked] = api.calls
    assert (asked.is_repeatable(), asked.is_read(), asked.operation) == (False, True, client.FEED)


async def test_an_address_that_is_blocked_holds_the_account(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    await carrier.act("block", {})
    for asked in (client.feed(api, None), client.quote(api, BOX, ["EXP"])):
        with pytest.raises(ChannelError) as refusal:
            await asked
        assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, "ip_blocked")


async def test_lots_of_a_thousand_parcels_add_up_to_what_codes_are_told(connect: Connect):
    carrier = sandbox.create([], seed=7, parcels=1_000, feed_seconds=0)
    api = await connect(ADAPTER, carrier)
    told: dict[str, list[Any]] = {}
    cursor, more = None, True
    while more:
        page = await client.feed(api, cursor)
        for lot in page.documents:
            for one in mapping.parse(lot, ()):
                told.setdefault(one.code, []).extend(event.raw_code for event in one.events)
        cursor, more = page.cursor, page.more
    assert set(told) == set(carrier.parcels)
    codes = list(carrier.parcels)
    for first in range(0, 200, 50):
        for one in await track(api, *codes[first : first + 50]):
            assert sorted(told[one.code]) == sorted(event.raw_code for event in one.events)


# ── Codes ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_fifty_codes_in_the_order_asked_and_no_more(connect: Connect):
    carrier = sandbox.create([], parcels=49)
    api = await connect(ADAPTER, carrier)
    asked = [*list(carrier.parcels)[::-1], "TXAS999999999tx"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error.code for one in told if one.error] == ["not_told"]
    assert all(one.deliver_by for one in told[:49])
    with pytest.raises(ChannelError) as refusal:
        await track(api, *asked, "TXAS999999998tx")
    assert refusal.value.fault is Fault.REJECTED


async def test_a_parcel_is_found_by_its_order_and_by_digits_that_may_be_either(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    for awb, order in ((None, "PEDIDO 7"), ("412900001", None), (None, "412900002")):
        carrier.post(awb, order, "delivered")
    told = await track(api, "PEDIDO 7", "412900001", "412900002")
    assert [one.status for one in told] == [S.LABEL_CREATED] * 3
    assert [bool(one.carrier_code) for one in told] == [True, False, True]
    assert [sorted(call.json) for call in api.calls] == [
        ["awbs", "comprovanteEntrega"],
        ["comprovanteEntrega", "pedidos"],
    ]


async def test_none_known_is_no_error(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    [told] = await track(api, "TXAS999999999tx")
    assert told.error
    assert await track(api) == []


COLLECTED = [S.LABEL_CREATED, S.LABEL_CREATED, S.ACCEPTED]
ROAD = [*COLLECTED, *[S.IN_TRANSIT] * 4]
OUT = S.OUT_FOR_DELIVERY


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [*ROAD, OUT, S.DELIVERED]),
        ("second_try", [*ROAD, OUT, S.FAILED_ATTEMPT, OUT, S.DELIVERED]),
        ("handed_over", [*ROAD, OUT, S.DELIVERED]),
        ("returned", [*ROAD, OUT, S.FAILED_ATTEMPT, *[S.RETURNING] * 3, S.RETURNED]),
        ("lost", [*COLLECTED, S.IN_TRANSIT, S.IN_TRANSIT, S.LOST, S.LOST]),
    ],
)
async def test_a_journey_scan_by_scan(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses
    [last] = await track(api, code)
    handed = NextCode(carrier="correios", code=carrier.parcels[code].post)
    assert last.next_code == (handed if journey == "handed_over" else None)
    assert carrier.orders() == {code: last.events[-1].raw_code}


# ── Freight ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_quotes(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    dear = BOX.model_copy(update={"value_cents": 400_00})
    quotes = freight.read_quotes(await client.quote(api, dear, ["STD", "EXP", "PRM"]), ["STD", "EXP", "PRM"])
    assert [(quote.service, quote.price_cents, quote.days) for quote in quotes] == [
        ("STD", 12_40 + 2 * 2_10 + 2_00, 5), ("EXP", 16_90 + 2 * 3_20 + 2_00, 2), ("PRM", None, None),
    ]  # fmt: skip
    assert quotes[2].error
    assert quotes[2].error.message == "TipoServico invalido"
    assert "<Peso>1,30</Peso><ValorDeclarado>400,00</ValorDeclarado>" in (api.calls[0].xml or "")
    nowhere = BOX.model_copy(update={"to_postal_code": "00000000"})
    [refused] = freight.read_quotes(await client.quote(api, nowhere, ["EXP"]), ["EXP"])
    assert refused.error
    assert len(await client.quote(api, BOX, [])) == 2


async def test_words_in_a_question_cannot_leave_their_field(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    [quote] = freight.read_quotes(await client.quote(api, BOX, ["EXP</TipoServico><x>&"]), [])
    assert quote.error
    assert quote.error.message == "TipoServico invalido"


async def test_a_posting_is_registered_and_followed(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    assert ADAPTER.freight
    reply = await api.call(ADAPTER.freight.order(api, POSTING))
    bought = freight.read_purchase(json_of(reply))
    assert bought.ref == POSTING.reference
    assert bought.tracking_code in carrier.parcels
    for code in (bought.tracking_code, bought.ref):
        assert (await track(api, code or ""))[0].status is S.LABEL_CREATED
    assert api.calls[0].json["remetenteId"] == int(sandbox.SENDER)


async def test_a_posting_refused_within_a_206(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert ADAPTER.freight
    reply = await api.call(ADAPTER.freight.order(api, POSTING.model_copy(update={"reference": ""})))
    assert reply.status == 206
    with pytest.raises(ChannelError) as refusal:
        freight.read_purchase(json_of(reply))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "12")


async def test_an_incomplete_posting_is_refused_there_too(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    request = client.complete(api, freight.buy(POSTING))
    with pytest.raises(ChannelError) as refusal:
        await api.call(Request(method="POST", path=request.path, json={}, headers=request.headers, authenticate=False))
    assert refusal.value.fault is Fault.REJECTED


async def test_the_knobs_and_controls(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    base = api.credentials.base_url()
    async with aiohttp.ClientSession() as session:
        posted = await (await session.post(f"{base}/_sandbox/act/post", json={})).json()
        assert await (await session.get(f"{base}/_sandbox/orders")).json() == {posted["code"]: "0"}
        for wrong in ("sell", "advance", "post"):
            answer = await session.post(f"{base}/_sandbox/act/{wrong}", json={"code": "none", "journey": "none"})
            assert answer.status == 409
        odd = await session.post(f"{base}/webservice24.php", data="<a/>")
        assert "Operation not supported" in await odd.text()
        await session.post(f"{base}/_sandbox/knobs", json={"down": True})
        with pytest.raises(ChannelError) as refusal:
            await client.check(api)
        assert refusal.value.fault is Fault.TRANSIENT
