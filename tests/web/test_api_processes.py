"""Processes over the REST API: playbooks, who is away, and alerts handed on and worked step by step."""

from datetime import timedelta
from typing import Any

from hub import playbooks
from hub.store import alerts
from tests.web.site import site
from tests.web.test_api import key
from tests.web.test_api_settings import ask

KIND = "slot_parked"


async def test_playbooks_absences_and_an_alert_worked_by_its_steps() -> None:
    async with site() as s:
        ana, bia = await s.person("ana@loja.example"), await s.person("bia@loja.example", "operator", name="Bia")
        leo = await s.person("leo@loja.example", "warehouse")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.raise_(tx, KIND, "x/1", account="Loja da Ana", ref="1003", detail="under_review")
        reads = await key(s, "processes:read", "alerts:read")
        writes = await key(s, "processes:read", "processes:write", "alerts:read", "alerts:write")
        other = await s.other_seller()
        theirs = await key(s, "processes:write", "alerts:write", seller_id=other)
        async with s.w.rt.db.seller(other) as tx:
            await alerts.raise_(tx, KIND, "x/1", account="Outra", ref="1003", detail="under_review")

        # Playbooks: the hub's, in the reader's language, until the shop has its own.
        book, (_status, every) = f"/playbooks/{KIND}", await ask(s, reads, "GET", "/playbooks")
        assert {row["kind"]: row["open"] for row in every["data"]} == {
            kind: int(kind == KIND) for kind in playbooks.RULES
        }
        before = (await ask(s, reads, "GET", book))[1]
        assert (before["own"], before["owner_role"]) == (False, "operator")
        assert before["body"] == playbooks.steps(KIND, "en")
        told: dict[str, Any] = {
            "title": "Parked", "body": "1. Ask the channel.\r\n2. Tell the buyer.", "owner_id": str(bia),
            "due_minutes": 30, "escalate_role": "owner",
        }  # fmt: skip
        for field, change in (
            ("owner_id", {"owner_id": str(leo)}),
            ("owner_id", {"owner_role": "manager"}),
            ("owner_id", {"owner_id": None}),
            ("escalate_id", {"escalate_id": str(leo), "escalate_role": None}),
            ("escalate_id", {"escalate_id": str(ana)}),
            ("due_minutes", {"due_minutes": 0}),
            ("title", {"title": " "}),
            ("body", {"body": " "}),
        ):
            status, problem = await ask(s, writes, "PUT", book, {**told, **change})
            assert (status, problem["errors"][0]["field"]) == (422, field), change
        status, kept = await ask(s, writes, "PUT", book, told)
        assert (status, kept["own"], kept["due_minutes"], kept["escalate_role"]) == (200, True, 30, "owner")
        assert kept["body"] == "1. Ask the channel.\n2. Tell the buyer."
        assert (await ask(s, writes, "GET", "/playbooks/eaten"))[0] == 404
        assert (await ask(s, writes, "PUT", "/playbooks/eaten", told))[0] == 404
        assert (await ask(s, reads, "PUT", book, told))[0] == 403

        # The alert: its steps, ticked; handed to a person, to a role.
        (alert,) = (await ask(s, reads, "GET", "/alerts"))[1]["data"]
        one = f"/alerts/{alert['id']}"
        steps = (await ask(s, reads, "GET", one))[1]["steps"]
        assert [(step["words"], step["done"]) for step in steps] == [
            ("Ask the channel.", False), ("Tell the buyer.", False)
        ]  # fmt: skip
        ticked = {"key": steps[0]["key"]}
        now = (await ask(s, writes, "PUT", f"{one}/steps", ticked))[1]
        assert ([step["done"] for step in now["steps"]], now["history"][0]["text"]) == (
            [True, False], "did: Ask the channel."
        )  # fmt: skip
        assert now["history"][0]["who"] is None
        now = (await ask(s, writes, "PUT", f"{one}/steps", {**ticked, "done": False}))[1]
        assert not now["steps"][0]["done"]
        assert (await ask(s, writes, "PUT", f"{one}/steps", {"key": "00"}))[1]["errors"][0]["field"] == "key"
        now = (await ask(s, writes, "PUT", f"{one}/owner", {"person_id": str(bia)}))[1]
        assert (now["alert"]["owner_id"], now["alert"]["owner"]) == (str(bia), "Bia")
        now = (await ask(s, writes, "PUT", f"{one}/owner", {"role": "manager"}))[1]
        assert (now["alert"]["owner_id"], now["alert"]["owner_role"]) == (None, "manager")
        for body in ({"person_id": str(leo)}, {"person_id": str(bia), "role": "manager"}, {}):
            status, problem = await ask(s, writes, "PUT", f"{one}/owner", body)
            assert (status, problem["errors"][0]["field"]) == (422, "person_id"), body
        for method, where, body in (("PUT", f"{one}/owner", {"role": "owner"}), ("PUT", f"{one}/steps", ticked)):
            assert (await ask(s, theirs, method, where, body))[0] == 404, where

        async with s.w.rt.db.seller(other) as tx:
            assert await tx.value("SELECT look_at <= now() FROM alert"), (
                "one seller's request looks at no other's alerts"
            )
        # Who is away: what is theirs goes to who stands in.
        await ask(s, writes, "PUT", f"{one}/owner", {"person_id": str(bia)})
        begin = s.w.rt.now() - timedelta(hours=1)
        away = {
            "person_id": str(bia), "stand_in_id": str(ana), "from_at": begin.isoformat(),
            "until_at": (begin + timedelta(days=3)).isoformat(),
        }  # fmt: skip
        for field, change in (
            ("person_id", {"person_id": str(leo)}),
            ("stand_in_id", {"stand_in_id": str(leo)}),
            ("stand_in_id", {"stand_in_id": str(bia)}),
            ("until_at", {"until_at": away["from_at"]}),
            ("until_at", {"until_at": (begin + timedelta(days=400)).isoformat()}),
        ):
            status, problem = await ask(s, writes, "POST", "/absences", {**away, **change})
            assert (status, problem["errors"][0]["field"]) == (422, field), change
        once = {"Idempotency-Key": "a"}
        status, made = await ask(s, writes, "POST", "/absences", away, **once)
        assert (status, made["person"], made["stand_in_id"]) == (201, "Bia", str(ana))
        assert (await ask(s, writes, "POST", "/absences", away, **once)) == (201, made)
        assert (await ask(s, writes, "POST", "/absences", away))[0] == 409, "these days are taken"
        assert (await ask(s, reads, "GET", one))[1]["alert"]["owner_id"] == str(ana)
        assert [each["id"] for each in (await ask(s, reads, "GET", "/absences"))[1]["data"]] == [made["id"]]
        assert (await ask(s, theirs, "DELETE", f"/absences/{made['id']}"))[0] == 404
        assert (await ask(s, writes, "DELETE", f"/absences/{made['id']}"))[0] == 204
        assert (await ask(s, writes, "DELETE", f"/absences/{made['id']}"))[0] == 404

        # Back to the hub's own; what was done stands in the log.
        status, now = await ask(s, writes, "DELETE", book)
        assert (status, now) == (200, before)
        logged = await s.w.rows("SELECT action FROM audit_log WHERE actor LIKE 'api:%%' ORDER BY id")
        assert [row["action"] for row in logged] == ["playbook_set", "absence_add", "absence_end", "playbook_reset"]
