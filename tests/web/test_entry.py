"""Coming in and going out: the guards of the door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from cryptography.fernet import Fernet

from hub.secrets import Vault
from hub.store import people, sessions
from hub.web import auth
from hub.web.edge import DOOR
from tests.web.site import HASH, PASSWORD, site


async def test_who_has_not_signed_in_is_sent_to_the_door_and_comes_back() -> None:
    async with site() as s:
        await s.person("ana@loja.example")
        reader = s.reader()
        sent = await reader.get("/pedidos?situacao=paid")
        assert sent.status == 303
        assert sent.headers["Location"] == "/entrar?next=/pedidos?situacao%3Dpaid"
        assert (await reader.get("/ao-vivo", headers={"Accept": "text/event-stream"})).status == 401
        await reader.get(sent.headers["Location"])
        back = await reader.sign_in("Ana@Loja.example ", onward="/pedidos?situacao=paid")
        assert (back.status, back.headers["Location"]) == (303, "/pedidos?situacao=paid")


async def test_a_wrong_password_and_an_unknown_email_read_the_same() -> None:
    async with site() as s:
        await s.person("ana@loja.example")
        reader = s.reader()
        wrong = await reader.sign_in("ana@loja.example", "outra senha")
        unknown = await reader.sign_in("ninguem@loja.example")
        for answer in (wrong, unknown):
            assert answer.status == 403
            assert "E-mail ou senha não conferem." in answer.text
        assert (await reader.get("/")).status == 303


async def test_a_disabled_person_and_one_without_a_seller_stay_outside() -> None:
    async with site() as s:
        user_id = await s.person("ana@loja.example")
        async with s.w.rt.db.people() as tx:
            await people.user_put(tx, "so@loja.example", "Só", HASH, "pt_BR")
            await tx.run("UPDATE app_user SET disabled_at = now() WHERE id = %s", [user_id])
        reader = s.reader()
        assert (await reader.sign_in("ana@loja.example")).status == 403
        alone = await reader.sign_in("so@loja.example")
        assert alone.status == 403
        assert "nenhuma loja" in alone.text


async def test_too_many_tries_for_one_email_wait_even_with_the_right_password() -> None:
    async with site() as s:
        await s.person("ana@loja.example")
        await s.person("bia@loja.example")
        reader = s.reader()
        for _ in range(auth.PER_EMAIL):
            assert (await reader.sign_in("ana@loja.example", "errada")).status == 403
        waiting = await reader.sign_in("ana@loja.example")
        assert waiting.status == 429
        assert int(waiting.headers["Retry-After"]) > 60
        assert (await reader.sign_in("bia@loja.example")).status == 303
        now = s.w.rt.now
        s.w.rt.now = lambda: now() + auth.WINDOW + timedelta(seconds=1)
        assert (await s.reader().sign_in("ana@loja.example")).status == 303


async def test_too_many_tries_from_one_address_wait_whatever_the_email() -> None:
    async with site() as s:
        await s.person("ana@loja.example")
        door = s.server.app[DOOR]
        now = s.w.rt.now()
        for number in range(auth.PER_ADDRESS):
            door.note(auth.keys_of(f"x{number}@y.example", "127.0.0.1"), now)
        assert (await s.reader().sign_in("ana@loja.example")).status == 429


def test_many_tries_at_once_do_not_slip_through() -> None:
    door, now = auth.Door(), datetime.now(UTC)
    keys = auth.keys_of("a@b.example", "203.0.113.9")
    admitted = 0
    for _ in range(100):
        if door.wait(keys, now) is None:
            door.note(keys, now)
            admitted += 1
    assert admitted == auth.PER_EMAIL


async def test_a_form_without_its_token_is_refused() -> None:
    async with site() as s:
        reader = await s.signed_in()
        for path in ("/sair", "/idioma", "/loja", "/sair-de-tudo", "/contas/nova", f"/contas/{s.w.seller_id}/aprovar"):
            for csrf in ("", "x" * 43, None):
                fields = {} if csrf is None else {"csrf": csrf}
                async with reader.session.post(s.base + path, data=fields, allow_redirects=False) as answer:
                    assert answer.status == 403, path
        assert (await reader.get("/")).status == 200
        stranger = s.reader()
        assert (await stranger.post("/entrar", email="ana@loja.example", password=PASSWORD)).status == 403
        async with reader.session.post(s.base + "/sair", json={"csrf": reader.csrf}, allow_redirects=False) as answer:
            assert answer.status == 403


async def test_the_token_of_another_session_is_refused() -> None:
    async with site() as s:
        one, other = await s.signed_in(), await s.signed_in("bia@loja.example")
        one.csrf = other.csrf
        assert (await one.post("/sair")).status == 403


async def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites() -> None:
    async with site() as s:
        reader = await s.signed_in()
        morsel = reader.cookie
        assert morsel["httponly"]
        assert morsel["samesite"] == "Lax"
        assert morsel["max-age"] == str(12 * 3600)
        assert not morsel["secure"]


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host() -> None:
    async with site() as s:
        s.w.rt.policy = replace(s.w.rt.policy, public_url="https://balcao.example.com.br")
        await s.person("ana@loja.example")
        answer = await s.reader().get("/entrar")
        (told,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
        assert told.key == "__Host-balcao"
        assert told["secure"]
        assert told["path"] == "/"


async def test_a_forged_an_expired_and_a_borrowed_cookie_are_nobody() -> None:
    async with site() as s:
        user_id = await s.person("ana@loja.example")
        now, vault = s.w.rt.now(), s.w.rt.vault
        async with s.w.rt.db.people() as tx:
            made = await sessions.begin(tx, user_id, 0, "", "", now)
        good = auth.signed_in(now, user_id, s.w.seller_id, 0, made)

        async def status(cookie: str) -> int:
            async with s.reader().session.get(
                s.base + "/pedidos", headers={"Cookie": f"balcao={cookie}"}, allow_redirects=False
            ) as answer:
                return answer.status

        assert await status(auth.seal(vault, good)) == 200
        other = {**vault.open(auth.seal(vault, good).encode()), "is": "something else of ours"}
        forged = Vault([Fernet.generate_key().decode()])
        for cookie in (
            auth.seal(forged, good),
            auth.seal(vault, replace(good, session_id=user_id)),
            auth.seal(vault, replace(good, session_id=None)),
            auth.seal(vault, good)[:-4] + "AAAA",
            auth.seal(vault, replace(good, at=now - auth.LASTS - timedelta(seconds=1))),
            auth.seal(vault, replace(good, at=now + timedelta(hours=1))),
            vault.seal({"user": str(user_id), "seller": str(s.w.seller_id), "epoch": "0"}).decode(),
            vault.seal(other).decode(),
            "x",
            "",
        ):
            assert await status(cookie) == 303


async def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not() -> None:
    async with site() as s:
        reader = await s.signed_in()
        real = s.w.rt.now
        for hours in (10, 20, 30):
            s.w.rt.now = lambda hours=hours: real() + timedelta(hours=hours)  # type: ignore[misc] # mypy wants no default
            assert (await reader.get("/pedidos")).status == 200
        s.w.rt.now = lambda: real() + timedelta(hours=43)
        assert (await reader.get("/pedidos")).status == 303


async def test_a_new_epoch_signs_out_every_browser() -> None:
    async with site() as s:
        one = await s.signed_in()
        other = s.reader()
        await other.sign_in("ana@loja.example")
        assert (await one.post("/sair-de-tudo")).status == 303
        for reader in (one, other):
            assert (await reader.get("/pedidos")).status == 303


async def test_sign_out_forgets_this_browser() -> None:
    async with site() as s:
        reader = await s.signed_in()
        assert (await reader.post("/sair")).headers["Location"] == "/entrar"
        assert (await reader.get("/")).status == 303


async def test_a_person_who_is_disabled_is_out_at_once() -> None:
    async with site() as s:
        reader = await s.signed_in()
        async with s.w.rt.db.people() as tx:
            await tx.run("UPDATE app_user SET disabled_at = now()")
        assert (await reader.get("/pedidos")).status == 303


async def test_a_person_who_is_no_member_any_more_is_out_at_once() -> None:
    async with site() as s:
        reader = await s.signed_in()
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("DELETE FROM membership")
        assert (await reader.get("/pedidos")).status == 303


ELSEWHERE = (
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil", "/\n/evil.example",
    "javascript:alert(1)", "http:evil.example", "/entrar?next=/entrar", "evil.example", " //evil.example",
)  # fmt: skip


@pytest.mark.parametrize("told", ELSEWHERE)
def test_nobody_is_sent_to_another_site(told: str) -> None:
    assert auth.safe_next(told) == "/"


async def test_sign_in_goes_on_to_our_own_pages_only() -> None:
    async with site() as s:
        await s.person("ana@loja.example")
        for told in ("//evil.example/x", "https://evil.example"):
            answer = await s.reader().sign_in("ana@loja.example", onward=told)
            assert answer.headers["Location"] == "/"
        reader = await s.signed_in("bia@loja.example")
        assert (await reader.get("/entrar?next=//evil.example")).headers["Location"] == "/"
        assert (await reader.post("/idioma", locale="en", next="//evil.example")).headers["Location"] == "/"


async def test_a_proxy_in_our_own_network_tells_who_knocks_and_nobody_else_does() -> None:
    class Told:
        def __init__(self, remote: str, forwarded: str) -> None:
            self.remote, self.headers = remote, {"X-Forwarded-For": forwarded} if forwarded else {}

    for remote, forwarded, who in (
        ("10.0.0.2", "1.1.1.1, 8.8.8.8", "8.8.8.8"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
    ):
        assert auth.address_of(Told(remote, forwarded)) == who  # type: ignore[arg-type] # all that it reads


async def test_the_language_is_kept_with_the_person_and_the_door_speaks_the_browsers() -> None:
    async with site() as s:
        reader = await s.signed_in()
        assert '<html lang="pt-BR">' in (await reader.get("/pedidos")).text
        await reader.post("/idioma", locale="en", next="/pedidos")
        assert '<html lang="en">' in (await reader.get("/pedidos")).text
        again = s.reader()
        assert "Sign in" in (await again.get("/entrar", headers={"Accept-Language": "en-GB,pt;q=0.5"})).text
        assert "Entrar" in (await again.get("/entrar", headers={"Accept-Language": "de"})).text
        await again.sign_in("ana@loja.example")
        assert '<html lang="en">' in (await again.get("/pedidos")).text


async def test_who_works_for_two_sellers_switches_and_for_no_third() -> None:
    async with site() as s:
        second, third = await s.other_seller("Segunda Loja"), await s.other_seller("Terceira Loja")
        await s.person("ana@loja.example", "viewer", seller_id=second)
        reader = await s.signed_in()
        assert "Segunda Loja" in (await reader.get("/")).text
        assert "Terceira Loja" not in (await reader.get("/")).text
        assert (await reader.post("/loja", seller=str(third))).status == 404
        assert (await reader.post("/loja", seller="x")).status == 404
        assert (await reader.post("/loja", seller=str(second))).status == 303
        assert (await reader.get("/contas/nova")).status == 403  # a viewer there
