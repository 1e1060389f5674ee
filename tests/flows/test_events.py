"""Events out, received by a real server that verifies each by the standard's own library."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

from hub import delivery
from hub import events as decide
from hub.gate import Gate
from hub.sandbox import Product
from hub.store import alerts, endpoints, events, orders
from jobs import connect, courier, sweep
from jobs import events as flow
from jobs.courier import Courier
from jobs.events import EventRefused
from tests.world import Log, World, world

CANECA = Product(sku="CANECA", title="Caneca", quantity=10, price_cents=3990)


@dataclass
class Receiver:
    """What arrived, each verified under one of `secrets`; `answers` are given in turn, then 204."""

    secrets: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None
    here: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body, headers = await request.text(), dict(request.headers)
        for secret in self.secrets:
            self.got.append(Webhook(secret).verify(body, headers))
            break
        self.ids.append(headers["webhook-id"])
        self.signatures.append(headers["webhook-signature"])
        self.bodies.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.here.set()
        try:
            if self.hold:
                await self.hold.wait()
        finally:
            self.at_once -= 1
        status, more, text = self.answers.pop(0) if self.answers else (204, {}, "")
        return web.Response(status=status, headers=more, text=text or None)

    async def until(self, count: int) -> None:
        """So many have arrived."""
        async with asyncio.timeout(60):
            while len(self.got) < count:
                self.here.clear()
                await self.here.wait()

    @property
    def kinds(self) -> list[str]:
        return [each["type"] for each in self.got]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [each["data"] for each in self.got if each["type"] == kind]


@asynccontextmanager
async def receiver(*answers: int) -> AsyncIterator[Receiver]:
    made = Receiver(answers=[(status, {}, "") for status in answers])
    app = web.Application()
    app.router.add_post("/{anything:.*}", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/eventos?chave=abc"))
        yield made


async def listen(w: World, to: Receiver, kinds: Sequence[str] | None = None) -> UUID:
    made = await flow.add(w.rt, w.seller_id, to.url, kinds, "o ERP")
    to.secrets = [made.secret]
    return made.id


async def send(w: World) -> int:
    return await Courier(w.rt).drain()


async def pass_time(w: World, **more: float) -> None:
    """What waits waits that much less."""
    by = timedelta(**more)
    for sql in (
        "UPDATE event_delivery SET due_at = due_at - %s WHERE due_at IS NOT NULL",
        "UPDATE event_endpoint SET rest_until = rest_until - %s, failing_since = failing_since - %s",
        "UPDATE sku_news SET due_at = due_at - %s WHERE due_at IS NOT NULL",
    ):
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(sql, [by] * sql.count("%s"))


async def note(w: World, subject: str = "x") -> None:
    """Something happens that is quick to make."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await alerts.raise_(tx, "mail_down", subject)


async def states(w: World) -> list[tuple[str, str | None, int]]:
    rows = await w.rows("SELECT state, reason, attempts FROM event_delivery ORDER BY id")
    return [(row["state"], row["reason"], row["attempts"]) for row in rows]


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sale_is_told_to_whoever_wants_to_know_and_nothing_is_written_for_nobody() -> None:
    async with world() as w, receiver() as erp, receiver() as board:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        await store.buy("CANECA", 2)
        await w.settle()
        assert await w.rows("SELECT FROM event") == []
        assert await w.rows("SELECT FROM sku_news") == []
        await listen(w, erp)
        await listen(w, board, ["stock.changed"])
        ref = await store.buy("CANECA", 3)
        await w.settle()
        await send(w)
        (order,) = erp.told("order.created")
        known = await w.order(ref)
        assert (order["order_id"], order["ref"], order["status"]) == (str(known["id"]), ref, known["status"])
        assert (order["channel"], order["account_id"]) == ("woocommerce", str(store.account.id))
        assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [("CANECA", 3)]
        assert order["placed_at"].endswith("Z")
        assert board.kinds == ["stock.changed"]
        (stock,) = board.told("stock.changed")
        assert (stock["sku"], stock["available"]) == ("CANECA", 5)
        assert known["buyer_name"] not in "".join(erp.bodies)
        versions = [each["data"]["version"] for each in erp.got]
        assert sorted(versions) == list(range(1, len(versions) + 1))
        assert await states(w) == [("sent", None, 1)] * (len(erp.got) + 1)


async def test_what_a_transaction_takes_back_was_never_told() -> None:
    async with world() as w, receiver() as erp:
        await listen(w, erp)
        async with w.rt.db.seller(w.seller_id) as tx, tx.trial(dry=True):
            await alerts.raise_(tx, "mail_down", "x")
            assert await tx.value("SELECT count(*) FROM event") == 1, "written where the change is"
        assert await w.rows("SELECT FROM event") == []
        await note(w)
        async with w.rt.db.seller(w.seller_id) as tx:
            await alerts.resolve(tx, "mail_down", "x")
        await send(w)
        assert erp.kinds == ["alert.opened", "alert.closed"]
        assert [each["alert"] for each in erp.told("alert.closed")] == ["mail_down"]


async def test_every_kind_is_told_when_it_happens_and_fits_its_model(log: Log) -> None:
    async with world() as w, receiver() as erp:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=3)
        await listen(w, erp)
        ref, other = await store.buy("CANECA", 2), await store.buy("CANECA", 1)
        await w.settle()
        await w.count(CANECA=1)  # two of what was sold are not there
        known = await w.order(other)
        async with w.rt.db.seller(w.seller_id) as tx:
            order_id = (await w.order(ref))["id"]
            await tx.run(
                "INSERT INTO shipment (seller_id, id, account_id, ref) VALUES (%s, %s, %s, 'r1')",
                [w.seller_id, order_id, store.account.id],
            )
            await tx.run(
                "INSERT INTO shipment_line (seller_id, shipment_id, order_id) VALUES (%s, %s, %s)",
                [w.seller_id, order_id, order_id],
            )
            await tx.run("UPDATE shipment SET status = 'in_transit'")
            await tx.run("UPDATE shipment SET status = 'in_transit'")  # it was
            await tx.run(
                """INSERT INTO order_return (seller_id, id, order_id, ref, lines)
                   VALUES (%s, %s, %s, 'd1', '[{"line_ref": "1", "quantity": 1, "disposition": null}]')""",
                [w.seller_id, order_id, order_id],
            )
            await tx.run("UPDATE stock_slot SET parked_code = 'bad', parked_reason = 'no', due_at = NULL")
            await tx.run("UPDATE account SET status = 'held', held_reason = 'no'")
            stored = await orders.lock_id(tx, known["id"])
            assert stored is not None
            assert stored.known is not None
            order = stored.known.order.model_copy(update={"cancelled": True})
            await orders.put(tx, stored.id, replace(stored.known, order=order))
            await orders.put(tx, stored.id, replace(stored.known, order=order))  # told again
        await send(w)
        assert set(erp.kinds) >= set(decide.KINDS) - {"order.updated", "alert.closed"}, Counter(erp.kinds)
        assert Counter(erp.kinds)["shipment.updated"] == Counter(erp.kinds)["order.cancelled"] == 1
        assert erp.told("order.cancelled")[0]["status"] == "cancelled"
        assert erp.told("shipment.created")[0]["order_ids"] == [str(order_id)]
        assert sum(each["quantity"] for each in erp.told("shortage.opened")) == 2
        assert erp.told("listing.parked")[0]["sku"] == "CANECA"
        for each in erp.got:
            decide.KINDS[each["type"]].payload.model_validate(each["data"])
        assert not log.tracebacks


async def test_a_storm_of_sales_is_one_word_about_the_sku_until_it_was_told() -> None:
    async with world() as w, receiver() as erp:
        await w.open_stock(CANECA=50)
        await listen(w, erp, ["stock.changed"])

        async def move(*units: int, after: float = 0) -> list[int]:
            for each in units:
                await w.count(CANECA=each)
            await pass_time(w, seconds=after)
            await send(w)
            return [told["available"] for told in erp.told("stock.changed")]

        assert await move(49, 48, 47, 46) == [46]
        assert await move(45, 44, 43, 42) == [46], "the second waits five seconds"
        assert await move(after=5) == [46, 42]
        assert await move(43, 42, after=5) == [46, 42], "what moved and came back is no news"
        erp.answers = [(500, {}, "")]
        assert await move(39, after=5) == [46, 42, 39]
        assert await move(38, after=5) == [46, 42, 39, 38]
        assert await move(after=3600) == [46, 42, 39, 38], "the one that was not taken is overtaken"
        assert ("superseded", None, 1) in await states(w)


async def test_a_kit_is_told_of_with_what_it_is_made_of() -> None:
    async with world() as w, receiver() as erp:
        await w.open_stock(CANECA=9, PIRES=9)
        async with w.rt.db.seller(w.seller_id) as tx:
            from hub.store import kits, stock

            codes = {code: await stock.sku_id(tx, code) for code in ("CANECA", "PIRES")}
            kit = await stock.sku_put(tx, "JOGO")
            await kits.kit_put(tx, kit, {sku: 2 for sku in codes.values() if sku})
        await listen(w, erp, ["stock.changed"])
        await w.count(PIRES=5)
        await send(w)
        assert {each["sku"]: each["available"] for each in erp.told("stock.changed")} == {"PIRES": 5, "JOGO": 2}


# ── how it is sent ──────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_not_taken_is_tried_again_as_the_standard_proposes_under_the_same_id() -> None:
    async with world() as w, receiver(*[500] * 20) as erp:
        await listen(w, erp)
        await note(w)
        await send(w)
        for delay in decide.DELAYS:
            (row,) = await w.rows("SELECT due_at - (SELECT max(at) FROM event_attempt) AS wait FROM event_delivery")
            assert 0.9 * delay <= row["wait"].total_seconds() <= 1.1 * delay + 10
            await pass_time(w, seconds=delay * 1.12)
            await send(w)
        assert await states(w) == [("failed", "attempts", decide.ATTEMPTS)]
        assert len(erp.ids) == decide.ATTEMPTS
        assert len(set(erp.ids)) == len(set(erp.bodies)) == 1
        tried = await w.rows("SELECT status, problem FROM event_attempt ORDER BY id")
        assert [(row["status"], row["problem"]) for row in tried] == [(500, "status")] * decide.ATTEMPTS


async def test_who_asks_for_a_while_is_left_alone_and_who_is_gone_for_good() -> None:
    async with world() as w, receiver() as erp:
        endpoint = await listen(w, erp)
        erp.answers = [
            (429, {"Retry-After": "900"}, "token=segredo123 devagar"),
            (302, {"Location": "/"}, ""),
            (410, {}, ""),
        ]
        await note(w)
        await send(w)
        await note(w, "y")
        assert await send(w) == 0, "the endpoint itself is left alone"
        kept = await w.row(
            "SELECT d.due_at - a.at AS wait, answer FROM event_attempt a JOIN event_delivery d ON d.id = a.delivery_id"
        )
        assert 900 <= kept["wait"].total_seconds() <= 910
        assert kept["answer"] == "token=*** devagar"
        await pass_time(w, seconds=901)
        await send(w)
        await send(w)
        await pass_time(w, hours=1)
        await send(w)
        assert ("failed", "gone", 0) in [(state, reason, 0) for state, reason, _attempts in await states(w)]
        (row,) = await w.rows("SELECT disabled_why FROM event_endpoint")
        assert row["disabled_why"] == "gone"
        assert "endpoint_disabled" in await w.alerts()
        await note(w, "z")
        assert await w.rows("SELECT FROM event WHERE number IS NULL") == [], "nothing is written for nobody"
        await flow.switch(w.rt, w.seller_id, endpoint, on=True)
        assert "endpoint_disabled" not in await w.alerts()
        erp.got.clear()
        assert await flow.replay_failed(w.rt, w.seller_id, endpoint, w.rt.now() - timedelta(days=1)) >= 1
        await send(w)
        assert set(erp.kinds) <= {"alert.opened", "alert.closed"}
        assert {state for state, _reason, _attempts in await states(w)} == {"sent"}


async def test_an_endpoint_that_takes_nothing_for_days_is_disabled_with_an_alert() -> None:
    async with world() as w, receiver(*[503] * 9) as erp:
        await listen(w, erp)
        await note(w)
        await send(w)
        await pass_time(w, days=4)
        await send(w)
        assert await w.alerts() == ["mail_down"]
        await pass_time(w, days=1)
        await send(w)
        assert await w.alerts() == ["endpoint_disabled", "mail_down"]
        assert {state for state, _reason, _attempts in await states(w)} == {"failed"}


async def test_a_slow_endpoint_holds_up_no_other_and_has_few_under_way() -> None:
    async with world() as w, receiver() as slow, receiver() as quick:
        await listen(w, slow)
        await listen(w, quick)
        slow.hold = asyncio.Event()
        for n in range(10):
            await note(w, str(n))
        stop = asyncio.Event()
        with patch.object(delivery, "TIMEOUT", 90.0), patch.object(endpoints, "LEASE", timedelta(seconds=120)):
            running = [asyncio.create_task(Courier(w.rt).run(stop)) for _ in range(2)]
            await quick.until(10)
            assert slow.most_at_once == courier.EACH
            slow.hold.set()
            await slow.until(10)
            stop.set()
            await asyncio.gather(*running)
        assert [each["data"]["about"] for each in quick.got[:4]] == ["0", "1", "2", "3"]


async def test_while_a_secret_is_replaced_both_sign_and_then_the_new_one_alone() -> None:
    async with world() as w, receiver() as erp:
        endpoint = await listen(w, erp)
        old = erp.secrets[0]
        new = (await flow.rotate(w.rt, w.seller_id, endpoint)).secret
        assert old.startswith("whsec_")
        await note(w)
        await send(w)
        erp.secrets = [new]
        await note(w, "y")
        await send(w)
        assert len(erp.got) == 2
        assert [len(each.split(" ")) for each in erp.signatures] == [2, 2]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE event_endpoint SET old_until = old_until - interval '1 day 1 second'")
        await note(w, "z")
        await send(w)
        assert len(erp.signatures[-1].split(" ")) == 1
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(erp.bodies[-1], {"webhook-id": erp.ids[-1], "webhook-signature": erp.signatures[-1],
                                                "webhook-timestamp": str(int(w.rt.now().timestamp()))})  # fmt: skip
        kept = (await w.row("SELECT sealed FROM event_endpoint"))["sealed"]
        assert new.encode() not in bytes(kept)


async def test_private_addresses_and_plain_http_are_refused_and_so_is_a_redirect(log: Log) -> None:
    async with world() as w, receiver() as erp:
        endpoint = await listen(w, erp)
        for url, kind in (
            ("http://erp.example.com/x", "https"), ("https://ana:senha@erp.example.com/", "login"),
            ("ftp://erp.example.com", "address"), ("erp.example.com", "address"),
        ):  # fmt: skip
            with pytest.raises(EventRefused) as refused:
                await flow.add(w.rt, w.seller_id, url, None)
            assert refused.value.kind == kind
        w.rt.http.gate = Gate("")
        for url in ("https://127.0.0.1/x", "https://10.0.0.7/", "https://localhost/x", "https://[::1]/", erp.url):
            with pytest.raises(EventRefused) as refused:
                await flow.add(w.rt, w.seller_id, url, None)
            assert refused.value.kind == "private", url
        await note(w)
        await send(w)
        assert erp.ids == [], "and each request looks again"
        (row,) = await w.rows("SELECT status, problem, answer FROM event_attempt")
        assert (row["status"], row["problem"]) == (None, "private_address")
        assert "BALCAO_ALLOW_PRIVATE_HOSTS" in row["answer"]
        w.rt.http.gate = Gate("*")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE event_endpoint SET url = replace(url, '127.0.0.1', 'localhost')")
        w.rt.http.gate = Gate("")
        delivery_id = (await w.row("SELECT id FROM event_delivery"))["id"]
        await flow.replay(w.rt, w.seller_id, delivery_id)
        await Courier(w.rt).send_now(w.seller_id, endpoint, delivery_id)
        assert erp.ids == []


# ── whatever happens to whom ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("point", ["numbered", "claimed", "sent", "noted"])
async def test_a_worker_killed_anywhere_loses_nothing_and_what_left_twice_has_one_id(point: str, log: Log) -> None:
    async with world() as w, receiver() as erp:
        await listen(w, erp)
        await note(w)
        doomed, pulse = await w.process()
        killed = OSError("killed")
        places = {
            "numbered": (events, "hand_out"), "claimed": (delivery, "post"), "sent": (endpoints, "note"),
            "noted": (endpoints, "took"),
        }  # fmt: skip
        module, name = places[point]
        with patch.object(module, name, side_effect=killed):
            await Courier(doomed).drain()
        log.tracebacks.clear()
        assert (await w.rows("SELECT FROM event_delivery WHERE lease_by = %s", doomed.worker) != []) == (
            point != "numbered"
        )
        assert await send(w) == (1 if point == "numbered" else 0), "what a living worker holds is its own"
        await pulse.__aexit__(None, None, None)
        while not await w.pulse.is_dead(doomed.worker):  # noqa: ASYNC110 - PostgreSQL tells nobody when it has gone
            await asyncio.sleep(0.02)
        await sweep.free_dead(w.rt, w.pulse)
        await send(w)
        assert len(erp.ids) == {"numbered": 1, "claimed": 1, "sent": 2, "noted": 2}[point]
        assert len(set(erp.ids)) == 1
        assert [state for state, _reason, _attempts in await states(w)] == ["sent"]


async def test_two_workers_number_and_send_each_event_once() -> None:
    async with world() as w, receiver() as erp:
        await listen(w, erp)
        other, _pulse = await w.process()
        for n in range(12):
            await note(w, str(n))
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await events.turn(tx) == 0
            await Courier(other).drain()
            assert await w.rows("SELECT id FROM event WHERE number IS NOT NULL") == [], "another is numbering them"
        await asyncio.gather(Courier(w.rt).drain(), Courier(other).drain())
        await send(w)
        assert Counter(erp.ids) == dict.fromkeys(erp.ids, 1)
        assert sorted(each["data"]["version"] for each in erp.got) == list(range(1, 13))


async def test_another_seller_sees_and_moves_nothing_of_it() -> None:
    async with world() as w, receiver(500) as erp:
        endpoint = await listen(w, erp)
        await note(w)
        await send(w)
        theirs = await connect.seller_add(w.rt, "Outra Loja")
        (row,) = await w.rows("SELECT id FROM event_delivery")
        for ask in (
            lambda: flow.rotate(w.rt, theirs, endpoint), lambda: flow.switch(w.rt, theirs, endpoint, on=False),
            lambda: flow.remove(w.rt, theirs, endpoint), lambda: flow.test(w.rt, theirs, endpoint),
            lambda: flow.replay(w.rt, theirs, row["id"]), lambda: flow.edit(w.rt, theirs, endpoint, erp.url, None),
            lambda: flow.replay_failed(w.rt, theirs, endpoint, w.rt.now() - timedelta(days=1)),
        ):  # fmt: skip
            with pytest.raises(EventRefused):
                await ask()
        async with w.rt.db.seller(theirs) as tx:
            assert await endpoints.every(tx) == await endpoints.log(tx, endpoint) == []
            assert await endpoints.delivery(tx, row["id"]) is None
            assert await events.feed(tx, 0, None, 100) == []
            await alerts.raise_(tx, "mail_down", "theirs")
        await pass_time(w, seconds=10)
        await send(w)
        assert [each["about"] for each in erp.told("alert.opened")] == ["x", "x"]


async def test_a_key_that_reads_the_feed_is_enough_and_the_feed_misses_nothing_that_commits_late() -> None:
    async with world() as w:
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                "INSERT INTO api_key (seller_id, id, name, key_hash, scopes) VALUES (%s, %s, 'x', 'x', %s)",
                [w.seller_id, w.seller_id, ["events:read"]],
            )
        async with w.rt.db.seller(w.seller_id) as late:
            await alerts.raise_(late, "mail_down", "late")
            await note(w, "soon")
            await send(w)
            async with w.rt.db.seller(w.seller_id) as tx:
                (first,) = await events.feed(tx, 0, None, 10)
        await send(w)
        async with w.rt.db.seller(w.seller_id) as tx:
            (second,) = await events.feed(tx, first["number"], None, 10)
            assert json.loads(second["body"])["data"]["about"] == "late"
            await tx.run("UPDATE api_key SET revoked_at = now()")
        await note(w, "nobody")
        await send(w)
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await events.newest(tx) == 2


async def test_a_test_event_goes_to_its_endpoint_alone_and_old_ones_are_dropped() -> None:
    async with world() as w, receiver() as erp, receiver() as board:
        endpoint = await listen(w, erp, ["alert.closed"])
        await listen(w, board)
        made = await flow.test(w.rt, w.seller_id, endpoint)
        await Courier(w.rt).send_now(w.seller_id, endpoint, made)
        await note(w)
        await send(w)
        assert (erp.kinds, board.kinds) == (["test"], ["alert.opened"])
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE event SET at = at - interval '31 days'")
        await flow.test(w.rt, w.seller_id, endpoint)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE event SET at = at - interval '31 days' WHERE number = 3")
        await courier.prune(w.rt, w.seller_id)
        assert len(await w.rows("SELECT FROM event")) == 1, "what is still to be sent stays"
        assert await w.rows("SELECT FROM event_attempt") == []
