"""Alerts as work and their playbooks: whose they are, what was done, who is away, and that none is ever lost."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub import playbooks
from hub.store import alerts, standing
from hub.store import processes as store
from hub.web import alert_words
from hub.web.i18n import ZONE
from jobs import processes
from tests.web.site import Reader, Site, site
from tests.web.test_shortages import shops

STEP = re.compile(r'name="step" value="([0-9a-f]{16})"')


async def raised(s: Site, kind: str = "slot_parked", subject: str = "x/1", **more: Any) -> UUID:
    """An open alert."""
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await alerts.raise_(tx, kind, subject, **{"account": "Loja <b>", "ref": "1003", "detail": "em revisão", **more})
    (row,) = await s.w.rows(
        "SELECT id FROM alert WHERE kind = %s AND subject = %s AND resolved_at IS NULL", kind, subject
    )
    await processes.turn(s.w.rt)
    return UUID(str(row["id"]))


async def alert(s: Site, id_: UUID) -> dict[str, Any]:
    return await s.w.row("SELECT * FROM alert WHERE id = %s", id_)


async def happened(s: Site, id_: UUID) -> list[str]:
    rows = await s.w.rows("SELECT kind FROM alert_event WHERE alert_id = %s ORDER BY at, id", id_)
    return [row["kind"] for row in rows]


async def at(s: Site, later: timedelta) -> datetime:
    """Time passes, and the sweep looks."""
    now = s.w.rt.now() + later
    s.w.rt.now = lambda: now
    while await processes.turn(s.w.rt):
        pass
    return now


async def staff(s: Site) -> tuple[UUID, Reader, UUID, Reader]:
    """Ana and Bia, operators, both signed in."""
    ana = await s.signed_in("ana@loja.example", role="operator")
    bia = await s.signed_in("bia@loja.example", role="operator", name="Bia Reis")
    rows = await s.w.rows("SELECT id, email FROM app_user ORDER BY email")
    return UUID(str(rows[0]["id"])), ana, UUID(str(rows[1]["id"])), bia


async def test_an_alert_is_taken_worked_step_by_step_and_closed_with_a_note() -> None:
    async with site() as s:
        ana_id, ana, _bia_id, bia = await staff(s)
        id_ = await raised(s)
        page = f"/alertas/{id_}"
        assert (await alert(s, id_))["due_at"] is not None
        text = (await ana.get("/alertas")).text
        assert "Loja &lt;b&gt; recusou o estoque" in text
        assert "operadores" in text
        assert (await ana.post(f"{page}/assumir")).status == 303
        assert (await alert(s, id_))["owner_id"] == ana_id
        refused = await bia.post(f"{page}/assumir", csrf=(await bia.get(page)).csrf)
        assert (refused.status, "Ana Lima já assumiu" in refused.text) == (400, True)
        text = (await ana.get(page)).text
        first, second, *_rest = STEP.findall(text)
        await ana.post(f"{page}/passo", step=first, on="yes")
        await ana.post(f"{page}/passo", step=second, on="yes")
        await ana.post(f"{page}/passo", step=second, on="no")
        await ana.post(f"{page}/passo", step="0" * 16, on="yes")
        assert (await alert(s, id_))["ticked"] == [first]
        empty = await ana.post(f"{page}/encerrar", note="  ")
        assert (empty.status, "Diga em poucas palavras" in empty.text) == (400, True)
        assert (await alert(s, id_))["resolved_at"] is None
        long = await ana.post(f"{page}/anotar", note="x" * 2001)
        assert (long.status, "x" * 2001 in long.text) == (400, True), "what was typed stays"
        await ana.post(f"{page}/anotar", note="liguei <i>para</i> o canal")
        await ana.post(f"{page}/encerrar", note="anúncio corrigido")
        row = await alert(s, id_)
        assert (row["closed_by"], row["note"]) == (ana_id, "anúncio corrigido")
        assert await happened(s, id_) == ["taken", "ticked", "ticked", "unticked", "noted", "closed"]
        text = (await ana.get(page)).text
        assert "liguei &lt;i&gt;para&lt;/i&gt; o canal" in text
        assert "anúncio corrigido" in (await ana.get("/alertas?ver=done")).text
        assert "anúncio corrigido" not in (await ana.get("/alertas")).text
        assert (await ana.post(f"{page}/passo", step=first, on="no")).status == 400, "closed: nothing is ticked"


async def test_what_still_stands_is_put_off_or_handed_on_but_not_closed() -> None:
    """Nothing would open it again: its cause never ended."""
    async with site() as s:
        assert frozenset(alert_words.STANDS) == standing.KINDS <= frozenset(playbooks.RULES)
        store, two = await shops(s)
        _ana_id, ana, bia_id, _bia = await staff(s)
        await asyncio.gather(store.buy("JARRA", 3), two.buy("JARRA", 3))
        await s.w.settle()
        (short,) = await s.w.rows("SELECT id, subject FROM alert WHERE kind = 'shortage'")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            gone = [kind for kind in standing.KINDS if await standing.stands(tx, kind, f"{uuid4()}/order/1")]
            assert not gone, "every one is asked, and none of what is not there stands"
            assert not await standing.stands(tx, "low_stock", short["subject"])
            slot, letter = "slot", "order/7"
            parked = "UPDATE stock_slot SET parked_code = 'x', parked_reason = 'x', ref = %s WHERE account_id = %s"
            await tx.run(parked, [slot, store.account.id])
            sql = """INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, state)
                VALUES (%s, %s, %s, 'webhook', 'order', '7', '7', 'parked')"""
            await tx.run(sql, [tx.seller, uuid4(), store.account.id])
            for kind, rest in (("slot_parked", slot), ("inbox_parked", letter)):
                assert await standing.stands(tx, kind, f"{store.account.id}/{rest}"), kind
                assert not await standing.stands(tx, kind, f"{store.account.id}/order/0"), kind
        page = f"/alertas/{short['id']}"
        await ana.get(page)
        answer = await ana.post(f"{page}/encerrar", note="feito")
        assert (answer.status, "A causa continua (ainda faltam unidades" in answer.text) == (400, True)
        assert "Abrir onde é</a></p></div>" in answer.text
        assert "feito</textarea>" in answer.text, "what was typed stays"
        assert (await alert(s, short["id"]))["resolved_at"] is None
        english = await s.signed_in("eve@loja.example", role="operator", locale="en")
        await english.get(page)
        assert "still short of units" in (await english.post(f"{page}/encerrar", note="done")).text
        with pytest.raises(processes.ProcessRefused, match="still stands"):
            await processes.close(s.w.rt, s.w.seller_id, short["id"], None, "feito")
        day = s.w.rt.now().astimezone(ZONE).date() + timedelta(days=3)
        assert (await ana.post(f"{page}/adiar", until=str(day))).status == 303
        assert (await ana.post(f"{page}/passar", to=str(bia_id))).status == 303
        await s.w.open_stock(JARRA=9)
        await s.w.settle()
        row = await alert(s, short["id"])
        assert (row["resolved_at"] is not None, row["closed_by"]) == (True, None), "it is over when its cause is"


async def test_one_that_comes_again_has_its_owner_and_its_history() -> None:
    async with site() as s:
        ana_id, ana, _bia_id, _bia = await staff(s)
        id_ = await raised(s)
        await ana.get(f"/alertas/{id_}")
        await ana.post(f"/alertas/{id_}/assumir")
        await ana.post(f"/alertas/{id_}/encerrar", note="liberei o anúncio")
        again = await raised(s)
        row = await alert(s, again)
        assert (again != id_, row["times"], row["owner_id"], row["taken_at"]) == (True, 2, ana_id, None)
        text = (await ana.get(f"/alertas/{again}")).text
        assert "liberei o anúncio" in text
        assert "2ª vez" in (await ana.get("/alertas")).text
        refused = await ana.post(f"/alertas/{id_}/reabrir")
        assert (refused.status, "já há um alerta aberto" in refused.text) == (400, True)
        await ana.post(f"/alertas/{again}/encerrar", note="de novo")
        assert (await ana.post(f"/alertas/{id_}/reabrir")).status == 303
        assert (await alert(s, id_))["resolved_at"] is None


async def test_the_next_stage_of_a_deadline_stays_with_who_took_the_one_before() -> None:
    async with site() as s:
        ana_id, ana, _bia_id, _bia = await staff(s)
        id_ = await raised(s, "ship_by_4h", "order-1", order="1", due_at=s.w.rt.now() + timedelta(hours=4))
        await ana.get("/alertas")
        await ana.post(f"/alertas/{id_}/assumir")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.resolve(tx, "ship_by_4h", "order-1")
            await alerts.raise_(tx, "ship_by_1h", "order-1", due_at=s.w.rt.now() + timedelta(hours=1), order="1")
        row = await s.w.row("SELECT owner_id, taken_at FROM alert WHERE kind = 'ship_by_1h'")
        assert row["owner_id"] == ana_id
        assert row["taken_at"] is not None


async def test_past_due_it_goes_to_the_managers_and_put_off_it_waits() -> None:
    async with site() as s:
        _ana_id, ana, _bia_id, _bia = await staff(s)
        boss = await s.signed_in("gil@loja.example", role="manager", name="Gil")
        late, asleep = await raised(s), await raised(s, subject="x/2", ref="2004")
        await ana.get("/alertas")
        await ana.post(f"/alertas/{late}/assumir")
        wrong = await ana.post(f"/alertas/{asleep}/adiar", until="2020-01-01")
        assert (wrong.status, "a partir de amanhã" in wrong.text) == (400, True)
        assert (await ana.post(f"/alertas/{asleep}/adiar", until="amanhã")).status == 400
        day = s.w.rt.now().astimezone(ZONE).date() + timedelta(days=3)
        assert (await ana.post(f"/alertas/{asleep}/adiar", until=str(day))).status == 303
        assert "2004" not in (await ana.get("/alertas")).text
        assert "2004" in (await ana.get("/alertas?ver=snoozed")).text
        await at(s, timedelta(hours=5))
        assert (await alert(s, late))["owner_role"] == "manager"
        assert await happened(s, late) == ["taken", "escalated"]
        assert "1003" in (await boss.get("/alertas?ver=mine")).text
        assert await happened(s, asleep) == ["snoozed"]
        await at(s, timedelta(days=3))
        assert await happened(s, asleep) == ["snoozed", "woke", "escalated"]


async def test_one_that_gets_worse_comes_back_before_its_day() -> None:
    async with site() as s:
        _ana_id, ana, _bia_id, _bia = await staff(s)
        id_ = await raised(s)
        await ana.get("/alertas")
        day = s.w.rt.now().astimezone(ZONE).date() + timedelta(days=9)
        await ana.post(f"/alertas/{id_}/adiar", until=str(day))
        assert (await alert(s, id_))["snoozed_until"] is not None
        await s.w.rows("UPDATE alert SET severity = 'urgent' WHERE id = %s RETURNING id", id_)
        assert (await alert(s, id_))["snoozed_until"] is None


async def test_nothing_is_lost_while_a_person_is_away() -> None:
    async with site() as s:
        ana_id, ana, bia_id, bia = await staff(s)
        open_, later = await raised(s), await raised(s, subject="x/2")
        packer = await s.person("edu@loja.example", "warehouse", name="Edu")
        await ana.get("/processos")
        for id_ in (open_, later):
            await ana.post(f"/alertas/{id_}/assumir")
        today = s.w.rt.now().astimezone(ZONE).date()
        absence = {"who": ana_id, "from": str(today), "until": str(today + timedelta(days=5)), "stand_in": bia_id}
        for wrong, words in (
            ({"stand_in": ana_id}, "Escolha outra pessoa"),
            ({"stand_in": ""}, "não cuida de alertas"),
            ({"stand_in": uuid4()}, "não cuida de alertas"),
            ({"stand_in": packer}, "não cuida de alertas"),
            ({"until": str(today - timedelta(days=1))}, "antes do primeiro"),
            ({"until": "nunca"}, "dia válido"),
            ({"until": "9999-12-31"}, "mais de um ano"),
            ({"who": bia_id, "stand_in": ana_id}, "Só um gerente"),
        ):
            answer = await ana.post("/ausencias", **{k: str(v) for k, v in {**absence, **wrong}.items()})
            assert (answer.status, words in answer.text) == (400, True), wrong
        assert await s.w.rows("SELECT FROM absence") == []
        assert (await ana.post("/ausencias", **{k: str(v) for k, v in absence.items()})).status == 303
        for id_ in (open_, later):
            row = await alert(s, id_)
            assert (row["owner_id"], row["taken_at"]) == (bia_id, None), "the stand-in has it, and has yet to take it"
        assert "Ana Lima está fora: passou para Bia Reis" in (await bia.get(f"/alertas/{open_}")).text
        again = await ana.post("/ausencias", **{k: str(v) for k, v in absence.items()})
        assert (again.status, "encontram outra ausência" in again.text) == (400, True)
        await ana.post(f"/alertas/{later}/passar", to=str(ana_id))
        assert (await alert(s, later))["owner_id"] == bia_id, "given to who is away: the stand-in has it at once"
        (row,) = await s.w.rows("SELECT id FROM absence")
        assert "Só um gerente" in (await _ended(bia, row["id"]))
        assert "Ausência encerrada" in (await _ended(ana, row["id"]))
        await ana.post(f"/alertas/{later}/passar", to=str(ana_id))
        assert (await alert(s, later))["owner_id"] == ana_id


async def _ended(reader: Reader, absence: object) -> str:
    await reader.get("/processos")
    await reader.post(f"/ausencias/{absence}/encerrar")
    return (await reader.get("/processos")).text


async def test_an_absence_that_begins_later_hands_over_then() -> None:
    async with site() as s:
        ana_id, ana, bia_id, _bia = await staff(s)
        id_ = await raised(s)
        await ana.get("/alertas")
        await ana.post(f"/alertas/{id_}/assumir")
        day = s.w.rt.now().astimezone(ZONE).date() + timedelta(days=1)
        await ana.post("/ausencias", who=str(ana_id), stand_in=str(bia_id), until=str(day), **{"from": str(day)})
        assert (await alert(s, id_))["owner_id"] == ana_id
        await s.w.rows("UPDATE alert SET look_at = now() + interval '9 days', due_at = NULL RETURNING id")
        await at(s, timedelta(days=1))
        assert (await alert(s, id_))["owner_id"] == bia_id


async def test_who_left_the_seller_owns_nothing_within_the_hour() -> None:
    async with site() as s:
        ana_id, ana, _bia_id, _bia = await staff(s)
        id_ = await raised(s, "tracking_code_unknown", codes=["X"])
        await ana.get("/alertas")
        await ana.post(f"/alertas/{id_}/assumir")
        await at(s, timedelta())
        await s.w.rows("DELETE FROM membership WHERE user_id = %s RETURNING user_id", ana_id)
        await at(s, timedelta(minutes=61))
        assert ((await alert(s, id_))["owner_id"], await happened(s, id_)) == (None, ["taken", "handed_over"])


async def test_a_seller_edits_a_playbook_and_the_next_alert_follows_it() -> None:
    async with site() as s:
        ana_id, _ana, _bia_id, bia = await staff(s)
        boss = await s.signed_in("gil@loja.example", role="manager", name="Gil")
        page = "/processos/slot_parked"
        assert "como vem com o hub" in (await boss.get(page)).text
        told = {
            "title": "Anúncio recusado", "body": "Olhe <script>x</script>\n\n1. Ligar para o **canal**\n2. Pausar",
            "owner": str(ana_id), "due": "30", "unit": "1", "escalate": "owner",
        }  # fmt: skip
        for wrong, words in (
            ({"title": " "}, "Falta preencher"),
            ({"body": "x" * 8001}, "no máximo 8000"),
            ({"due": "-1"}, "1 minuto a 90 dias"),
            ({"due": "91", "unit": "1440"}, "1 minuto a 90 dias"),
            ({"due": "2", "unit": "7"}, "1 minuto a 90 dias"),
            ({"owner": "viewer"}, "Escolha um papel"),
            ({"escalate": str(uuid4())}, "não cuida de alertas"),
        ):
            answer = await boss.post(page, **{**told, **wrong})
            assert (answer.status, words in answer.text) == (400, True), wrong
        assert await s.w.rows("SELECT FROM playbook") == []
        assert (
            await bia.post(page, **told, csrf=(await bia.get("/alertas/" + str(await raised(s)))).csrf)
        ).status == 403
        assert (await boss.post(page, **told)).status == 303
        id_ = await raised(s, subject="x/9")
        row = await alert(s, id_)
        assert row["owner_id"] == ana_id
        assert row["due_at"] - row["opened_at"] == timedelta(minutes=30)
        text = (await bia.get(f"/alertas/{id_}")).text
        assert "Ligar para o <strong>canal</strong>" in text
        assert "&lt;script&gt;x" in text
        await at(s, timedelta(minutes=31))
        assert ((row := await alert(s, id_))["owner_id"], row["owner_role"]) == (None, "owner")
        assert (await boss.post(f"{page}/padrao")).status == 303
        assert "como vem com o hub" in (await boss.get(page)).text
        assert (await boss.get("/processos/nada")).status == 404


@pytest.mark.parametrize("role", ["viewer", "operator", "manager"])
async def test_a_role_reaches_as_far_as_it_says(role: str) -> None:
    async with site() as s:
        id_ = await raised(s)
        reader = await s.signed_in(role=role)
        for path in ("/alertas", f"/alertas/{id_}", "/processos", "/processos/slot_parked"):
            assert (await reader.get(path)).status == 200
        for verb, fields in (
            ("assumir", {}), ("passar", {"to": "manager"}), ("passo", {"step": "x"}), ("adiar", {"now": "yes"}),
            ("anotar", {"note": "x"}), ("encerrar", {"note": "x"}), ("reabrir", {}),
        ):  # fmt: skip
            answer = await reader.post(f"/alertas/{id_}/{verb}", **fields)
            assert answer.status == (403 if role == "viewer" else 303), verb
        answer = await reader.post("/processos/slot_parked/padrao")
        assert answer.status == (303 if role == "manager" else 403)
        assert (await reader.post(f"/ausencias/{uuid4()}/encerrar")).status == (403 if role == "viewer" else 303)


async def test_another_sellers_alerts_are_not_there() -> None:
    async with site() as s:
        id_ = await raised(s)
        reader = await s.signed_in("bia@outra.example", seller_id=await s.other_seller())
        assert (await reader.get(f"/alertas/{id_}")).status == 404
        assert "1003" not in (await reader.get("/alertas")).text
        for verb, fields in (("assumir", {}), ("encerrar", {"note": "x"}), ("passo", {"step": "x"})):
            assert (await reader.post(f"/alertas/{id_}/{verb}", **fields)).status == 404, verb
        assert (await alert(s, id_))["resolved_at"] is None


async def test_a_long_list_goes_on_by_its_index_and_meets_each_once() -> None:
    async with site() as s:
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO alert (seller_id, id, kind, subject, severity, due_at, resolved_at) "
                "SELECT %s, gen_random_uuid(), 'slot_parked', 's' || n, "
                "(ARRAY['urgent', 'warning', 'info'])[n %% 3 + 1], "
                "CASE n %% 4 WHEN 0 THEN NULL ELSE now() + (n %% 7) * interval '1 hour' END, "
                "CASE WHEN n > 230 THEN now() - n * interval '1 minute' END FROM generate_series(1, 5000) n",
                [s.w.seller_id],
            )
        reader = await s.signed_in()
        for view, count in (("now", 230), ("done", None)):
            met: list[str] = []
            path = f"/alertas?ver={view}"
            for _ in range(6):
                text = (await reader.get(path)).text
                met += re.findall(r'<a href="/alertas/([0-9a-f-]{36})">', text)
                onward = re.search(r'href="([^"]+)" rel="next"', text)
                if onward is None:
                    break
                path = onward[1].replace("&amp;", "&")
            assert len(met) == len(set(met)) == (count or 300)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("SET LOCAL enable_sort = off")
            plans = [
                await tx.all("EXPLAIN SELECT id FROM alert WHERE resolved_at IS NULL ORDER BY urgency, "
                             "coalesce(due_at, 'infinity'), id LIMIT 50"),
                await tx.all("EXPLAIN SELECT id FROM alert WHERE resolved_at IS NOT NULL "
                             "ORDER BY resolved_at DESC, id LIMIT 50"),
            ]  # fmt: skip
        for plan, index in zip(plans, ("alert_work", "alert_done"), strict=True):
            told = "\n".join(row["QUERY PLAN"] for row in plan)
            assert index in told, told
        for odd in ("apos=x", "apos=1~agora~x", "apos=1~infinity~x", "ver=tudo", "tipo=%00"):
            assert (await reader.get(f"/alertas?{odd}")).status == 200, odd


async def test_counts_tell_each_view() -> None:
    async with site() as s:
        ana_id, _ana, _bia_id, _bia = await staff(s)
        one = await raised(s)
        await raised(s, subject="x/2")
        await processes.take(s.w.rt, s.w.seller_id, one, ana_id)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            told = await store.counts(tx, s.w.rt.now(), ana_id, "operator", 100)
        assert told == {"now": 2, "mine": 2, "untaken": 1, "late": 0, "snoozed": 0}
