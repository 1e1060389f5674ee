"""Notices over the REST API: ways are added, tried, changed and removed, and where they lead is never told."""

from datetime import timedelta
from typing import Any

from tests.flows.test_notices import chatting
from tests.web.site import site
from tests.web.test_api import key
from tests.web.test_api_settings import ask

WAYS = "/notice-ways"


async def test_a_way_is_added_tried_changed_and_removed_and_its_address_is_never_told() -> None:
    async with site() as s, chatting() as chat:
        ana, gil = await s.person("ana@loja.example"), await s.person("gil@loja.example", "manager", name="Gil")
        bia = await s.person("bia@loja.example", "operator", name="Bia")
        reads = await key(s, "notices:read")
        of_manager = await key(s, "notices:read", "notices:write", made_by=gil)
        modest = await key(s, "notices:read", "notices:write", made_by=ana)
        of_owner = await key(s, "notices:read", "notices:write", "owners:write", made_by=ana)
        theirs = await key(s, "notices:read", "notices:write", seller_id=await s.other_seller())
        new: dict[str, Any] = {"person_id": str(bia), "format": "slack", "name": "Turno da manhã", "url": chat.url}
        once = {"Idempotency-Key": "a"}
        status, way = await ask(s, of_manager, "POST", WAYS, {**new, "least": "info", "digest_at": "07:30"}, **once)
        assert (status, way["person"], way["least"], way["digest_at"], way["enabled"]) == (
            201, "Bia", "info", "07:30", True
        )  # fmt: skip
        assert (await ask(s, of_manager, "POST", WAYS, {**new, "least": "info", "digest_at": "07:30"}, **once))[
            1
        ] == way
        one = f"{WAYS}/{way['id']}"
        assert (await ask(s, of_manager, "POST", f"{one}/test"))[1] == {"sent": True, "problem": None}
        assert len(chat.got) == 1
        assert (await ask(s, of_manager, "POST", f"{one}/test"))[0] == 409, "one in ten seconds"
        chat.status, now = 404, s.w.rt.now()
        s.w.rt.now = lambda: now + timedelta(minutes=1)
        tried = (await ask(s, of_manager, "POST", f"{one}/test"))[1]
        assert (tried["sent"], "does not know this webhook" in tried["problem"]) == (False, True)
        # What is not given stays; null takes away.
        quiet = {"since": "21:00", "until": "07:00"}
        way = (await ask(s, of_manager, "PATCH", one, {"quiet": quiet, "kinds": ["shortage"]}))[1]
        assert (way["quiet"], way["kinds"], way["digest_at"], way["least"]) == (quiet, ["shortage"], "07:30", "info")
        way = (await ask(s, of_manager, "PATCH", one, {"quiet": None, "kinds": None, "digest_at": None}))[1]
        assert (way["quiet"], way["kinds"], way["digest_at"]) == (None, None, None)
        assert not (await ask(s, of_manager, "PATCH", one, {"enabled": False}))[1]["enabled"]
        assert (await ask(s, of_manager, "PATCH", one, {"enabled": True}))[1]["enabled"]
        for field, body in (
            ("name", {"name": None}),
            ("kinds", {"kinds": ["eaten"]}),
            ("kinds", {"kinds": []}),
            ("quiet.since", {"quiet": {**quiet, "since": "24:00"}}),
        ):
            status, problem = await ask(s, of_manager, "PATCH", one, body)
            assert (status, problem["errors"][0]["field"]) == (422, field), body
        for field, change in (
            ("url", {"url": "http://chat.exemplo/x"}),
            ("url", {"url": "https://discord.com/api/webhooks/1/abc"}),
            ("url", {"url": None}),
            ("format", {"format": "email", "url": None}),
            ("token", {"format": "telegram", "url": None, "token": "x", "chat": "1"}),
            ("chat", {"chat": "1"}),
            ("person_id", {"person_id": str(s.w.seller_id)}),
        ):
            status, problem = await ask(s, of_manager, "POST", WAYS, {**new, **change})
            assert (status, problem["errors"][0]["field"]) == (422, field), change
        # One's own, and those of whom one may change: an owner's only with the scope for it.
        for told, person, status in (
            (of_manager, gil, 201),
            (of_manager, ana, 403),
            (modest, ana, 201),
            (modest, gil, 403),
            (of_owner, gil, 201),
        ):
            assert (await ask(s, told, "POST", WAYS, {**new, "person_id": str(person)}))[0] == status
        every = (await ask(s, reads, "GET", WAYS))[1]
        assert [row["person"] for row in every["data"]] == ["Ana Lima", "Bia", "Gil", "Gil"]
        hers = f"{WAYS}/{every['data'][0]['id']}"
        assert (await ask(s, of_manager, "PATCH", hers, {"enabled": False}))[0] == 403, "nobody silences an owner"
        secret = chat.url.rpartition("/")[2]
        sealed = await s.w.rows("SELECT sealed FROM api_answer")
        kept = [s.w.rt.vault.open(bytes(row["sealed"])) for row in sealed]
        log = await s.w.rows("SELECT params::text AS params FROM audit_log")
        assert secret not in f"{every}{way}{tried}{kept}{log}"
        for method, where in (("PATCH", one), ("POST", f"{one}/test"), ("DELETE", one)):
            off = {"enabled": False} if method == "PATCH" else None
            assert (await ask(s, theirs, method, where, off))[0] == 404, method
            assert (await ask(s, reads, method, where, off))[0] == 403, method
        assert (await ask(s, theirs, "GET", WAYS))[1] == {"data": []}
        assert (await ask(s, of_manager, "DELETE", one))[0] == 204
        assert (await ask(s, of_manager, "DELETE", one))[0] == 404
