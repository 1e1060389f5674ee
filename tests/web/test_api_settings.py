"""Settings over the REST API: people and invitations within what a key's maker may, and the audit log."""

import json
from typing import Any
from uuid import UUID

from hub.web.scopes import SCOPES, given_by
from tests.web.site import PASSWORD, Site, site
from tests.web.test_api import key

PEOPLE = ("people:read", "people:write")
OWNERS = (*PEOPLE, "owners:write")


async def ask(s: Site, told: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """What a program with this key hears, in English."""
    named = {"Authorization": f"Bearer {told}", "Accept-Language": "en", **headers}
    more: dict[str, Any] = {} if body is None else {"json": body}
    async with s.reader().session.request(method, f"{s.base}/api/v1{path}", headers=named, **more) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def test_people_are_invited_changed_and_removed_as_far_as_the_keys_maker_may() -> None:
    async with site() as s:
        ana, gil, bia = [
            await s.person(f"{name}@loja.example", role, name=name.title())
            for name, role in (("ana", "owner"), ("gil", "manager"), ("bia", "operator"))
        ]
        of_owner, modest = await key(s, *OWNERS, made_by=ana), await key(s, *PEOPLE, made_by=ana)
        of_manager = await key(s, *OWNERS, made_by=gil)
        status, told = await ask(s, modest, "GET", "/people")
        assert [(row["name"], row["role"], row["active"]) for row in told["data"]] == [
            ("Ana", "owner", True), ("Bia", "operator", True), ("Gil", "manager", True)
        ]  # fmt: skip
        # The address is told once, and lets one in.
        new = {"email": "Caio@Loja.example", "role": "viewer"}
        status, told = await ask(s, modest, "PUT", "/invitations", new)
        assert (status, told["invitation"]["email"]) == (200, "caio@loja.example")
        assert told["invitation"]["invited_by"] == "Ana"
        path = f"/convite/{told['address'].rpartition('/')[2]}"
        _status, out = await ask(s, modest, "GET", "/invitations")
        assert len(out["data"]) == 1
        assert path.rpartition("/")[2] not in json.dumps(out)
        caio = s.reader()
        await caio.get(path)
        assert (await caio.post(path, name="Caio", password=PASSWORD, again=PASSWORD)).status == 303
        assert (await ask(s, modest, "PUT", "/invitations", new))[0] == 409, "works here already"
        # What only an owner does asks for the scope, and for a maker who is one.
        beyond = {"email": "duda@loja.example", "role": "manager"}
        status, told = await ask(s, modest, "PUT", "/invitations", beyond)
        assert (status, "owners:write" in told["detail"]) == (403, True)
        for method, where, body in (
            ("PUT", "/invitations", beyond),
            ("PATCH", f"/people/{gil}", {"role": "viewer"}),
            ("DELETE", f"/people/{ana}", None),
            ("PATCH", f"/people/{bia}", {"role": "owner"}),
        ):
            assert (await ask(s, modest, method, where, body))[0] == 403, where
            status, told = await ask(s, of_manager, method, where, body)
            assert (status, "Only an owner" in told["detail"]) == (409, True), where
        assert (await ask(s, of_manager, "PATCH", f"/people/{bia}", {"role": "warehouse"}))[1]["role"] == "warehouse"
        status, told = await ask(s, of_owner, "PATCH", f"/people/{ana}", {"role": "viewer"})
        assert (status, "last owner" in told["detail"]) == (409, True)
        # One who may no longer takes what they invited with them, and their keys look after nobody.
        status, told = await ask(s, of_manager, "PUT", "/invitations", {"email": "eva@loja.example", "role": "viewer"})
        assert (await ask(s, of_owner, "PATCH", f"/people/{gil}", {"role": "operator"}))[1]["role"] == "operator"
        assert (await ask(s, of_owner, "GET", "/invitations"))[1] == {"data": []}
        assert (await ask(s, of_manager, "DELETE", f"/people/{bia}"))[0] == 409
        assert (await ask(s, of_owner, "DELETE", f"/people/{bia}"))[0] == 204
        assert (await ask(s, of_owner, "DELETE", f"/people/{bia}"))[0] == 404
        await s.w.rows("UPDATE app_user SET disabled_at = now() WHERE id = %s RETURNING 1", ana)
        assert (await ask(s, of_owner, "PATCH", f"/people/{gil}", {"role": "viewer"}))[0] == 409
        # From the terminal: whoever runs the hub. Another seller's people are nobody.
        terminal, theirs = await key(s, *OWNERS), await key(s, *OWNERS, seller_id=await s.other_seller())
        status, told = await ask(s, terminal, "PUT", "/invitations", beyond)
        assert (status, told["invitation"]["invited_by"]) == (200, None)
        out = f"/invitations/{told['invitation']['id']}"
        assert (await ask(s, modest, "DELETE", out))[0] == 409, "its maker is switched off"
        for method, where, body in (("PATCH", f"/people/{gil}", {"role": "viewer"}), ("DELETE", out, None)):
            assert (await ask(s, theirs, method, where, body))[0] == 404, where
        assert (await ask(s, terminal, "DELETE", out))[0] == 204
        for field, body in (("email", {"email": "a b@c", "role": "viewer"}), ("role", {**new, "role": "chief"})):
            status, told = await ask(s, terminal, "PUT", "/invitations", body)
            assert (status, told["errors"][0]["field"]) == (422, field)
        # All of it stands in the log, under the keys that did it.
        reads = await key(s, "audit:read")
        (bias,) = await s.w.rows("SELECT id FROM api_key WHERE made_by = %s AND 'owners:write' = ANY(scopes)", gil)
        _status, log = await ask(s, reads, "GET", f"/audit-log?actor=api:{bias['id']}")
        assert [row["action"] for row in log["data"]] == ["user_invite", "user_role"]
        _status, log = await ask(s, reads, "GET", "/audit-log?action=user_join&limit=1")
        assert [(row["action"], row["params"]["role"]) for row in log["data"]] == [("user_join", "viewer")]
        _status, first = await ask(s, reads, "GET", "/audit-log?limit=2")
        _status, second = await ask(s, reads, "GET", f"/audit-log?limit=2&cursor={first['next']}")
        ids = [UUID(row["id"]) for row in (*first["data"], *second["data"])]
        assert ids == sorted(ids, reverse=True)
        _status, none = await ask(s, reads, "GET", "/audit-log?since=2030-01-01T00:00:00Z")
        assert none["data"] == []
        assert (await ask(s, reads, "GET", f"/audit-log?person={ana}&actor=flow"))[0] == 422


async def test_who_makes_a_key_gives_it_no_scope_beyond_their_role() -> None:
    assert set(given_by("owner")) == set(SCOPES)
    assert set(SCOPES) - set(given_by("manager")) == {"owners:write"}
    assert not given_by("operator")
    async with site() as s:
        gil = await s.signed_in("gil@loja.example", "manager")
        page = await gil.get("/configuracoes/chaves")
        assert "people:write" in page.text
        assert "owners:write" not in page.text
        wanted = {"scope:people:write": "yes", "scope:owners:write": "yes"}
        assert (await gil.post("/configuracoes/chaves", name="RH", **wanted)).status == 200
        (made,) = await s.w.rows("SELECT k.scopes, u.email FROM api_key k JOIN app_user u ON u.id = k.made_by")
        assert made == {"scopes": ["people:write"], "email": "gil@loja.example"}
