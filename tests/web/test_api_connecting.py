"""Accounts over the API: connected by keys or by an authorization, approved, connected again, and no more."""

import importlib
from typing import Any

from aiohttp.test_utils import TestServer

from tests.web.site import Site, site
from tests.web.test_api_framework import Program
from tests.web.test_api_resources import SHELF, got, program
from tests.web.test_connecting import path_of, say_yes, vendor

SECRET = "consumer_secret"


async def shop(s: Site, **options: Any) -> tuple[Any, dict[str, str]]:
    """A store that nobody has connected, and its keys."""
    sandbox = importlib.import_module("adapters.woocommerce.sandbox").create(SHELF, **options)
    server = TestServer(sandbox.app)
    await s.w.stack.enter_async_context(server)
    return sandbox, sandbox.credentials(str(server.make_url("")).rstrip("/"))


async def refused(p: Program, method: str, path: str, body: Any) -> tuple[int, dict[str, str] | str]:
    """The status, and the sentences by field, or the one of the whole."""
    status, told, _ = await p.ask(method, path, body)
    found = {each["field"]: each["sentence"] for each in told.get("errors", [])}
    return status, found or told["detail"]


async def test_an_account_is_connected_by_its_keys_approved_in_part_and_disconnected() -> None:
    async with site(public_url="https://hub.example") as s:
        p = await program(s, "accounts:read", "accounts:write", "accounts:connect", "accounts:approve", "stock:read")
        sandbox, keys = await shop(s, seed=1)
        (form,) = [each for each in (await got(p, "/channels"))["data"] if each["name"] == "woocommerce"]
        asked = form["credentials"]["properties"]
        assert (asked["store_url"]["title"], asked[SECRET]["writeOnly"]) == ("Endereço da loja", True)
        assert form["authorization"] is None
        # Nothing is kept of keys that are incomplete, unknown or refused; each field is told what it lacks.
        lacking = {"channel": "woocommerce", "credentials": {"store_url": keys["store_url"], "shop": "x"}}
        assert await refused(p, "POST", "/accounts", lacking) == (422, {
            "credentials.consumer_key": "Falta preencher.", "credentials.consumer_secret": "Falta preencher.",
            "credentials.shop": "Este campo não existe aqui.",
        })  # fmt: skip
        assert await refused(p, "POST", "/accounts", {"channel": "loja", "credentials": keys}) == (
            422, {"channel": "Não há o canal loja: veja GET /channels."},
        )  # fmt: skip
        bad = {"channel": "woocommerce", "credentials": {**keys, SECRET: "cs_" + "0" * 40}}
        status, found = await refused(p, "POST", "/accounts", bad)
        assert (status, "recusou o acesso" in str(found), "nada foi guardado" in str(found)) == (422, True, True)
        assert (await got(p, "/accounts"))["data"] == []
        # Connected once, asked twice.
        body = {"channel": "woocommerce", "name": "Loja da Ana", "credentials": keys}
        status, told, _ = await p.ask("POST", "/accounts", body, Idempotency_Key="a1")
        assert (status, told["account"]["status"], told["problem"], told["reopened"]) == (201, "preview", None, False)
        assert told["webhook_url"].startswith("https://hub.example/in/")
        assert (await p.ask("POST", "/accounts", body, Idempotency_Key="a1"))[1] == told
        (held,) = await s.w.rows("SELECT a::text AS row, sealed FROM api_answer a")
        assert told["webhook_url"].encode().hex() not in held["row"], "a secret that is told once is kept sealed"
        assert told["webhook_url"] in s.w.rt.vault.open(bytes(held["sealed"]))["body"]
        assert keys[SECRET] not in str(told)
        status, sentence = await refused(p, "POST", "/accounts", {**body, "name": "Outra"})
        assert (status, "já está ligada aqui, como Loja da Ana" in sentence) == (409, True)
        path = f"/accounts/{told['account']['id']}"
        # Approved by scope, once it is read: only that is written.
        assert await refused(p, "POST", f"{path}/approve", {"scope": "all"}) == (
            409, "Loja da Ana ainda não foi lida até o fim: espere o hub terminar.",
        )  # fmt: skip
        await s.w.settle()
        await s.w.open_stock(**{"CANECA/AZUL": 3, "PRATO": 1})
        alone = await program(s, "accounts:read")
        assert await refused(alone, "GET", f"{path}/preview", None) == (403, "A chave não tem o escopo stock:read.")
        page = await got(p, f"{path}/preview?limit=1")
        rest = await got(p, f"{path}/preview?cursor={page['next']}")
        rows = {row["sku"]: row for row in page["data"] + rest["data"]}
        assert {code: (row["shows"], row["desired"], row["change"]) for code, row in rows.items()} == {
            "CANECA/AZUL": (9, 3, "less"), "PRATO": (4, 1, "less"),
        }  # fmt: skip
        assert all(row["why"] for row in rows.values())
        assert (await got(p, f"{path}/preview?change=zero"))["data"] == []
        assert await refused(p, "POST", f"{path}/approve", {"scope": "sku"}) == (
            422, {"names": "Diga os nomes: categorias, códigos de SKU, ou anúncios."},
        )  # fmt: skip
        assert await refused(p, "POST", f"{path}/approve", {"scope": "all", "names": ["PRATO"]}) == (
            422, {"names": "Este alcance não leva nomes."},
        )  # fmt: skip
        assert await refused(p, "POST", f"{path}/approve", {"scope": "sku", "names": ["VASO"]}) == (
            409, "Loja da Ana não anuncia nada de 'VASO'.",
        )  # fmt: skip
        status, told, _ = await p.ask("POST", f"{path}/approve", {"scope": "sku", "names": ["PRATO"]})
        assert (status, told["approval"], told["approved"], told["changed"]) == (200, "chosen", 1, 1)
        await s.w.settle()
        assert sandbox.shelf() == {"CANECA/AZUL": 9, "PRATO": 1}
        assert (await refused(p, "POST", f"{path}/revoke", {"scope": "no-decrease"}))[0] == 422
        status, told, _ = await p.ask("POST", f"{path}/revoke", {"scope": "all"})
        assert (told["status"], told["approval"], told["changed"], told["approved"]) == ("preview", "none", 1, 0)
        assert await refused(p, "POST", f"{path}/webhooks", None) == (
            409,
            "Loja da Ana ainda não foi aprovada ou está parada: os avisos são registrados quando ela está ligada.",
        )
        await p.ask("POST", f"{path}/approve", {"scope": "all"})
        assert (await got(p, f"{path}/approval"))["approval"] == "whole"
        await s.w.settle()
        vars(sandbox)["hooks"].clear()
        status, told, _ = await p.ask("POST", f"{path}/webhooks")
        assert (status, bool(told["done"]), bool(vars(sandbox)["hooks"])) == (200, True, True)
        # Another's shop and refused keys change nothing; the same shop's do, and what is not told stays.
        _other, others = await shop(s, seed=2)
        before = await s.w.rows("SELECT sealed FROM credential")
        assert (await refused(p, "POST", f"{path}/reconnect", {"credentials": others}))[0] == 409
        worse = {"credentials": {SECRET: "cs_" + "0" * 40}}
        assert (await refused(p, "POST", f"{path}/reconnect", worse))[0] == 422
        assert await s.w.rows("SELECT sealed FROM credential") == before
        status, told, _ = await p.ask("POST", f"{path}/reconnect", {"credentials": {SECRET: keys[SECRET]}})
        assert (status, told["account"]["status"], told["webhook_url"]) == (200, "live", None)
        assert await s.w.rows("SELECT sealed FROM credential") != before
        # A secret that is kept goes to no other address than its own: there it is to be told anew.
        for address in ("http://127.0.0.1:9", f"{keys['store_url']}/loja"):
            moved = {"credentials": {"store_url": address}}
            assert await refused(p, "POST", f"{path}/reconnect", moved) == (
                422, {f"credentials.{SECRET}": "Falta preencher."},
            )  # fmt: skip
        same = {"credentials": {"store_url": f" {keys['store_url']}/ "}}
        assert (await p.ask("POST", f"{path}/reconnect", same))[0] == 200
        await s.connect("woocommerce", SHELF, name="Outra", seed=3)
        assert await refused(p, "PATCH", path, {"name": "outra"}) == (
            409, "Já há uma conta chamada outra: escolha outro nome.",
        )  # fmt: skip
        assert await refused(p, "PATCH", path, {"name": "\u00a0"}) == (422, {"name": "Escreva um nome para a conta."})
        assert (await p.ask("PATCH", path, {"name": "Loja do centro"}))[1]["name"] == "Loja do centro"
        # An account whose zeros are held goes on for who may let them go.
        await s.w.rows("UPDATE account SET braked_at = now() WHERE name = 'Loja do centro' RETURNING 1")
        writes = await program(s, "accounts:read", "accounts:write")
        assert await refused(writes, "POST", f"{path}/resume", None) == (
            403,
            "A chave não tem o escopo accounts:approve.",
        )
        status, told, _ = await p.ask("POST", f"{path}/resume")
        assert (status, told["braked_at"]) == (200, None)
        assert (await writes.ask("POST", f"{path}/resume"))[0] == 200
        # Where a channel has no page of its own, its keys are the way.
        assert (await refused(p, "POST", f"{path}/authorize", {}))[0] == 409
        status, told, _ = await p.ask("DELETE", path)
        assert (status, told["problem"], told["open_orders"], vars(sandbox)["hooks"]) == (200, None, 0, {})
        for method, more, sent in (
            ("DELETE", "", None), ("POST", "/check", None), ("PATCH", "", {"name": "x"}), ("GET", "/preview", None),
            ("POST", "/pause", {}), ("POST", "/resume", None),
            ("POST", "/approve", {"scope": "all"}), ("POST", "/revoke", {"scope": "all"}),
        ):  # fmt: skip
            assert (await p.ask(method, path + more, sent))[0] == 404, (method, more)
        kept = await s.w.rows("SELECT FROM credential c JOIN account a ON a.id = c.account_id WHERE a.name <> 'Outra'")
        assert kept == []
        # It is found among those that were, and is connected again there: nothing of its keys was kept.
        assert path not in [f"/accounts/{each['id']}" for each in (await got(p, "/accounts"))["data"]]
        assert [each["name"] for each in (await got(p, "/accounts?status=live"))["data"]] == ["Outra"]
        (closed,) = (await got(p, "/accounts?status=closed"))["data"]
        assert (f"/accounts/{closed['id']}", closed["status"], closed["health"]) == (path, "closed", "desligada")
        assert (await got(p, path)) == closed
        assert await refused(p, "POST", f"{path}/reconnect", {"credentials": {SECRET: keys[SECRET]}}) == (
            422, {"credentials.store_url": "Falta preencher.", "credentials.consumer_key": "Falta preencher."},
        )  # fmt: skip
        status, told, _ = await p.ask("POST", f"{path}/reconnect", {"credentials": keys})
        assert (status, told["reopened"], told["account"]["id"]) == (200, True, closed["id"])
        assert (await got(p, "/accounts?status=closed"))["data"] == []
        assert (await p.ask("DELETE", path))[0] == 200
        # The same shop again is the same account.
        status, told, _ = await p.ask("POST", "/accounts", {"channel": "woocommerce", "credentials": keys})
        assert (status, told["reopened"], f"/accounts/{told['account']['id']}") == (201, True, path)
        made_by = await s.w.rows("SELECT DISTINCT actor FROM audit_log WHERE action LIKE 'account%%'")
        assert any(row["actor"].startswith("api:") for row in made_by)


async def test_a_program_starts_an_authorization_and_who_connects_accounts_ends_it() -> None:
    async with site(public_url=None) as s:
        p = await program(s, "accounts:read", "accounts:connect")
        v = await vendor(s, "mercadolivre")
        (form,) = [each for each in (await got(p, "/channels"))["data"] if each["name"] == "mercadolivre"]
        assert "client_id" in form["authorization"]["required"]
        assert "refresh_token" not in form["authorization"]["properties"]
        body = {"channel": "mercadolivre", "name": "Loja ML", "credentials": v.typed}
        lacking = {**body, "credentials": {**v.typed, "client_secret": " "}}
        assert await refused(p, "POST", "/authorizations", lacking) == (
            422, {"credentials.client_secret": "Falta preencher."},
        )  # fmt: skip
        status, told, _ = await p.ask("POST", "/authorizations", body)
        assert (status, told["url"].startswith(v.base)) == (201, True)
        assert told["returns_to"] == f"{s.base}/contas/retorno/mercadolivre"
        assert v.typed["client_secret"] not in str(told)
        back = path_of(await say_yes(told["url"]))
        (log,) = await s.w.rows("SELECT actor, params FROM audit_log WHERE action = 'account_authorize'")
        assert (log["actor"][:4], log["params"]) == ("api:", {"channel": "mercadolivre", "host": v.base[7:]})
        assert await s.w.rows("SELECT FROM consent_app") == [], (
            "no application that only a program named waits for people"
        )
        # Nobody of another shop, nobody who may not connect accounts; then once.
        assert (await (await s.signed_in("rui@loja.example", "viewer")).get(back)).status == 403
        await s.person("caio@loja.example", seller_id=await s.other_seller())
        caio = s.reader()
        await caio.sign_in("caio@loja.example")
        assert (await caio.get(back)).status == 409
        assert (await got(p, "/accounts"))["data"] == []
        ana = await s.signed_in(role="manager")
        assert (await ana.get(back)).status == 303
        assert (await ana.get(back)).status == 409
        (account,) = (await got(p, "/accounts"))["data"]
        assert (account["name"], account["status"], bool(account["external_id"])) == ("Loja ML", "preview", True)
        # Again, with nothing told: the application is kept. What a person began stays that person's.
        status, told, _ = await p.ask("POST", f"/accounts/{account['id']}/authorize", {})
        assert status == 201
        again = await ana.get(path_of(await say_yes(told["url"])))
        assert again.headers["Location"] == f"/contas/{account['id']}"
        assert len((await got(p, "/accounts"))["data"]) == 1
        # Nor is an application's kept secret sent to an address that a program names.
        for where, sent in (
            ("/authorizations", {"channel": "mercadolivre", "credentials": {"endpoint": "http://127.0.0.1:9"}}),
            (f"/accounts/{account['id']}/authorize", {"credentials": {"endpoint": "http://127.0.0.1:9"}}),
        ):
            assert await refused(p, "POST", where, sent) == (422, {"credentials.client_secret": "Falta preencher."})
