"""The seller's people: roles and what each reaches, invitations, the last owner."""

import asyncio
import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol  # noqa: N811 - it is a class
from aiosmtpd.smtp import Envelope, Session

from hub import invite_link, members
from hub.smtp import server_of
from hub.web import auth
from hub.web.pages import ROUTES
from jobs import members as flow
from tests.flows.test_mails import free_port
from tests.web.site import PASSWORD, Reader, Site, site

HOME = "/configuracoes/pessoas"


async def invited(s: Site, reader: Reader, email: str = "bia@loja.example", role: str = "operator") -> str:
    """The address of a new invitation, as its page shows it."""
    await reader.get(HOME)
    answer = await reader.post(HOME, email=email, role=role)
    assert answer.status == 303, answer.text
    page = (await reader.get(HOME)).text
    row = await s.w.row("SELECT id FROM invitation WHERE email = lower(%s) ORDER BY id DESC LIMIT 1", email)
    found = re.search(rf'id="c-{row["id"]}" readonly value="[^"]+?(/convite/[^"]+)"', page)
    assert found
    return found[1]


async def test_somebody_new_is_invited_and_comes_in() -> None:
    async with site() as s:
        ana, bia = await s.signed_in(), s.reader()
        path = await invited(s, ana, "Bia@loja.example")
        page = await bia.get(path)
        assert page.status == 200
        assert "bia@loja.example" in page.text
        answer = await bia.post(path, name=" Bia  Reis ", password=PASSWORD, again=PASSWORD)
        assert (answer.status, answer.headers["Location"]) == (303, "/entrar")
        assert "Você agora trabalha em" in (await bia.get("/entrar")).text
        assert (await bia.sign_in("bia@loja.example")).status == 303
        row = await s.w.row("SELECT m.role, u.name FROM membership m JOIN app_user u ON u.id = m.user_id "
                            "WHERE u.email = 'bia@loja.example'")  # fmt: skip
        assert row == {"role": "operator", "name": "Bia Reis"}
        logged = [row["action"] for row in await s.w.rows("SELECT action FROM audit_log ORDER BY id")]
        assert logged[-2:] == ["user_invite", "user_join"]
        assert (await s.reader().get(path)).status == 404, "an invitation is used once"


async def test_somebody_known_comes_in_with_the_password_that_they_have_and_no_other() -> None:
    async with site() as s:
        ana = await s.signed_in()
        await s.person("caio@loja.example", seller_id=await s.other_seller(), name="Caio")
        path, caio = await invited(s, ana, "caio@loja.example", "viewer"), s.reader()
        assert 'name="again"' not in (await caio.get(path)).text
        wrong = await caio.post(path, name="X", password="outra senha comprida", again="outra senha comprida")
        assert wrong.status == 403
        assert len(await s.w.rows("SELECT FROM membership")) == 1, "a letter alone takes over nobody's access"
        assert (await caio.post(path, password=PASSWORD)).status == 303
        assert (await caio.sign_in("caio@loja.example")).status == 303


async def test_a_password_for_an_invitation_is_guessed_as_rarely_as_at_the_door() -> None:
    async with site() as s:
        ana = await s.signed_in()
        await s.person("caio@loja.example", seller_id=await s.other_seller())
        path, caio = await invited(s, ana, "caio@loja.example"), s.reader()
        await caio.get(path)
        for _ in range(auth.PER_EMAIL):
            assert (await caio.post(path, password="errada")).status == 403
        assert (await caio.post(path, password=PASSWORD)).status == 429


async def test_an_invitation_ends_by_time_by_being_taken_back_and_by_another_one() -> None:
    async with site() as s:
        ana, now = await s.signed_in(), s.w.rt.now
        first = await invited(s, ana)
        second = await invited(s, ana)
        assert (await s.reader().get(first)).status == 404
        assert (await s.reader().get(second)).status == 200
        s.w.rt.now = lambda: now() + members.INVITATION_LASTS
        assert (await s.reader().get(second)).status == 404
        s.w.rt.now = now
        row = await s.w.row("SELECT id FROM invitation WHERE withdrawn_at IS NULL")
        late = s.reader()
        await late.get(second)
        assert (await ana.post(f"/configuracoes/convites/{row['id']}/retirar")).status == 303
        assert "não vale mais" in (await late.post(second, name="B", password=PASSWORD, again=PASSWORD)).text
        assert await s.w.rows("SELECT FROM app_user WHERE email = 'bia@loja.example'") == []


@pytest.mark.parametrize("change", ["signature", "id", "seller", "short", "none"])
async def test_an_address_that_we_did_not_sign_is_none(change: str) -> None:
    async with site() as s:
        path = await invited(s, await s.signed_in())
        named = invite_link.read(s.w.rt.vault, path.rpartition("/")[2])
        assert named is not None
        good = path.rpartition("/")[2]
        other = invite_link.token_of(s.w.rt.vault, uuid4(), uuid4())
        told = {
            "signature": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
            "id": other[:43] + good[43:], "seller": other[:20] + good[20:], "short": good[:60], "none": "x",
        }[change]  # fmt: skip
        assert (await s.reader().get(f"/convite/{told}")).status == 404


async def test_what_was_typed_stays_and_the_field_is_named() -> None:
    async with site() as s:
        ana, bia = await s.signed_in(), s.reader()
        await ana.get(HOME)
        for email in ("bia", "bia @loja.example", "a@b,c@d", ""):
            answer = await ana.post(HOME, email=email, role="viewer")
            assert (answer.status, "Não é um e-mail" in answer.text) == (400, True), email
            assert 'value="viewer" selected' in answer.text
        assert (await ana.post(HOME, email="bia@loja.example", role="king")).status == 400
        assert "já trabalha nesta loja" in (await ana.post(HOME, email="ANA@loja.example", role="viewer")).text
        path = await invited(s, ana)
        await bia.get(path)
        for fields, sentence in (
            ({"password": PASSWORD, "again": PASSWORD}, "Escreva como você se chama"),
            ({"name": "Bia", "password": "curta", "again": "curta"}, "Curta demais"),
            ({"name": "Bia", "password": "x" * 1025, "again": "x" * 1025}, "Longa demais"),
            ({"name": "Bia", "password": PASSWORD, "again": "outra"}, "não são iguais"),
        ):
            answer = await bia.post(path, **fields)
            assert (answer.status, sentence in answer.text) == (400, True), sentence
            assert ('value="Bia"' in answer.text) is ("name" in fields)
            assert PASSWORD not in answer.text


async def test_a_manager_neither_gives_nor_takes_what_only_an_owner_may() -> None:
    async with site() as s:
        owner_id = await s.person("dona@loja.example", name="Dona")
        manager_id = await s.person("outro@loja.example", "manager", name="Outro")
        operator_id = await s.person("op@loja.example", "operator", name="Op")
        reader = await s.signed_in("ger@loja.example", "manager")
        page = (await reader.get(HOME)).text
        assert f"{HOME}/{owner_id}/papel" not in page
        assert f"{HOME}/{operator_id}/papel" in page
        assert "Só um dono dá este papel" in (await reader.post(HOME, email="x@y.example", role="owner")).text
        for who, role in ((owner_id, "viewer"), (manager_id, "viewer"), (operator_id, "manager")):
            await reader.post(f"{HOME}/{who}/papel", role=role)
        for who in (owner_id, manager_id):
            await reader.post(f"{HOME}/{who}/remover", sure="yes")
        kept = {row["role"] for row in await s.w.rows("SELECT role FROM membership")}
        assert (kept, len(await s.w.rows("SELECT FROM membership"))) == ({"owner", "manager", "operator"}, 4)
        await reader.post(f"{HOME}/{operator_id}/papel", role="warehouse")
        assert (await s.w.row("SELECT role FROM membership WHERE user_id = %s", operator_id))["role"] == "warehouse"


async def test_the_last_owner_neither_goes_nor_changes_and_two_at_once_leave_one() -> None:
    async with site() as s:
        ana_id = await s.person("ana@loja.example")
        switched_off = await s.person("velho@loja.example")
        async with s.w.rt.db.people() as tx:
            await tx.run("UPDATE app_user SET disabled_at = now() WHERE id = %s", [switched_off])
        reader = await s.signed_in()
        for path, fields in (("papel", {"role": "manager"}), ("remover", {"sure": "yes"})):
            await reader.post(f"{HOME}/{ana_id}/{path}", **fields)
            assert "O último dono" in (await reader.get(HOME)).text
        bia_id = await s.person("bia@loja.example", name="Bia")
        done = await asyncio.gather(
            *(flow.change(s.w.rt, s.w.seller_id, "owner", who, None) for who in (ana_id, bia_id)),
            return_exceptions=True,
        )
        assert sorted(isinstance(each, flow.MemberRefused) for each in done) == [False, True]


async def test_who_is_removed_is_out_at_once_and_what_they_sent_counts_no_more() -> None:
    async with site() as s:
        ana = await s.signed_in()
        ger = await s.signed_in("ger@loja.example", "manager", name="Gil")
        path = await invited(s, ger)
        row = await s.w.row("SELECT id FROM app_user WHERE email = 'ger@loja.example'")
        await ana.get(HOME)
        await ana.post(f"{HOME}/{row['id']}/remover")
        assert "Marque que tem certeza" in (await ana.get(HOME)).text
        assert (await ger.get("/")).status == 200
        assert (await ana.post(f"{HOME}/{row['id']}/remover", sure="yes")).status == 303
        assert (await ger.get("/")).headers["Location"] == "/entrar"
        assert (await s.reader().get(path)).status == 404
        assert (await ger.sign_in("ger@loja.example")).status == 403


async def test_the_warehouse_ships_and_sees_neither_money_nor_credentials() -> None:
    async with site() as s:
        reader = await s.signed_in("dep@loja.example", "warehouse")
        assert (await reader.get("/")).headers["Location"] == "/separacao"
        for path in ("/anuncios", "/separacao", "/prazos", "/etiquetas", "/etiquetas?fila=to_print", "/envios"):
            page = await reader.get(path)
            assert page.status == 200, path
            assert "R$" not in page.text
        labels = (await reader.get("/etiquetas")).text
        assert 'href="/pedidos"' not in labels
        for path in ("/pedidos", "/compras", "/reposicao", "/contas", "/contas/nova", "/faltas", HOME):
            assert (await reader.get(path)).status == 403, path
        assert (await reader.post("/etiquetas/comprar")).status == 403
        assert (await reader.post("/etiquetas/imprimir", next="/etiquetas")).status == 303


@pytest.mark.parametrize("role", ["viewer", "warehouse", "operator"])
async def test_people_are_for_managers_and_owners(role: str) -> None:
    async with site() as s:
        who = await s.person("x@loja.example", "viewer")
        reader = await s.signed_in("r@loja.example", role)
        assert (await reader.get(HOME)).status == 403
        for path in (HOME, f"{HOME}/{who}/papel", f"{HOME}/{who}/remover", f"/configuracoes/convites/{who}/retirar"):
            assert (await reader.post(path, email="y@loja.example", role="viewer", sure="yes")).status == 403, path
        assert await s.w.rows("SELECT FROM invitation") == []


async def test_another_sellers_people_are_out_of_reach() -> None:
    async with site() as s:
        other = await s.other_seller()
        theirs = await s.person("deles@loja.example", seller_id=other, name="Deles")
        reader = await s.signed_in()
        assert "Deles" not in (await reader.get(HOME)).text
        await reader.post(f"{HOME}/{theirs}/remover", sure="yes")
        assert "já não trabalha" in (await reader.get(HOME)).text
        async with s.w.rt.db.seller(other) as tx:
            assert await tx.value("SELECT count(*) FROM membership") == 1


class Post:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Protocol, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        self.kept.append(envelope)
        return "250 OK"


async def test_the_letter_leaves_by_mail_where_there_is_a_server_and_an_address() -> None:
    async with site(public_url="https://balcao.example") as s:
        post, port = Post(), free_port()
        controller = Controller(post, hostname="127.0.0.1", port=port)
        await asyncio.to_thread(controller.start)
        try:
            server = server_of(f"smtp://127.0.0.1:{port}", "Balcão <avisos@balcao.example>")
            s.w.rt.policy = replace(s.w.rt.policy, smtp=server)
            by = await s.person("ana@loja.example")
            made = await flow.invite(s.w.rt, s.w.seller_id, by, "owner", "bia@loja.example", "viewer")
            assert await flow.mail(s.w.rt, s.w.seller_id, made, "Loja\nda Ana", "bia@loja.example", ("Convite", "Olá"))
        finally:
            await asyncio.to_thread(controller.stop)
        (envelope,) = post.kept
        assert envelope.rcpt_tos == ["bia@loja.example"]
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=default)
        assert letter["From"] == "Loja da Ana <avisos@balcao.example>"
        assert (await s.w.row("SELECT mailed_at FROM invitation"))["mailed_at"] is not None
        s.w.rt.policy = replace(s.w.rt.policy, smtp=server_of("smtp://127.0.0.1:1", "a@b.example"))
        assert not await flow.mail(s.w.rt, s.w.seller_id, made, "Loja", "bia@loja.example", ("Convite", "Olá"))


def test_every_page_asks_for_something_that_some_role_reaches() -> None:
    asked = {least for _method, _path, _handler, least in ROUTES if least is not None}
    assert asked <= members.REACH["owner"]
    addresses = [(method, path) for method, path, _handler, _least in ROUTES]
    assert len(set(addresses)) == len(addresses), (
        "an address that stands twice is answered by the first, whatever it asks"
    )
    assert not members.reaches("king", "member")
    assert not members.reaches("owner", "king")


def test_who_may_change_whom() -> None:
    assert members.refusal("manager", "owner", None, 5) == "above"
    assert members.refusal("manager", "operator", "manager", 5) == "beyond"
    assert members.refusal("owner", "owner", "owner", 1) is None
    assert members.refusal("owner", "owner", "viewer", 1) == "last_owner"
    assert members.refusal("operator", "viewer", None, 1) == "above"
