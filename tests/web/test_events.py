"""Eventos: where events go, set on a page; their log, and sending again."""

import html
import re

from hub.store import alerts
from jobs.courier import Courier
from tests.flows.test_events import receiver
from tests.web.site import Answer, Site, site

HOME = "/configuracoes/eventos"


def secret_of(answer: Answer) -> str:
    found = re.search(r'id="new-secret" readonly value="(whsec_[^"]+)"', answer.text)
    assert found, html.unescape(answer.text)[-900:]
    return html.unescape(found[1])


async def note(s: Site, subject: str) -> None:
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await alerts.raise_(tx, "mail_down", subject)


async def test_an_endpoint_is_made_tried_read_sent_to_again_and_taken_away() -> None:
    async with site() as s, receiver(500, 204, 204, 500) as erp:
        reader = await s.signed_in(role="manager")
        assert "Nenhum destino" in (await reader.get(HOME)).text
        answer = await reader.post(HOME, url="http://erp.example.com/x?a=1", description="ERP", every="yes")
        assert (answer.status, "por https" in answer.text, 'value="ERP"' in answer.text) == (400, True, True)
        answer = await reader.post(HOME, url=erp.url)
        assert (answer.status, "ao menos um evento" in answer.text) == (400, True)
        answer = await reader.post(HOME, url=erp.url, description="ERP <b>", **{"kind:alert.opened": "yes"})
        erp.secrets = [secret_of(answer)]
        assert "ERP &lt;b&gt;" in answer.text
        assert "whsec_" not in (await reader.get(HOME)).text
        (row,) = await s.w.rows("SELECT id FROM event_endpoint")
        page = f"{HOME}/{row['id']}"
        assert "whsec_" not in (await reader.get(page)).text

        assert (await reader.post(f"{page}/testar")).headers["Location"] == page
        text = (await reader.get(page)).text
        assert "Não foi recebido: 500" in text
        assert "falhando" in text
        await note(s, "x")
        await Courier(s.w.rt).drain()
        assert erp.kinds == ["test", "alert.opened"]
        text = (await reader.get(f"{page}?estado=sent")).text
        assert "alert.opened" in text
        assert "test</a>" not in text
        failed = await s.w.row("SELECT id FROM event_delivery WHERE kind = 'test'")
        one = f"{page}/entregas/{failed['id']}"
        text = html.unescape((await reader.get(one)).text)
        assert f'"endpoint_id": "{row["id"]}"' in text
        assert "500: resposta que não é 2xx" in text
        assert (await reader.post(f"{one}/reenviar")).headers["Location"] == one
        assert erp.ids[0] == erp.ids[2]
        assert "entregue" in (await reader.get(one)).text

        assert (
            "Marque que tem certeza"
            in (await reader.get((await reader.post(f"{page}/segredo")).headers["Location"])).text
        )
        answer = await reader.post(f"{page}/segredo", sure="yes")
        erp.secrets = [secret_of(answer)]
        assert "o segredo anterior ainda assina" in answer.text
        await note(s, "y")
        await Courier(s.w.rt).drain()
        await reader.post(f"{page}/desligar")
        text = (await reader.get(page)).text
        assert "desligado por alguém daqui" in text
        assert "/testar" not in text
        await reader.post(f"{page}/ligar")
        assert "Reenviar o que falhou" in (await reader.get(page)).text
        await reader.post(f"{page}/reenviar", since="day")
        assert "De volta à fila: 1." in (await reader.get(page)).text
        await Courier(s.w.rt).drain()
        assert [each["about"] for each in erp.told("alert.opened")] == ["x", "y", "y"]

        await reader.post(page, url=erp.url + "&b=2", description="CRM", every="yes")
        row = await s.w.row("SELECT url, kinds FROM event_endpoint")
        assert (row["url"].endswith("&b=2"), row["kinds"]) == (True, None)
        answer = await reader.post(page, url="ftp://x", description="CRM 2", every="yes")
        assert (answer.status, "Não é um endereço" in answer.text, "CRM 2" in answer.text) == (400, True, True)
        await reader.post(f"{page}/remover", sure="yes")
        assert (await reader.get(page)).status == 404
        done = [
            row["action"]
            for row in await s.w.rows("SELECT action FROM audit_log WHERE starts_with(action, 'e') ORDER BY id")
        ]
        assert done == ["endpoint_add", "event_replay", "endpoint_rotate", "endpoint_disable", "endpoint_enable",
                        "event_replay", "endpoint_edit", "endpoint_remove"]  # fmt: skip


async def test_events_are_for_managers_of_this_seller() -> None:
    async with site() as s, receiver() as erp:
        manager = await s.signed_in(role="manager")
        await manager.get(HOME)
        await manager.post(HOME, url=erp.url, every="yes")
        endpoint = (await s.w.row("SELECT id FROM event_endpoint"))["id"]
        await manager.get(HOME)
        await manager.post(f"{HOME}/{endpoint}/testar")
        delivery = (await s.w.row("SELECT id FROM event_delivery"))["id"]
        page, one = f"{HOME}/{endpoint}", f"{HOME}/{endpoint}/entregas/{delivery}"
        verbs = ("desligar", "ligar", "segredo", "remover", "testar", "reenviar")
        posts = [page, *(f"{page}/{verb}" for verb in verbs), f"{one}/reenviar"]
        operator = await s.signed_in("leo@loja.example", "operator")
        theirs = await s.signed_in("bia@outra.example", "owner", seller_id=await s.other_seller())
        for reader, status in ((operator, 403), (theirs, 404)):
            for path in (page, one):
                assert (await reader.get(path)).status == status, path
            for path in posts:
                told = await reader.post(path, url=erp.url, every="yes", sure="yes", since="day")
                assert told.status == status, path
        assert (await operator.get(HOME)).status == 403
        assert "Nenhum destino" in (await theirs.get(HOME)).text
        assert len(erp.ids) == 1
        assert (await manager.get(f"{HOME}/{endpoint}/entregas/{endpoint}")).status == 404
