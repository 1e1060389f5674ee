"""Events out over the API: endpoints, deliveries, replay, and the feed by cursor."""

from typing import Any

from hub.secrets import token_hash
from hub.store import alerts, api_keys
from jobs.courier import Courier
from tests.flows.test_events import receiver
from tests.web.site import Site, site


async def key(s: Site, *scopes: str, seller: Any = None) -> str:
    made = f"balcao_{'-'.join(scopes)}_{seller}"
    async with s.w.rt.db.seller(seller or s.w.seller_id) as tx:
        await api_keys.add(tx, "programa", token_hash(made), scopes)
    return made


async def ask(s: Site, word: str, method: str, path: str, **body: Any) -> tuple[int, Any]:
    session = s.reader().session
    headers = {"Authorization": f"Bearer {word}", "Accept-Language": "en"}
    more: dict[str, Any] = {"json": body} if method in ("POST", "PATCH") and body else {}
    async with session.request(method, f"{s.base}/api/v1{path}", headers=headers, **more) as answer:
        return answer.status, await answer.json(content_type=None) if answer.content_length != 0 else None


async def note(s: Site, *subjects: str) -> None:
    for subject in subjects:
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.raise_(tx, "mail_down", subject)


async def test_endpoints_are_kept_their_log_read_and_events_sent_again() -> None:
    async with site() as s, receiver() as erp:
        reads, writes = await key(s, "events:read"), await key(s, "events:read", "events:write")
        assert (await ask(s, reads, "POST", "/event-endpoints", url=erp.url))[0] == 403
        status, told = await ask(s, writes, "POST", "/event-endpoints", url="http://erp.example.com")
        assert (status, told["errors"][0]["field"]) == (422, "url")
        status, told = await ask(s, writes, "POST", "/event-endpoints", url=erp.url, events=["order.eaten"])
        assert (status, told["errors"][0]["field"]) == (422, "events")
        status, told = await ask(s, writes, "POST", "/event-endpoints", url=erp.url, description="ERP")
        assert status == 201
        path = f"/event-endpoints/{told['id']}"
        erp.secrets = [(await ask(s, writes, "POST", f"{path}/rotate"))[1]["secret"]]
        assert "secret" not in str((await ask(s, reads, "GET", "/event-endpoints"))[1]).replace("old_secret_until", "")
        status, told = await ask(s, writes, "POST", f"{path}/test")
        assert (status, told["state"], told["tried"][0]["status"], told["event"]["type"]) == (200, "sent", 204, "test")
        erp.answers = [(500, {}, "token=segredo123")]
        await note(s, "x")
        await Courier(s.w.rt).drain()
        status, told = await ask(s, reads, "GET", f"{path}/deliveries?state=due")
        assert (status, [(row["type"], row["status"]) for row in told["data"]]) == (200, [("alert.opened", 500)])
        one = f"/event-deliveries/{told['data'][0]['id']}"
        assert (await ask(s, reads, "GET", one))[1]["tried"][0]["answer"] == "token=***"
        assert (await ask(s, writes, "PATCH", path, enabled=False))[1]["disabled_why"] == "person"
        assert (await ask(s, writes, "POST", f"{one}/replay"))[0] == 409
        assert (await ask(s, writes, "PATCH", path, enabled=True, events=["alert.opened"]))[1]["events"] == [
            "alert.opened"
        ]
        # Several changes are one: refused in one of them nothing is changed, else both are one transaction.
        status, told = await ask(s, writes, "PATCH", path, enabled=False, url="http://erp.example.com")
        assert (status, told["errors"][0]["field"]) == (422, "url")
        assert (await ask(s, reads, "GET", "/event-endpoints"))[1]["data"][0]["disabled_at"] is None
        status, told = await ask(s, writes, "PATCH", path, enabled=False, description="ERP novo")
        assert (status, told["disabled_why"], told["description"]) == (200, "person", "ERP novo")
        assert (told["url"], told["events"]) == (erp.url, ["alert.opened"]), "what is not told stays"
        log = await s.w.rows("SELECT action, xmin::text AS at FROM audit_log ORDER BY id DESC LIMIT 2")
        assert [row["action"] for row in log] == ["endpoint_disable", "endpoint_edit"]
        assert log[0]["at"] == log[1]["at"]
        assert (await ask(s, writes, "PATCH", path, enabled=True))[0] == 200
        since = {"since": "2026-01-01T00:00:00Z"}
        assert (await ask(s, writes, "POST", f"{path}/replay", **since))[1] == {"count": 1}
        await Courier(s.w.rt).drain()
        assert (await ask(s, reads, "GET", one))[1]["state"] == "sent"
        assert (await ask(s, writes, "POST", f"{path}/rotate"))[1]["secret"] != erp.secrets[0]
        theirs = await key(s, "events:read", "events:write", seller=await s.other_seller())
        assert (await ask(s, theirs, "GET", "/event-endpoints"))[1] == {"data": []}
        for method, where in (("GET", one), ("DELETE", path), ("POST", f"{path}/test"), ("GET", f"{path}/deliveries")):
            assert (await ask(s, theirs, method, where))[0] == 404, where
        assert (await ask(s, writes, "DELETE", path))[0] == 204
        assert (await ask(s, writes, "DELETE", path))[0] == 404


async def test_the_feed_is_read_in_order_from_where_it_was_left() -> None:
    async with site() as s:
        word = await key(s, "events:read")
        await note(s, *"abc")
        await Courier(s.w.rt).drain()
        _status, first = await ask(s, word, "GET", "/events?limit=2")
        assert [row["data"]["about"] for row in first["data"]] == ["a", "b"]
        assert first["data"][0]["id"].startswith("evt_")
        _status, second = await ask(s, word, "GET", f"/events?limit=2&cursor={first['next']}")
        assert ([row["data"]["about"] for row in second["data"]], second["next"]) == (["c"], None)
        await note(s, "d")
        await Courier(s.w.rt).drain()
        left = second["data"][-1]["data"]["version"]
        assert [row["data"]["about"] for row in (await ask(s, word, "GET", f"/events?after={left}"))[1]["data"]] == [
            "d"
        ]
        assert (await ask(s, word, "GET", "/events?type=order.created"))[1]["data"] == []
