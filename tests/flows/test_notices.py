"""People told of alerts by a real mail server and real webhooks: few messages, each once, nothing lost in silence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.store import alerts, people
from hub.store import notices as store
from jobs import notices, processes
from tests.flows.test_mails import Post, post, use  # noqa: F401 - a fixture
from tests.world import World, world

ALL = {
    "name": "Canal", "least": "info", "scope": "all", "kinds": None, "handed": True, "quiet": None, "digest_at": None,
}  # fmt: skip
NOON = datetime.fromisoformat("2026-03-11T15:00:00+00:00")


@dataclass
class Chat:
    """A webhook of a chat: what it got, and how it answers."""

    got: list[Any] = field(default_factory=list)
    status: int = 200
    text: str = "ok"
    kind: str = "text/plain"
    hang_up: bool = False
    url: str = ""

    async def hook(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        if self.hang_up and request.transport is not None:
            request.transport.close()
        return web.Response(status=self.status, text=self.text, content_type=self.kind)


@asynccontextmanager
async def chatting() -> AsyncIterator[Chat]:
    chat = Chat()
    app = web.Application()
    app.router.add_post("/hooks/segredo-do-canal", chat.hook)
    async with TestServer(app) as server:
        chat.url = str(server.make_url("/hooks/segredo-do-canal"))
        yield chat


async def person(w: World, email: str, role: str = "owner", name: str = "Ana") -> UUID:
    async with w.rt.db.people() as tx:
        user_id = await people.user_put(tx, email, name, "x", "pt_BR")
    async with w.rt.db.seller(w.seller_id) as tx:
        await people.member_put(tx, user_id, role)
    return user_id


async def way(w: World, who: UUID, url: str | None = None, **wishes: Any) -> UUID:
    told = {"url": url} if url else {}
    format_ = "slack" if url else "email"
    return await notices.add(w.rt, w.seller_id, who, format_, "Canal", told, {**ALL, **wishes})


async def raised(w: World, *subjects: str, kind: str = "slot_parked", severity: str = "urgent") -> None:
    async with w.rt.db.seller(w.seller_id) as tx:
        for each in subjects:
            await alerts.raise_(tx, kind, each, severity=severity, account="Loja", ref=each, detail="recusado")


async def after(w: World, **by: float) -> int:
    """Time passes, and what is due is done. Answers how many messages were tried."""
    at = w.rt.now() + timedelta(**by)
    w.rt.now = lambda: at
    while await processes.turn(w.rt):
        pass
    await notices.spread(w.rt)
    return await notices.deliver(w.rt)


def at(w: World, told: datetime = NOON) -> None:
    w.rt.now = lambda: told


async def states(w: World) -> list[tuple[str, str]]:
    return [
        (row["occasion"], row["state"])
        for row in await w.rows("SELECT occasion, state FROM notice ORDER BY alert_id, occasion")
    ]


async def test_fifty_alerts_are_one_message_and_none_is_told_twice() -> None:
    async with world() as w, chatting() as chat:
        at(w)
        await raised(w, "antes")  # nobody wanted to hear of anything yet
        ana = await person(w, "ana@loja.example")
        id_ = await way(w, ana, chat.url)
        assert b"segredo" not in bytes((await w.row("SELECT sealed FROM notice_way"))["sealed"])
        await raised(w, *(f"s{n}" for n in range(50)))
        assert await after(w, seconds=1) == 0, "they are gathered first"
        await asyncio.gather(notices.spread(w.rt), notices.spread(w.rt))
        assert await after(w, seconds=15) == 1
        (message,) = chat.got
        assert message["text"].startswith("*Loja de Teste: 50 alertas, 50 urgentes*")
        assert message["text"].count("/alertas/") == 20
        assert "e mais 30" in message["text"]
        assert f"{w.rt.policy.public_url}/alertas/" in message["text"]
        await raised(w, "s1")  # open still: brought up to date, no news
        async with w.rt.db.seller(w.seller_id) as tx:
            await alerts.resolve(tx, "slot_parked", "s2")
        await raised(w, "s2")  # comes and goes within the hour
        await raised(w, "s3", kind="inbox_parked")  # over before it is told
        await after(w, seconds=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await alerts.resolve(tx, "inbox_parked", "s3")
        assert await after(w, minutes=10) == 0
        assert len(chat.got) == 1
        row = await w.row("SELECT state, alerts, answer FROM notice_message")
        assert (row["state"], row["alerts"], row["answer"]) == ("sent", 50, "200")
        await raised(w, "s4", kind="inbox_parked", severity="info")
        await after(w, minutes=1)
        first = await after(w, minutes=1)
        await notices.prune(w.rt, w.seller_id)
        assert (first, len(chat.got)) == (1, 2)
        at(w, w.rt.now() + timedelta(days=31))
        await notices.prune(w.rt, w.seller_id)
        assert not await w.rows("SELECT 1 FROM notice UNION SELECT 1 FROM notice_message")
        assert await notices.drop(w.rt, w.seller_id, ana, id_) == "Canal"


async def test_quiet_hours_hold_back_what_is_not_urgent_and_a_server_that_was_away_is_tried_again(post: Post) -> None:  # noqa: F811 - the fixture
    async with world() as w:
        at(w, NOON + timedelta(hours=9))  # midnight in São Paulo
        use(w, "smtp://127.0.0.1:1")
        ana = await person(w, "ana@loja.example")
        await way(w, ana, quiet="21:00-07:00")
        await raised(w, "calmo", severity="warning")
        await raised(w, "agora")
        await after(w, seconds=1)
        assert await after(w, minutes=2) == 1
        use(w, f"smtp://127.0.0.1:{post.port}")
        assert await after(w, seconds=5) == 0, "it is waited a little after a failure"
        assert await after(w, minutes=1) == 1
        assert post.subjects == ["Loja de Teste · Urgente: Canal recusou o estoque"]
        assert post.to == ["ana@loja.example"]
        text = post.got[0].get_content()
        assert "ref. agora" in text
        assert "calmo" not in text
        assert f"{w.rt.policy.public_url}/alertas/" in text
        assert await after(w, hours=5) == 0
        assert await after(w, hours=6) == 1
        assert "ref. calmo" in post.got[1].get_content()
        log = await w.rows("SELECT state, answer FROM notice_message ORDER BY id")
        assert [row["state"] for row in log] == ["failed", "sent", "sent"]
        assert log[0]["answer"].startswith("mail_down: ")
        assert {state for _occasion, state in await states(w)} == {"sent"}


async def test_the_next_in_line_and_the_stand_in_are_told_and_who_is_away_is_not() -> None:
    async with world() as w, chatting() as chat, chatting() as boss, chatting() as third:
        at(w, datetime.now(tz=NOON.tzinfo))
        ana = await person(w, "ana@loja.example", "operator", "Ana")
        bia = await person(w, "bia@loja.example", "operator", "Bia")
        caio = await person(w, "caio@loja.example", "manager", "Caio")
        await way(w, ana, chat.url)
        await way(w, bia, third.url, scope="mine", kinds=["low_stock"])
        await way(w, caio, boss.url, scope="mine", least="urgent")
        now = w.rt.now()
        await processes.set_playbook(
            w.rt, w.seller_id, "slot_parked", caio, title="Estoque recusado", body="1. Ver", owner=ana, due_minutes=30,
            escalate="manager",
        )  # fmt: skip
        await processes.add_absence(
            w.rt, w.seller_id, ana, now - timedelta(hours=1), now + timedelta(days=2), bia, caio
        )
        await raised(w, "s1", severity="warning")
        await after(w, seconds=1)
        await after(w, minutes=2)
        assert chat.got == [], "Ana is away"
        (told,) = third.got
        assert "Passou para você, que substitui quem está fora · Atenção: Estoque recusado" in told["text"]
        assert boss.got == []
        await after(w, minutes=31)
        await after(w, minutes=2)
        (told,) = boss.got
        assert "Passou do prazo e agora é com você" in told["text"]
        async with w.rt.db.seller(w.seller_id) as tx:
            alert = await tx.value("SELECT id FROM alert")
        await processes.assign(w.rt, w.seller_id, alert, caio, caio)
        await after(w, minutes=10)
        assert len(boss.got) == 1, "one's own deed is no news"
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await store.without(tx, ["operator", "manager"]) == []
            await tx.run("DELETE FROM membership WHERE user_id = %s", [bia])
        assert len(await w.rows("SELECT 1 FROM notice_way")) == 2, "who works here no more is told nothing"


async def test_a_webhook_that_is_gone_is_turned_off_with_an_alert_and_on_again_by_a_test_that_arrives() -> None:
    async with world() as w, chatting() as chat:
        at(w)
        ana = await person(w, "ana@loja.example")
        id_ = await way(w, ana, chat.url)
        chat.status, chat.text = 404, "no_service for segredo-do-canal"
        await raised(w, "s1")
        await after(w, seconds=1)
        await after(w, seconds=15)
        row = await w.row("SELECT off_reason, failures FROM notice_way")
        assert row["off_reason"] == "gone"
        (log,) = await w.rows("SELECT answer FROM notice_message")
        assert log["answer"].startswith("gone: 404 no_service")
        assert "segredo" not in log["answer"]
        assert (await w.row("SELECT params FROM alert WHERE kind = 'notice_down'"))["params"]["person"] == "Ana"
        assert await after(w, hours=1) == 0
        assert await notices.test(w.rt, w.seller_id, ana, id_) == "gone"
        chat.status, chat.text = 200, "ok"
        at(w, w.rt.now() + timedelta(seconds=5))
        with pytest.raises(notices.NoticeRefused):
            await notices.test(w.rt, w.seller_id, ana, id_)
        at(w, w.rt.now() + timedelta(seconds=10))
        assert await notices.test(w.rt, w.seller_id, ana, id_) is None
        assert "este aviso é um teste" in chat.got[-1]["text"]
        assert (await w.row("SELECT off_at FROM notice_way"))["off_at"] is None
        assert not await w.rows("SELECT 1 FROM alert WHERE kind = 'notice_down' AND resolved_at IS NULL")


async def test_what_is_wrong_is_told_in_one_reason_each() -> None:
    async with world() as w, chatting() as chat:
        at(w)
        ana = await person(w, "ana@loja.example")
        id_ = await way(w, ana, chat.url)

        async def tried() -> str | None:
            at(w, w.rt.now() + timedelta(minutes=30))
            return await notices.test(w.rt, w.seller_id, ana, id_)

        for status, kind, reason in (
            (403, "text/plain", "refused_key"), (400, "text/plain", "refused"), (200, "text/html", "no_webhook"),
            (429, "text/plain", "throttled"), (200, "text/plain", None),
        ):  # fmt: skip
            chat.status, chat.kind = status, kind
            assert await tried() == reason
        w.rt.http.gate.__init__("")  # type: ignore[misc] # the same gate, with nothing of one's own network admitted
        before = len(chat.got)
        assert await tried() == "private_address"
        assert len(chat.got) == before, "nothing was sent there"
        at(w, w.rt.now() + timedelta(minutes=1))
        with pytest.raises(notices.NoticeRefused):
            await notices.test(w.rt, w.seller_id, await person(w, "eva@loja.example"), id_)


async def test_an_answer_that_failed_is_tried_again_and_one_that_never_came_is_not() -> None:
    async with world() as w, chatting() as chat:
        at(w)
        await way(w, await person(w, "ana@loja.example"), chat.url)
        chat.status = 500
        await raised(w, "s1")
        await after(w, seconds=1)
        assert await after(w, seconds=15) == 1
        chat.status = 200
        assert await after(w, minutes=1) == 1
        assert len(chat.got) == 2
        chat.hang_up = True
        await raised(w, "s2")
        await after(w, minutes=2)
        assert await after(w, seconds=15) == 1
        chat.hang_up = False
        assert await after(w, hours=2) == 0
        assert len(chat.got) == 3
        log = await w.rows("SELECT state FROM notice_message ORDER BY id")
        assert [row["state"] for row in log] == ["failed", "sent", "doubt"]
        # whoever sends is killed between the note and the answer
        await raised(w, "s3")
        await after(w, minutes=5)
        with patch.object(notices, "_chat", side_effect=asyncio.CancelledError), pytest.raises(asyncio.CancelledError):
            await after(w, seconds=15)
        assert await after(w, hours=1) == 0
        assert len(chat.got) == 3
        assert (await w.rows("SELECT state, answer FROM notice_message ORDER BY id"))[-1] == {
            "state": "doubt", "answer": "stopped",
        }  # fmt: skip
        assert sorted(state for _occasion, state in await states(w)) == ["doubt", "doubt", "sent"]


async def test_eight_failures_turn_a_way_off_and_old_news_is_not_told() -> None:
    async with world() as w, chatting() as chat:
        at(w)
        await way(w, await person(w, "ana@loja.example"), chat.url)
        chat.status = 503
        await raised(w, "s1")
        await after(w, seconds=1)
        tried = 0
        for _ in range(20):
            tried += await after(w, hours=1)
        assert tried == notices.MOST_FAILURES
        assert (await w.row("SELECT off_reason FROM notice_way"))["off_reason"] == "server"
        assert await states(w) == [("opened", "failed")]


async def test_each_morning_tells_what_is_late_and_what_is_due_once() -> None:
    async with world() as w, chatting() as chat:
        at(w, NOON)
        ana = await person(w, "ana@loja.example")
        await way(w, ana, chat.url, least="urgent", kinds=["low_stock"], digest_at=time(7, 30))
        async with w.rt.db.seller(w.seller_id) as tx:
            for kind, hours in (("slot_parked", -5), ("inbox_parked", 22), ("shortage", 60), ("mail_down", 60)):
                await alerts.raise_(tx, kind, "x", severity="urgent" if kind == "mail_down" else "warning")
                await tx.run("UPDATE alert SET due_at = %s WHERE kind = %s", [NOON + timedelta(hours=hours), kind])
        assert await after(w, minutes=5) == 0
        chat.status = 503
        assert await after(w, hours=20) == 1, "half past seven of the next day"
        chat.status = 200
        assert await after(w, minutes=2) == 1
        text = chat.got[-1]["text"]
        assert text.startswith("*Loja de Teste · Bom dia: 1 para hoje, 1 fora do prazo, urgentes em aberto: 1*")
        assert text.index("Canal recusou o estoque") < text.index("Para hoje:") < text.index("Aviso que não")
        assert text.index("Para hoje:") < text.index("Urgentes, ainda em aberto:") < text.index("E-mail")
        assert "Vendido e em falta" not in text
        assert "Em aberto para depois: 1" in text
        assert await after(w, hours=1) == 0
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE alert SET resolved_at = now()")
        count = len(chat.got)
        await after(w, hours=24)
        assert len(chat.got) == count, "a morning without anything to do is not told"
        assert (await w.row("SELECT look_at FROM notice_way"))["look_at"] > w.rt.now()
