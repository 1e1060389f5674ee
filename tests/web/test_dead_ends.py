"""Where a reader must not get stuck: an expired session, an address of forms only, a live page that is left."""

import asyncio
import re
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from hub.web import feed
from hub.web.pages import PART, ROUTES, led_up
from tests.web.site import Reader, site


async def _sent(reader: Reader, referer: str, path: str = "/pedidos/visoes") -> str:
    """Where a form leads that is sent without a session."""
    reader.session.cookie_jar.clear()
    async with reader.session.post(
        reader.base + path, data={"csrf": "x", "code": "A"}, headers={"Referer": referer}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        return str(answer.headers["Location"])


async def test_a_form_sent_after_the_session_ended_says_so_and_leads_back_to_its_page() -> None:
    async with site() as s:
        reader = await s.signed_in()
        assert await _sent(reader, f"{s.base}/pedidos?uf=SP") == "/entrar?next=/pedidos?uf%3DSP"
        assert "Sua sessão expirou, e o que você enviou não foi guardado" in (await reader.get("/entrar")).text
        assert "Sua sessão" not in (await reader.get("/entrar")).text, "once"
        for elsewhere in ("https://evil.example/skus", f"{s.base}//evil.example", "", "http://[", f"{s.base}/sair"):
            assert await _sent(reader, elsewhere) == "/entrar", elsewhere


async def test_an_address_of_forms_only_leads_to_the_page_above_it() -> None:
    def named(path: str) -> str:
        return re.sub(PART, lambda part: "7" if ":" in part[0] else id_, path)

    id_ = str(uuid4())
    shown = {named(path) for method, path, _, _ in ROUTES if method == "GET"}
    async with site() as s:
        reader = await s.signed_in()
        for path, above in led_up().items():
            assert named(above) in shown, path
            answer = await reader.get(named(path) + "?x=1")
            assert (answer.status, answer.headers.get("Location")) == (303, named(above)), path
        for path, above in (("/skus/{id}/ajustar", "/skus/{id}"), ("/pedidos/marcar", "/pedidos")):
            assert led_up()[path] == above


async def test_a_reader_who_leaves_a_live_page_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT", 0.05)
    async with site() as s:
        reader = await s.signed_in()
        runner = s.server.runner
        assert runner is not None
        assert runner.server is not None
        runner.server.handler_cancellation = False  # as the hub runs it: a test's server would cancel the stream itself
        with capture_logs() as told:
            answer = await reader.session.get(s.base + "/ao-vivo")
            assert await answer.content.readline()
            answer.close()
            for _ in range(100):
                await asyncio.sleep(0.05)
                if not s.server.app[feed.FEED]._sellers:
                    break
            else:
                pytest.fail("it is listened to still")
        assert not [each for each in told if each["log_level"] == "error"]
