"""Settings over the REST API: people and invitations within what a key's maker may, and the audit log."""

import json
from typing import Any
from uuid import UUID

from hub.store import warehouses
from hub.web.scopes import SCOPES, given_by
from tests.web.site import PASSWORD, Site, site
from tests.web.test_api import key
from tests.web.test_api_resources import sold

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
        status, told = await ask(s, modest, "PUT", "/invitations", {**new, "mail": True})
        assert (status, told["invitation"]["email"]) == (200, "caio@loja.example")
        assert told["invitation"]["mailed_at"] is None, "this hub sends no mail"
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
        assert (await ask(s, of_owner, "DELETE", f"/people/{bia}")) == (200, {"revoked_keys": 0, "keys": 0})
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


async def test_keys_of_who_goes_go_on_until_they_are_revoked_with_them_or_alone() -> None:
    async with site() as s:
        ana = await s.signed_in()
        made = {
            who: await s.person(f"{who}@loja.example", "manager", name=who.title()) for who in ("gil", "rui", "eva")
        }
        told = await key(s, *OWNERS)
        stays, goes, old = [await key(s, "stock:read", made_by=made[who]) for who in ("gil", "rui", "eva")]
        rows = {row["name"]: row["keys"] for row in (await ask(s, told, "GET", "/people"))[1]["data"]}
        assert rows == {"Ana Lima": 0, "Gil": 1, "Rui": 1, "Eva": 1}
        # A person goes, or makes keys no more: an integration is not broken in the night, and who reads is told.
        assert (await ask(s, told, "DELETE", f"/people/{made['gil']}"))[1] == {"revoked_keys": 0, "keys": 1}
        assert (await ask(s, stays, "GET", "/skus"))[0] == 200
        page = (await ana.get("/configuracoes/chaves")).text
        assert (page.count("por Gil"), page.count("já não trabalha aqui"), page.count("já não faz chaves")) == (1, 1, 0)
        home = "/configuracoes/pessoas"
        await ana.post(f"{home}/{made['eva']}/papel", role="viewer")
        page = (await ana.get(home)).text
        assert "Eva agora é só leitura. 1 chave da API que ela ou ele fez continua em vigor" in page
        assert page.count("Revogar também essa chave") == 2
        assert (await ana.get("/configuracoes/chaves")).text.count("já não faz chaves") == 1
        await s.w.rows("UPDATE app_user SET disabled_at = now() WHERE id = %s RETURNING 1", made["rui"])
        assert (await ana.get("/configuracoes/chaves")).text.count("já não trabalha aqui") == 2, (
            "nor who is switched off"
        )
        # With them, in the same step: on the page and over the API, each in the log.
        await ana.post(f"{home}/{made['eva']}/remover", sure="yes", revoke_keys="yes")
        assert "1 chave da API que ela ou ele fez foi revogada" in (await ana.get(home)).text
        there = f"/people/{made['rui']}?revoke_keys=true"
        assert (await ask(s, goes, "DELETE", there))[0] == 403
        assert (await ask(s, told, "DELETE", there))[1] == {"revoked_keys": 1, "keys": 0}
        assert [(await ask(s, each, "GET", "/skus"))[0] for each in (stays, goes, old)] == [200, 401, 401]
        log = await s.w.rows("SELECT params FROM audit_log WHERE action = 'apikey_revoke' ORDER BY id")
        assert [row["params"]["email"] for row in log] == ["eva@loja.example", "rui@loja.example"]
        assert (await ana.get("/configuracoes/chaves")).text.count("já não trabalha aqui") == 1, (
            "revoked ones need none"
        )
        # Who may not remove somebody revokes nothing of theirs, and removing is whole: keys go with the person alone.
        gil = await s.signed_in("gil@loja.example", "manager", name="Gil")
        (boss,) = await s.w.rows("SELECT id FROM app_user WHERE email = 'ana@loja.example'")
        owners = await key(s, "stock:read", made_by=boss["id"])
        await gil.post(f"{home}/{boss['id']}/remover", sure="yes", revoke_keys="yes")
        assert (await ask(s, owners, "GET", "/skus"))[0] == 200


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


QUOTED = "Orders paid and not dispatched yet: 2. Their next quotes and labels use this; what was bought stays as it is."
# What is asked, with what it changes (field, before, after) and reaches: with two orders and two SKUs there.
PREVIEWS: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("shop", {"shipping": {"stuck_days": 7, "quiet_from": "22:00"}}, [("stuck_days", 6, 7)],
     [("open_orders", 2, "Paid orders not dispatched yet whose deadline is computed anew: 2."),
      ("parcels_under_way", 0, "Parcels under way looked at again: 0.")]),
    ("shop", {"orders": {"split": "units"}}, [("split", "order", "units")],
     [("listed_skus", 2, "SKUs whose stock on channels is computed anew: 2.")]),
    ("shop", {"warehouses": [{"code": "loja", "rank": 3}]}, [("loja", 1_000_000, 3)], []),
    ("shop", {"orders": {"split": "order"}}, [], []),
    ("shop", {"volumes": {"most_g": 20000}}, [("most_g", None, 20000)],
     [("open_orders", 2, QUOTED)]),
    ("account", {"stock": {"draws": ["loja"], "split": "line"}},
     [("split", None, "line"), ("draws", ["principal", "loja"], ["loja"])],
     [("listed_skus", 2, "SKUs whose stock on channels is computed anew: 2.")]),
    ("account", {"holding": {"since": "paid", "unpaid_hours": 48}},
     [("since", None, "paid"), ("unpaid_hours", None, 48)],
     [("unpaid_orders", 0, "Unpaid orders computed anew now, with what they reserve: 0.")]),
]  # fmt: skip


async def test_policies_are_read_and_changed_a_part_at_a_time_within_what_the_page_allows() -> None:
    async with site() as s:
        store = await sold(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await warehouses.warehouse_add(tx, "loja", "Loja", rank=500)
        told = await key(s, "policies:read", "policies:write", "accounts:approve", "warehouses:write")
        modest = await key(s, "policies:read", "policies:write")
        reads = await key(s, "policies:read")
        shop, account = "/policies", f"/accounts/{store.account.id}/policies"

        async def change(where: str, body: Any) -> Any:
            status, now = await ask(s, told, "PATCH", where, body)
            assert status == 200, now
            return now

        assert (await ask(s, reads, "GET", shop))[1]["zero_brake"] == {"share_percent": None}
        now = await change(shop, {"shipping": {"stuck_days": 6, "quiet_from": "22:00", "state": "PR"}})
        assert now["shipping"] | {"quiet_to": "08:00", "stuck_days": 6, "state": "PR"} == now["shipping"]
        assert (await change(shop, {"zero_brake": {"share_percent": 12}}))["zero_brake"]["share_percent"] == 12
        assert (await change(shop, {"zero_brake": {"share_percent": None}}))["zero_brake"]["share_percent"] is None
        assert (await change(shop, {"orders": {"split": "order"}}))["orders"] == {"split": "order"}
        ranks = (await change(shop, {"warehouses": [{"code": "loja", "rank": 1_000_000}]}))["warehouses"]
        assert {"code": "loja", "rank": 1_000_000} in ranks
        assert (await change(shop, {"freight": {"declares": True}}))["freight"] == {"rule": None, "declares": True}
        place = {"postal_code": "01310-100", "street": "Av. Paulista", "city": "São Paulo", "state": "SP"}
        sender = {"name": "Ana Lima", "document": "529.982.247-25", **place}
        now = (await change(shop, {"sender": sender}))["sender"]
        assert (now["document"], now["postal_code"], now["phone"]) == ("52998224725", "01310100", None)
        assert (await change(shop, {"sender": {"phone": "11 91234-5678"}}))["sender"]["phone"] == "+5511912345678"
        assert (await change(account, {"volumes": {"most_g": 9000}}))["volumes"]["most_g"] == 9000
        plan = {"service_level_percent": 97.5, "handling": "median"}
        assert (await change(shop, {"replenishment": plan}))["replenishment"].items() >= plan.items()
        # Before it is made: what changes, and what that reaches; nothing is kept.
        before = [(await ask(s, reads, "GET", where))[1] for where in (shop, account)]
        for where, sent, changes, touches in PREVIEWS:
            path = f"{shop if where == 'shop' else account}/preview"
            status, seen = await ask(s, told, "POST", path, sent)
            assert status == 200, (sent, seen)
            assert [tuple(each.values()) for each in seen["changes"]] == changes, sent
            assert [(each["what"], each["count"], each["sentence"]) for each in seen["touches"]] == touches, sent
        assert [(await ask(s, reads, "GET", where))[1] for where in (shop, account)] == before
        status, problem = await ask(s, told, "POST", f"{shop}/preview", {"shipping": {"loss_days": 3}})
        assert (status, problem["errors"][0]["field"]) == (422, "shipping.loss_days")
        assert (await ask(s, modest, "POST", f"{shop}/preview", {"zero_brake": {"share_percent": 9}}))[0] == 403
        assert (await ask(s, reads, "POST", f"{shop}/preview", {"orders": {"split": "line"}}))[0] == 403
        # An account's: what it does not say is the shop's word.
        was = (await ask(s, reads, "GET", account))[1]
        assert (was["holding"], was["dispatch"]["handling_days"]) == ({"since": None, "unpaid_hours": None}, None)
        assert sorted(was["stock"]["draws"]) == ["loja", "principal"]
        assert (await change(account, {"holding": {"since": "paid", "unpaid_hours": 48}}))["holding"] == {
            "since": "paid", "unpaid_hours": 48
        }  # fmt: skip
        assert (await change(account, {"dispatch": {"handling_days": 1, "cutoff": "11:00"}}))["dispatch"][
            "cutoff"
        ] == "11:00"
        assert (await change(account, {"stock": {"draws": ["loja"]}}))["stock"]["draws"] == ["loja"]
        assert (await change(account, {"differences": {"gone": "ignore"}}))["differences"]["gone"] == "ignore"
        assert (await change(account, {"freight": {"rule": "fastest"}}))["freight"]["rule"] == "fastest"
        # What has a scope of its own asks for that: the brake and what is done about differences write by themselves.
        asked: list[tuple[str, Any, str]] = [
            (shop, {"zero_brake": {"share_percent": 100}}, "accounts:approve"),
            (shop, {"warehouses": [{"code": "loja", "rank": 1}]}, "warehouses:write"),
            (account, {"differences": {"external_edit_up": "repair"}}, "accounts:approve"),
            (account, {"stock": {"draws": ["principal"]}}, "warehouses:write"),
        ]
        for where, change_, scope in asked:
            status, problem = await ask(s, modest, "PATCH", where, change_)
            assert (status, scope in problem["detail"]) == (403, True), change_
        assert (await ask(s, modest, "PATCH", account, {"stock": {"split": "line"}}))[0] == 200
        # What is refused names its field; nothing of it is done.
        before = [(await ask(s, reads, "GET", where))[1] for where in (shop, account)]
        for where, body, field in (
            (shop, {}, "body"),
            (shop, {"freight": {"rule": "fastest"}, "orders": {"split": "line"}}, "body"),
            (shop, {"shipping": {"loss_days": 3, "link_days": 9}}, "shipping.loss_days"),
            (shop, {"shipping": {"stuck_days": 91}}, "shipping.stuck_days"),
            (shop, {"shipping": {"stuck_days": None}}, "shipping.stuck_days"),
            (shop, {"shipping": {"state": "XX"}}, "shipping.state"),
            (shop, {"sender": {"document": "111"}}, "sender.document"),
            (shop, {"sender": {"city": None}}, "sender.city"),
            (shop, {"volumes": {"most_g": 0}}, "volumes.most_g"),
            (shop, {"warehouses": [{"code": "nada", "rank": 1}]}, "warehouses.0.code"),
            (account, {"stock": {"draws": ["nada"]}}, "stock.draws"),
            (account, {"buyer_mail": {"on": True}}, "buyer_mail.on"),
            (account, {"buyer_mail": {"reply_to": "ana"}}, "buyer_mail.reply_to"),
            (account, {"differences": {"external_edit_up": "eat"}}, "differences.external_edit_up"),
            (account, {"dispatch": None}, "dispatch"),
        ):
            status, problem = await ask(s, told, "PATCH", where, body)
            assert (status, [each["field"] for each in problem["errors"]]) == (422, [field]), body
        await change(account, {"dispatch": {"handling_days": None}})
        _status, problem = await ask(s, told, "PATCH", account, {"dispatch": {"cutoff": "10:00"}})
        assert problem["errors"][0]["field"] == "dispatch.handling_days"
        after = [(await ask(s, reads, "GET", where))[1] for where in (shop, account)]
        assert (after[0], {**after[1], "dispatch": None}) == (before[0], {**before[1], "dispatch": None})
        assert (await ask(s, reads, "PATCH", shop, {"orders": {"split": "line"}}))[0] == 403
        theirs = await key(s, "policies:read", "policies:write", seller_id=await s.other_seller())
        assert (await ask(s, theirs, "GET", account))[0] == 404
        assert (await ask(s, theirs, "PATCH", account, {"freight": {"rule": None}}))[0] == 404
        logged = {row["action"] for row in await s.w.rows("SELECT action FROM audit_log WHERE actor LIKE 'api:%%'")}
        assert {"freight_policy", "zero_brake_share"} <= logged

        # The words to buyers.
        _status, words = await ask(s, reads, "GET", "/buyer-messages")
        assert (len(words["data"]), {each["own"] for each in words["data"]}) == (8, {False})
        own = {"event": "delivered", "locale": "en", "subject": "Yours, {order}", "body": "{greeting}\r\n\r\nHere."}
        status, kept = await ask(s, told, "PUT", "/buyer-messages", own)
        assert (status, kept["own"], kept["body"]) == (200, True, "{greeting}\n\nHere.\n")
        assert kept["sample_subject"] == "Yours, 10382"
        for field in ("subject", "body"):
            status, problem = await ask(s, told, "PUT", "/buyer-messages", {**own, field: "{password}"})
            assert (status, problem["errors"][0]["field"]) == (422, field)
        status, kept = await ask(s, told, "DELETE", "/buyer-messages?event=delivered&locale=en")
        assert (status, kept["own"]) == (200, False)
