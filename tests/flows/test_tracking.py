"""Tracking: however a carrier tells, once or twice, early or late, each parcel comes to stand where its scans say."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import adapters
from adapters.correios import mapping, sandbox
from adapters.correios.client import fetch
from hub import parse
from hub.contract import Adapter, Api, Page
from hub.faults import Unreadable
from hub.model import NextCode, Raw, Shipment, TrackedObject, TrackingStatus
from hub.sandbox import Product
from hub.store import due, inbox, shipments, tracking
from hub.store.inbox import Arrival
from jobs import follow, parcels, poll, relearn, sweep
from jobs.parcels import Rings
from tests.flows.test_shipments import ask, note_parcel, parcel, scan, sold_and_posted, told
from tests.world import Channel, Log, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=100, price_cents=3990)
ASKED = "GET /srorastro/v1/objetos"
NEVER_POSTED = "QQ123456785BR"


async def store_and_carrier(w: World) -> tuple[Channel, Channel]:
    store = await w.connect("woocommerce", [CANECA], seed=1)
    carrier = await w.connect("correios", seed=9)
    await w.open_stock(CANECA=100)
    return store, carrier


async def channel_tells(w: World, store: Channel, code: str, carrier: str | None, service: str | None = None) -> UUID:
    """The store's order names a parcel that the hub knows nothing of."""
    parcel_told = Shipment(ref=f"there:{code}:{carrier}", carrier=carrier, service=service, tracking_code=code)
    async with w.rt.db.seller(w.seller_id) as tx:
        (made,) = await shipments.put_bare(tx, store.account.id, [parcel_told])
        await follow.follow(w.rt, tx, [made])
    return made


async def notice(w: World, carrier: Channel, ref: str | None, raw: Raw, key: str) -> None:
    """What a webhook of the carrier's leaves in the inbox."""
    body = None if raw is None else parse.canonical_bytes(raw)
    async with w.rt.db.seller(w.seller_id) as tx:
        await inbox.add(
            tx,
            [
                Arrival(
                    seller_id=w.seller_id, account_id=carrier.account.id, source="webhook", topic="tracking", ref=ref,
                    dedupe_key=key, told_at=None, raw=body,
                )
            ],
        )  # fmt: skip
    await w.settle()


async def answer(w: World, carrier: Channel, *codes: str) -> Raw:
    """What the carrier says of these codes right now."""
    return await fetch(await w.rt.api(carrier.account), codes)


@contextmanager
def carrier_that(channel: str, **changed: Any) -> Iterator[None]:
    """A carrier whose tracking is changed in one thing; all others stay."""
    there = adapters.get(channel)
    assert there.tracking
    other = replace(there, tracking=replace(there.tracking, **changed))
    get = adapters.get

    def got(name: str) -> Adapter:
        return other if name == channel else get(name)

    with patch.object(adapters, "get", got):
        yield


# ── codes ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_code_in_no_table_is_shown_and_settled_once_a_table_has_it() -> None:
    with patch.dict(sandbox.TEXTS, {"ZZZ42": "Objeto entregue por drone"}):
        async with world() as w:
            store, carrier = await store_and_carrier(w)
            _order, code = await sold_and_posted(w, store, carrier)
            await scan(w, carrier, code, steps=5)
            vars(carrier.sandbox)["parcels"][code].ahead[0] = "ZZZ42:dd"
            await scan(w, carrier, code)
            assert (await parcel(w, code))[0] == "out_for_delivery"
            assert await w.alerts() == ["tracking_code_unknown"]
            async with w.rt.db.seller(w.seller_id) as tx:
                (row,) = await tracking.unknown_codes(tx)
            assert (row["carrier"], row["raw_code"], row["scans"], row["parcels"], row["parcel"]) == (
                "correios", "ZZZ/42", 1, 1, code,
            )  # fmt: skip
            assert row["example"] == "Objeto entregue por drone"

            await scan(w, carrier, code)  # told again: kept once
            assert len(await w.rows("SELECT 1 FROM tracking_kept")) == 1
            assert await relearn.seller(w.rt, w.seller_id) == {"understood": 0, "kept": 1}
            asked = carrier.calls()[ASKED]
            with patch.dict(mapping.STATUS, {("ZZZ", 42): TrackingStatus.DELIVERED}):
                assert await relearn.seller(w.rt, w.seller_id) == {"understood": 1, "kept": 0}
                await w.settle()
            status, news = await parcel(w, code)
            assert (status, news[-1]) == ("delivered", "delivered")
            assert carrier.calls()[ASKED] == asked  # nobody was asked for it
            assert await w.alerts() == []
            assert await w.rows("SELECT 1 FROM tracking_document") == []


async def test_scans_keep_their_time_as_told_and_the_zone_assumed() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, _code = await sold_and_posted(w, store, carrier)
        row = await w.row("SELECT at, raw_at, zone, carrier FROM tracking_event")
        assert (row["zone"], row["carrier"]) == ("America/Sao_Paulo", "correios")
        assert row["at"] == parse.moment(row["raw_at"], "at", zone=parse.SAO_PAULO).at


# ── not found ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_parcel_that_stays_unknown_is_alerted_with_the_evidence_until_it_is_found() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        order = await store.buy("CANECA")
        await w.settle()
        await note_parcel(w, store, carrier, order, NEVER_POSTED)
        row = await w.row("SELECT not_found_since, track_error FROM shipment")
        assert row["not_found_since"]
        assert "não encontrado" in row["track_error"]
        await ask(w, carrier, NEVER_POSTED)
        assert (await w.row("SELECT not_found_since FROM shipment"))["not_found_since"] == row["not_found_since"]
        assert await w.alerts() == []

        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET not_found_since = now() - interval '3 days'")
        await ask(w, carrier, NEVER_POSTED)
        told = await w.row("SELECT kind, params FROM alert WHERE kind = 'parcel_not_found'")
        assert told["params"]["code"] == NEVER_POSTED
        assert "não encontrado" in told["params"]["said"]

        await carrier.act("post", code=NEVER_POSTED, journey="delivered")
        await ask(w, carrier, NEVER_POSTED)
        assert (await w.row("SELECT not_found_since FROM shipment"))["not_found_since"] is None
        assert "parcel_not_found" not in await w.alerts()


async def test_one_answer_that_cannot_be_read_hides_no_other_parcel() -> None:
    def parse_but(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
        if bad in codes:
            raise Unreadable("objetos.0", "odd")
        return mapping.parse(raw, codes)

    bad = ""
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        pairs = [await sold_and_posted(w, store, carrier) for _ in range(4)]
        bad = pairs[1][1]
        with carrier_that("correios", parse=parse_but):
            await carrier.act("advance")
            async with w.rt.db.seller(w.seller_id) as tx:
                await tx.run("UPDATE shipment SET track_due_at = now()")
            await w.settle()
            stand = {code: (await parcel(w, code))[0] for _order, code in pairs}
            assert stand == {code: "accepted" if code == bad else "in_transit" for code in stand}
            assert await w.alerts() == ["parcel_unreadable"]
        await ask(w, carrier, bad)
        assert (await parcel(w, bad))[0] == "in_transit"
        assert await w.alerts() == []


# ── what carriers tell by themselves ───────────────────────────────────────────────────────────────────────────


async def test_a_fat_notice_is_settled_as_it_came_and_told_once() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, code = await sold_and_posted(w, store, carrier)
        await carrier.act("advance", code=code, steps=6)
        asked, raw = carrier.calls()[ASKED], await answer(w, carrier, code)
        for n in range(2):
            await notice(w, carrier, code, raw, f"n{n}")
        status, news = await parcel(w, code)
        assert (status, news.count("delivered")) == ("delivered", 1)
        assert carrier.calls()[ASKED] == asked + 1  # our own look above
        assert await w.rows("SELECT 1 FROM inbox WHERE topic = 'tracking' AND state <> 'done'") == []


async def test_a_thin_notice_makes_that_parcel_due_at_once() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, code = await sold_and_posted(w, store, carrier)
        _other, other = await sold_and_posted(w, store, carrier)
        await carrier.act("advance")
        await notice(w, carrier, code, None, "ring")
        assert (await parcel(w, code))[0] == "in_transit"
        assert (await parcel(w, other))[0] == "accepted"  # not due: hours to go


async def test_what_is_told_of_a_parcel_that_nobody_knows_is_kept_and_settled_once_somebody_does() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        code = (await carrier.act("post", journey="delivered"))["code"]
        await carrier.act("advance", code=code, steps=6)
        await notice(w, carrier, code, await answer(w, carrier, code), "early")
        row = await w.row("SELECT state, error FROM inbox WHERE topic = 'tracking'")
        assert (row["state"], row["error"]) == ("kept", "no parcel here has this code yet; it is settled once one has")
        async with w.rt.db.seller(w.seller_id) as tx:
            assert [row["code"] for row in await tracking.strays(tx)] == [code]
        assert await w.alerts() == []

        vars(carrier.sandbox)["parcels"].pop(code)  # all that is known of it is what was kept
        order = await store.buy("CANECA")
        await w.settle()
        await note_parcel(w, store, carrier, order, code)
        assert (await parcel(w, code))[0] == "delivered"
        assert await w.rows("SELECT 1 FROM tracking_kept") == []


async def test_a_feed_is_read_from_its_cursor_on_and_each_page_is_settled() -> None:
    told_pages: list[str | None] = []

    async def feed(api: Api, cursor: str | None) -> Page:
        told_pages.append(cursor)
        turn = int(cursor or 0)
        documents = [await fetch(api, [code]) for code in codes[turn : turn + 2]]
        return Page(documents=tuple(documents), cursor=str(turn + len(documents)), more=turn + 2 < len(codes))

    codes: list[str] = []
    async with world() as w:
        with carrier_that("correios", feed=feed, fetch=None):
            store, carrier = await store_and_carrier(w)
            made = [await sold_and_posted(w, store, carrier) for _ in range(3)]
            codes += [code for _order, code in made]
            codes.append((await carrier.act("post"))["code"])  # nobody's
            await carrier.act("advance", steps=3)
            await w.hurry("feed")
            await w.settle()
            assert told_pages[-2:] == ["0", "2"]
            assert {(await parcel(w, code))[0] for code in codes[:3]} == {"in_transit"}
            row = await w.row("SELECT cursor, due_at FROM task WHERE kind = 'feed'")
            assert row["cursor"] == "4"
            assert row["due_at"] > w.rt.now() + timedelta(seconds=200)
            assert len(await w.rows("SELECT 1 FROM inbox WHERE state = 'kept' AND topic = 'tracking'")) == 1
            before = len(await w.rows("SELECT 1 FROM tracking_event"))
            await w.hurry("feed")
            await w.settle()
            assert told_pages[-1] == "4"
            assert len(await w.rows("SELECT 1 FROM tracking_event")) == before


async def test_a_page_of_a_feed_is_lost_by_no_crash(log: Log) -> None:
    async def feed(api: Api, cursor: str | None) -> Page:
        asked.append(cursor)
        return Page(documents=(await fetch(api, [code]),), cursor="1")

    asked: list[str | None] = []
    code = ""
    async with world() as w:
        with carrier_that("correios", feed=feed, fetch=None):
            store, carrier = await store_and_carrier(w)
            _order, code = await sold_and_posted(w, store, carrier)
            await carrier.act("advance", steps=6)
            with patch.object(due, "task_cursor", side_effect=OSError("killed")):
                await w.hurry("feed")
                await sweep.drain(w.rt, "catalogue")
            log.tracebacks.clear()
            assert await w.rows("SELECT 1 FROM inbox WHERE topic = 'tracking' AND state = 'due'") == []
            before = asked[-1]
            await w.hurry("feed")
            await w.settle()
            assert asked[-1] == before  # the same page again
            assert (await parcel(w, code))[0] == "delivered"


async def test_while_a_carrier_tells_by_itself_it_is_asked_less_often_until_it_misses_something() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, code = await sold_and_posted(w, store, carrier)
        wait = "SELECT track_due_at - now() AS wait, heard_at FROM shipment"
        usual = (await w.row(wait))["wait"]
        await carrier.act("advance", code=code)
        await notice(w, carrier, code, await answer(w, carrier, code), "one")
        heard = await w.row(wait)
        assert heard["heard_at"]
        assert heard["wait"] > 3 * usual
        await ask(w, carrier, code)  # nothing that was not told
        assert (await w.row(wait))["wait"] > 3 * usual
        await scan(w, carrier, code)  # it kept this to itself
        missed = await w.row(wait)
        assert missed["heard_at"] is None
        assert missed["wait"] < 1.2 * usual


async def test_two_answers_about_one_parcel_are_settled_one_after_the_other() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, code = await sold_and_posted(w, store, carrier)
        await carrier.act("advance", code=code)
        raw_before = await answer(w, carrier, code)
        await carrier.act("advance", code=code, steps=5)
        raw_after = await answer(w, carrier, code)

        async def settle(raw: Raw) -> None:
            async with w.rt.db.seller(w.seller_id) as tx:
                await parcels.hear(w.rt, tx, carrier.account, raw, mapping.parse(raw, [code]), Rings())

        async with w.rt.db.seller(w.seller_id) as tx:
            await parcels.hear(w.rt, tx, carrier.account, raw_after, mapping.parse(raw_after, [code]), Rings())
            late = asyncio.create_task(settle(raw_before))  # it knows less, and is written last
            await asyncio.sleep(0.3)
        await late
        assert (await parcel(w, code))[0] == "delivered"


# ── who follows ────────────────────────────────────────────────────────────────────────────────────────────────


async def handed_over(w: World) -> tuple[Channel, Channel, str, str]:
    """A parcel of Total Express that it gave to Correios. Answers both, and its code at each."""
    store, posts = await store_and_carrier(w)
    first = await w.connect("totalexpress", seed=3, feed_seconds=0.0)
    order = await store.buy("CANECA")
    await w.settle()
    code = (await first.act("post", journey="handed_over"))["code"]
    await note_parcel(w, store, first, order, code)
    await first.act("advance", code=code, steps=6)
    return first, posts, code, vars(first.sandbox)["parcels"][code].post


async def test_a_parcel_goes_on_with_the_carrier_that_it_was_handed_to() -> None:
    async with world() as w:
        first, posts, code, onward = await handed_over(w)
        await posts.act("post", code=onward, journey="delivered")
        await w.hurry("feed")  # Total Express tells by itself
        await w.settle()

        row = await w.row("SELECT carrier_account_id, next_code, tracking_code FROM shipment")
        assert (row["carrier_account_id"], row["next_code"], row["tracking_code"]) == (posts.account.id, onward, code)
        both = await w.rows("SELECT carrier, count(*) FROM tracking_event GROUP BY carrier ORDER BY 1")
        assert [one["carrier"] for one in both] == ["correios", "totalexpress"]
        await posts.act("advance", code=onward, steps=6)
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await shipments.track_soon(tx, posts.account.id, onward, w.rt.now())
        asked = first.calls()
        await w.settle()
        status, news = await parcel(w, code)
        assert status == "delivered"
        assert first.calls() == asked  # the first carrier is not asked any more
        assert len(news) == len(set(news))

        before = len(await w.rows("SELECT 1 FROM tracking_event"))
        await first.act("advance", code=code, steps=3)  # and still tells of it: one timeline, the same end
        await w.hurry("feed")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM tracking_event")) > before
        assert (await parcel(w, code))[0] == "delivered"
        assert (await w.row("SELECT carrier_account_id FROM shipment"))["carrier_account_id"] == posts.account.id


async def test_where_the_next_carrier_does_not_know_it_the_one_before_is_asked_again() -> None:
    async with world() as w:
        first, posts, _code, onward = await handed_over(w)
        await w.hurry("feed")
        await w.settle()
        row = await w.row("SELECT carrier_account_id, not_found_since FROM shipment")
        assert row["carrier_account_id"] == posts.account.id
        assert row["not_found_since"]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET not_found_since = now() - interval '1 day', track_due_at = now()")
        await w.settle()
        assert (await w.row("SELECT carrier_account_id FROM shipment"))["carrier_account_id"] == first.account.id
        legs = await w.rows("SELECT carrier, code FROM shipment_leg ORDER BY position")
        assert [leg["carrier"] for leg in legs] == ["totalexpress", "correios"]
        assert legs[1]["code"] == onward


async def test_what_an_aggregator_sold_is_followed_at_the_carrier_itself() -> None:
    def with_number(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
        assert there.tracking
        found = there.tracking.parse(raw, codes)
        return [one if one.error else one.model_copy(update={"carrier_code": number}) for one in found]

    there, number = adapters.get("frenet"), ""
    async with world() as w:
        with carrier_that("frenet", parse=with_number):
            store, posts = await store_and_carrier(w)
            number = (await posts.act("post", journey="delivered"))["code"]
            sold = await w.connect("frenet", seed=3)
            order = await store.buy("CANECA")
            await w.settle()
            code = (await sold.act("post"))["code"]
            service, _, bare = code.rpartition(":")
            order_id = (await w.order(order))["id"]
            parcel_told = Shipment(ref=bare, carrier="Frenet", service=service or None, tracking_code=bare)
            async with w.rt.db.seller(w.seller_id) as tx:
                await shipments.add(tx, store.account.id, order_id, parcel_told, sold.account.id, w.rt.now())
            await w.settle()
            assert (await w.row("SELECT carrier_account_id FROM shipment"))["carrier_account_id"] == posts.account.id


async def test_a_carriers_webhook_is_settled_through_the_door() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        loggi = await w.connect("loggi", seed=5)
        await w.open_stock(CANECA=10)
        url = await poll.webhook_url(w.rt, loggi.account)
        await loggi.act("callback", url=url, secret=await w.rt.hook_secret(w.seller_id, loggi.account.id))
        order = await store.buy("CANECA")
        await w.settle()
        code = (await loggi.act("post", journey="delivered"))["code"]
        await note_parcel(w, store, loggi, order, code)
        asked = loggi.calls()
        await loggi.act("advance", code=code, steps=9)
        await w.settle()
        assert (await parcel(w, code))[0] == "delivered"
        assert loggi.calls() == asked  # it told; nobody had to ask
        assert (await w.row("SELECT heard_at FROM shipment"))["heard_at"]


async def test_where_no_account_fits_the_first_carrier_is_asked_on_until_one_is_connected() -> None:
    def parse_with_next(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
        to = NextCode(carrier="Jadlog", code="10084882066034")
        return [one if one.error else one.model_copy(update={"next_code": to}) for one in mapping.parse(raw, codes)]

    async with world() as w:
        with carrier_that("correios", parse=parse_with_next):
            store, carrier = await store_and_carrier(w)
            _order, code = await sold_and_posted(w, store, carrier)
            row = await w.row("SELECT carrier_account_id, track_due_at, next_code FROM shipment")
            assert (row["carrier_account_id"], row["next_code"]) == (carrier.account.id, "10084882066034")
            assert row["track_due_at"]
            other = await w.connect("jadlog", seed=3)
            row = await w.row("SELECT carrier_account_id FROM shipment WHERE tracking_code = %s", code)
            assert row["carrier_account_id"] == other.account.id


async def test_what_channels_tell_is_followed_by_the_carrier_they_mean_and_left_alone_where_that_is_unclear() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        codes = {"ours": "QQ123456785BR", "odd": "AA123456789BR", "theirs": "10084882066034", "nobody": "12345678"}
        ids = {
            "ours": await channel_tells(w, store, codes["ours"], "Transportadora do canal"),
            "named": await channel_tells(w, store, codes["odd"], "Correios - SEDEX"),
            "jadlog": await channel_tells(w, store, codes["theirs"], "Jadlog", ".Package"),
            "unnamed": await channel_tells(w, store, codes["nobody"], "Azul Cargo"),
            "both": await channel_tells(w, store, codes["ours"], "Jadlog"),
        }

        async def stand() -> dict[str, tuple[UUID | None, str | None]]:
            rows = {row["id"]: row for row in await w.rows("SELECT id, carrier_account_id, left_alone FROM shipment")}
            return {name: (rows[id_]["carrier_account_id"], rows[id_]["left_alone"]) for name, id_ in ids.items()}

        alone = {"ours": "no_account", "named": "no_account", "jadlog": "no_account", "unnamed": "unnamed"}
        assert await stand() == {**{name: (None, why) for name, why in alone.items()}, "both": (None, "ambiguous")}
        assert await w.alerts() == ["parcel_ambiguous"]

        carrier = await w.connect("correios", seed=9)  # whoever is connected later takes what waits
        followed = (carrier.account.id, None)
        assert await stand() == {
            "ours": followed, "named": followed, "jadlog": (None, "no_account"), "unnamed": (None, "unnamed"),
            "both": (None, "ambiguous"),
        }  # fmt: skip
        with patch.object(sandbox, "CARD", "0078888888"):
            await w.connect("correios", seed=10, name="Outro contrato")
        late = await channel_tells(w, store, "QQ123456799BR", "PAC")
        ids = {"late": late}
        assert await stand() == {"late": (None, "ambiguous")}


async def test_the_channels_word_holds_until_the_carrier_has_spoken() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        made = await channel_tells(w, store, NEVER_POSTED, "Correios")
        await w.settle()
        row = await w.row("SELECT ref, carrier_account_id, not_found_since FROM shipment")
        assert row["carrier_account_id"] == carrier.account.id
        assert row["not_found_since"]

        async def tells(status: TrackingStatus) -> str:
            there = Shipment(ref=row["ref"], carrier="Correios", tracking_code=NEVER_POSTED, status=status)
            async with w.rt.db.seller(w.seller_id) as tx:
                assert await shipments.put_bare(tx, store.account.id, [there]) == [made]
                await tx.run("UPDATE shipment SET not_found_since = now() - interval '9 days', track_due_at = now()")
            await w.settle()
            return str((await parcel(w, NEVER_POSTED))[0])

        assert await tells(TrackingStatus.IN_TRANSIT) == "in_transit"
        assert await w.alerts() == []  # it moves: another contract's, and nobody's to look for
        await carrier.act("post", code=NEVER_POSTED, journey="delivered")
        assert await tells(TrackingStatus.IN_TRANSIT) == "accepted"
        assert await tells(TrackingStatus.DELIVERED) == "accepted"


# ── requests and news ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_request_that_leaves_takes_along_what_is_due_soon() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        for _ in range(60):
            code = (await carrier.act("post", journey="delivered"))["code"]
            await channel_tells(w, store, code, "Correios")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                """UPDATE shipment s SET track_due_at = now() + (n - 1) * interval '9 seconds'
                   FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM shipment) o WHERE o.id = s.id"""
            )
        before = carrier.calls()[ASKED]
        await w.settle()
        assert carrier.calls()[ASKED] == before + 1  # one is due, 49 within ten minutes; the others wait
        assert len(await w.rows("SELECT 1 FROM shipment WHERE last_event_at IS NULL")) == 10
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET track_due_at = now()")
        await w.settle()
        assert carrier.calls()[ASKED] == before + 3  # 60 parcels by 50


async def test_how_soon_a_channel_heard_is_measured() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        _order, code = await sold_and_posted(w, store, carrier)
        await scan(w, carrier, code, steps=6)
        rows = await w.rows("SELECT news, happened_at, learnt_at, told_at FROM news_log ORDER BY told_at")
        assert [row["news"] for row in rows] == (await parcel(w, code))[1]
        assert all(row["learnt_at"] < row["told_at"] for row in rows)
        async with w.rt.db.seller(w.seller_id) as tx:
            told_in = await tracking.told_in(tx, w.rt.now() - timedelta(hours=1))
        assert told_in["count"] == len(rows)
        assert 0 < told_in["p50"] <= told_in["p95"] < 60
        assert told(store)


async def test_a_document_kept_is_read_by_the_code_it_was_kept_for() -> None:
    async with world() as w:
        store, carrier = await store_and_carrier(w)
        made = [(await carrier.act("post", journey="delivered"))["code"] for _ in range(2)]
        await notice(w, carrier, None, await answer(w, carrier, *made), "page")
        order = await store.buy("CANECA")
        await w.settle()
        for code in made:
            vars(carrier.sandbox)["parcels"].pop(code)
        await note_parcel(w, store, carrier, order, made[0])
        kept = await w.rows("SELECT code FROM tracking_kept")
        assert [row["code"] for row in kept] == [made[1]]
        document = await w.row("SELECT raw FROM tracking_document")
        assert made[1] in json.dumps(json.loads(bytes(document["raw"])))
