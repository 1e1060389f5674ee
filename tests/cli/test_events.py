"""Events out from the command line: added, tried, read, sent again."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from standardwebhooks import Webhook

from tests.cli.conftest import Balcao


@contextmanager
def erp() -> Iterator[tuple[str, list[tuple[dict[str, str], str]], list[int]]]:
    """A program that listens: its address, what it got, and what it answers (200 when nothing is left)."""
    got: list[tuple[dict[str, str], str]] = []
    answers: list[int] = []

    class Listens(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            got.append((dict(self.headers.items()), body))
            self.send_response(answers.pop() if answers else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/eventos", got, answers
        server.shutdown()


def test_an_endpoint_is_added_tried_read_and_sent_to_again(balcao: Balcao) -> None:
    balcao("seller", "add", "Loja da Ana").good()
    assert "`balcao events add URL`" in balcao("events", "list").good().out
    assert "there is no endpoint yet" in balcao("events", "test", "erp").sentence(2)
    assert "order.created" in balcao("events", "kinds").good().out
    with erp() as (url, got, answers):
        made = balcao("events", "add", url, "--event", "order.created", "--description", "ERP", "--json").good().json
        assert "Taken: 200" in balcao("events", "test", "erp").good().out
        headers, body = got[0]
        assert Webhook(made["secret"]).verify(body, headers)["type"] == "test"
        answers.append(500)
        assert "Not taken: 500" in balcao("events", "test", "erp").good().out
        rows = balcao("events", "log", made["id"], "--json").good().json
        assert [(row["kind"], row["state"], row["status"]) for row in rows] == [
            ("test", "due", 500),
            ("test", "sent", 200),
        ]
        assert balcao("events", "log", "erp", "--state", "sent", "--json").good().json == rows[1:]
        assert "To be sent again: 1." in balcao("events", "replay", "erp", "--delivery", rows[1]["id"]).good().out
        assert "off" in balcao("events", "switch", "erp", "--off").good().out
        assert "disabled" in balcao("events", "replay", "erp", "--since", "2026-01-01").sentence(2)
        balcao("events", "switch", "erp", "--on").good()
        assert "To be sent again: 2." in balcao("events", "replay", "erp", "--since", "2026-01-01").good().out
        assert "no time" in balcao("events", "replay", "erp", "--since", "ontem").sentence(2)
        assert "--delivery ID or --since TIME" in balcao("events", "replay", "erp").sentence(2)
        assert balcao("events", "rotate", "erp", "--json").good().json["secret"] != made["secret"]
        (row,) = balcao("events", "list", "--json").good().json
        assert (row["events"], row["waiting"]) == (["order.created"], 2)
        assert "secret" not in row
        assert "sealed" not in row
        assert "no endpoint answers" in balcao("events", "log", "crm").sentence(2)
        balcao("events", "remove", "erp").good()
    for url, word in (("http://erp.example.com", "https"), ("erp", "address")):
        assert word in balcao("events", "add", url).sentence(2)
    assert "there is no event order.eaten" in balcao(
        "events", "add", "https://x.example", "--event", "order.eaten"
    ).sentence(2)
    assert "--state" in balcao("events", "log", "erp", "--state", "x").sentence(2)
