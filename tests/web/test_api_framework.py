"""What every operation has: idempotency keys that hold through a crash, limits, cursors, and refusals in words."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from structlog.testing import capture_logs

from hub.secrets import Vault, new_key
from hub.store import api_keys, new_id, stock
from hub.web import api
from hub.web.api.operations import Answer as Told
from hub.web.api.operations import ById, Call, Operation, conflict, cursor_of
from hub.web.api.shapes import Asked, Name, Nothing, Paging, Units
from hub.web.api.shapes import Told as Shape
from jobs import sweep
from tests.web.site import Site, site
from tests.web.test_api import key


class Made(Shape):
    """What was made."""

    id: UUID
    name: str


class Wanted(Asked):
    """What to make."""

    name: Name
    units: Units = 1


class Works:
    """Two operations that write a line, one of them as if a channel were asked, and what happens on the way."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: BaseException | None = None
        self.entered = asyncio.Event()

    async def make(self, call: Call) -> Told:
        wanted, made = call.body(Wanted), new_id()
        async with call.rt.db.seller(call.seller) as tx:
            await stock.audit(tx, "made", str(made), name=wanted.name)
        if not self.gate.is_set():
            self.entered.set()
        await self.gate.wait()
        if self.trouble:
            raise self.trouble
        return Made(id=made, name=wanted.name)

    async def make_two(self, call: Call) -> Told:
        async with call.tx() as tx:
            await stock.audit(tx, "made", "first", name="first")
        return await self.make(call)

    async def make_twice(self, call: Call) -> Told:
        made = await self.make(call)
        async with call.tx() as tx:
            for _ in range(2):  # as two do who both saw that it was not there
                await api_keys.add(tx, "planilha", b"the same", ["stock:read"])
        return made

    async def lines(self, call: Call) -> Told:
        async with call.tx() as tx:
            rows = await tx.all(
                "SELECT id, params->>'name' AS name FROM audit_log WHERE action = 'made' "
                "AND (%(after)s::uuid IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s",
                {"after": call.after[0] if call.after else None, "limit": call.limit},
            )
        return call.part(rows, Made.model_validate, "id")

    async def lies(self, call: Call) -> Told:
        return Nothing()


@asynccontextmanager
async def works(monkeypatch: pytest.MonkeyPatch, **policy: Any) -> AsyncIterator[tuple[Site, Works]]:
    w = Works()
    common: dict[str, Any] = {
        "tag": "stock", "summary": "x", "answer": Made, "body": Wanted, "example": {"name": "a"}, "status": 201,
    }  # fmt: skip
    operations = (
        Operation(name="make", method="POST", path="/made", handler=w.make, scope="stock:write", once="together",
                  **common),
        Operation(name="send", method="POST", path="/sent", handler=w.make, scope="stock:write", once="apart",
                  **common),
        Operation(name="change", method="PATCH", path="/changed", handler=w.make_two, scope="stock:write", whole=True,
                  **{**common, "status": 200}),
        Operation(name="twice", method="POST", path="/twice", handler=w.make_twice, scope="stock:write", whole=True,
                  **common),
        Operation(name="lines", method="GET", path="/made", handler=w.lines, scope="stock:read", tag="stock",
                  summary="x", answer=Made, query=Paging, place=ById),
        Operation(name="lies", method="GET", path="/lies", handler=w.lies, scope="stock:read", tag="stock",
                  summary="x", answer=Made),
    )  # fmt: skip
    monkeypatch.setattr(api, "OPERATIONS", operations)
    async with site(**policy) as s:
        yield s, w


class Program:
    """A program with a key."""

    def __init__(self, s: Site, told: str) -> None:
        self.s, self.session, self.told = s, s.reader().session, told

    async def ask(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        named = {"Authorization": f"Bearer {self.told}", **{name.replace("_", "-"): v for name, v in headers.items()}}
        more: dict[str, Any] = {"data": raw} if raw is not None else ({"json": body} if body is not None else {})
        url = f"{self.s.base}/api/v1{path}"
        async with self.session.request(method, url, headers=named, **more) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None, answer.headers

    async def post(self, path: str, word: str | None, name: str = "a") -> tuple[int, Any, Mapping[str, str]]:
        named: dict[str, Any] = {"Idempotency_Key": word} if word else {}
        return await self.ask("POST", path, {"name": name}, **named)


async def program(s: Site) -> Program:
    return Program(s, await key(s, "stock:read", "stock:write"))


async def made(s: Site) -> int:
    (row,) = await s.w.rows("SELECT count(*) AS n FROM audit_log WHERE action = 'made'")
    return int(row["n"])


@pytest.mark.parametrize("path", ["/made", "/sent"])
async def test_asked_twice_with_one_word_it_is_done_once(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    async with works(monkeypatch) as (s, w):
        p = await program(s)
        status, first, headers = await p.post(path, "w1")
        assert (status, headers["Idempotent-Replayed"]) == (201, "false")
        status, again, headers = await p.post(path, "w1")
        assert (status, again, headers["Idempotent-Replayed"]) == (201, first, "true")
        status, problem, _ = await p.post(path, "w1", "b")
        assert (status, problem["type"]) == (422, "urn:balcao:problem:invalid")
        assert "outro pedido" in problem["detail"]
        assert await made(s) == 1
        assert (await p.post(path, None))[1] != first
        assert await made(s) == 2
        # Asked while it is being worked on.
        w.gate.clear()
        running = asyncio.create_task(p.post(path, "w2"))
        await asyncio.wait_for(w.entered.wait(), 10)
        status, problem, _ = await p.post(path, "w2")
        assert (status, "ainda está sendo feito" in problem["detail"]) == (409, True)
        w.gate.set()
        assert (await running)[0] == 201
        # Another program's word is another word; a word of control characters is none.
        assert (await (await program(s)).post(path, "w1"))[1] != first
        assert (await p.post(path, "x" * 201))[1]["errors"][0]["field"] == "Idempotency-Key"
        # A day later the word is free again.
        await s.w.rows("UPDATE api_answer SET started_at = started_at - interval '24 hours' RETURNING 1")
        assert (await p.post(path, "w1"))[2]["Idempotent-Replayed"] == "false"
        await s.w.rows("UPDATE api_answer SET started_at = started_at - interval '24 hours' RETURNING 1")
        await sweep.prune(s.w.rt)
        assert await s.w.rows("SELECT FROM api_answer") == []


async def test_refused_or_cut_short_it_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch) as (s, w):
        p = await program(s)
        for trouble, status in ((conflict("não"), 409), (RuntimeError("x"), 500), (asyncio.CancelledError(), None)):
            w.trouble = trouble
            try:
                answer = await p.post("/made", "w1")
            except aiohttp.ClientError:
                assert status is None
            else:
                assert answer[0] == status
            assert await made(s) == 0, "the line and the kept answer are one transaction"
        w.trouble = None
        assert (await p.post("/made", "w1"))[2]["Idempotent-Replayed"] == "false"
        assert await made(s) == 1
        # Where a channel was asked, nobody knows: it is not asked again.
        w.trouble = conflict("não")
        assert (await p.post("/sent", "w2"))[0] == 409
        w.trouble = RuntimeError("x")
        assert (await p.post("/sent", "w2"))[0] == 500
        w.trouble, before = None, await made(s)
        assert "ainda está sendo feito" in (await p.post("/sent", "w2"))[1]["detail"]
        await s.w.rows("UPDATE api_answer SET started_at = started_at - interval '3 minutes' RETURNING 1")
        status, problem, _ = await p.post("/sent", "w2")
        assert (status, "não sabemos" in problem["detail"]) == (409, True)
        assert await made(s) == before


async def test_a_change_in_several_steps_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch) as (s, w):
        p = await program(s)
        w.trouble = conflict("não")
        assert (await p.ask("PATCH", "/changed", {"name": "a"}))[0] == 409
        assert await made(s) == 0
        w.trouble = None
        assert (await p.ask("PATCH", "/changed", {"name": "a"}))[0] == 200
        assert await made(s) == 2
        # Whoever comes second to the same is told so, and nothing of it stays.
        with capture_logs() as logged:
            status, problem, _ = await p.ask("POST", "/twice", {"name": "a"})
        assert (status, "ao mesmo tempo" in problem["detail"], await made(s)) == (409, True, 2)
        (line,) = [each for each in logged if each["event"] == "api lost a race"]
        assert " " not in line["constraint"], "its name; PostgreSQL's own words may repeat the row"


async def test_what_was_answered_is_kept_sealed_and_what_no_key_opens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch) as (s, _w):
        p = await program(s)
        first = (await p.post("/made", "w1", "segredo"))[1]
        (kept,) = await s.w.rows("SELECT a::text AS row FROM api_answer a")
        assert b"segredo".hex() not in kept["row"]
        before, s.w.rt.vault = s.w.rt.vault, Vault([new_key()])
        status, problem, _ = await p.post("/made", "w1", "segredo")
        assert (status, "não abre" in problem["detail"]) == (409, True)
        s.w.rt.vault = before
        # An answer that a hub of before kept in clear is good for its day.
        await s.w.rows(
            "UPDATE api_answer SET sealed = NULL, body = %s RETURNING 1",
            json.dumps({**first, "name": "antes"}).encode(),
        )
        assert (await p.post("/made", "w1", "segredo"))[1] == {**first, "name": "antes"}


async def test_a_key_may_ask_so_often_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch, api_per_minute=3) as (s, _w):
        p, other = await program(s), await program(s)
        left = []
        for _ in range(3):
            status, _body, headers = await p.ask("GET", "/made")
            assert (status, headers["RateLimit-Policy"]) == (200, '"key";q=3;w=60')
            left.append(headers["RateLimit"].split(";")[1])
        assert left == ["r=2", "r=1", "r=0"]
        status, problem, headers = await p.ask("GET", "/made")
        assert (status, problem["type"]) == (429, "urn:balcao:problem:too_many_requests")
        assert 0 < int(headers["Retry-After"]) <= 20
        assert (await other.ask("GET", "/made"))[0] == 200, "each key for itself"
        # With Valkey away nobody counts.
        s.w.rt.http.throttle._redis_down_until = float("inf")
        status, _body, headers = await p.ask("GET", "/made")
        assert (status, "RateLimit" in headers) == (200, False)


async def test_lists_are_walked_by_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch) as (s, _w):
        p = await program(s)
        for name in "abcde":
            await p.post("/made", None, name)
        seen, path, pages = [], "/made?limit=2", 0
        while path:
            status, told, headers = await p.ask("GET", path)
            assert status == 200
            seen += [row["name"] for row in told["data"]]
            pages += 1
            path = f"/made?limit=2&cursor={told['next']}" if told["next"] else ""
            assert (f"cursor={told['next']}" in headers["Link"]) if told["next"] else ("Link" not in headers)
        assert (seen, pages) == (list("abcde"), 3)
        (row,) = [each for each in api.OPERATIONS if each.name == "lines"]
        (line,) = await s.w.rows("SELECT id FROM audit_log WHERE action = 'made' ORDER BY id LIMIT 1")
        others = cursor_of(replace(row, name="other"), [line["id"]])
        wrong = [others, "x", "é", "W10", "WyJsaW5lcyIsIDFd", "WyJvdGhlciIsICIwIl0", "W" * 900]
        assert row.place is ById
        for cursor in wrong:
            status, problem, _ = await p.ask("GET", f"/made?cursor={cursor}")
            assert (status, problem["errors"][0]["field"]) == (422, "cursor"), cursor
        for query, field in (("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("q=1", "q"),
                             ("limit=1&limit=2", "limit")):  # fmt: skip
            status, problem, _ = await p.ask("GET", f"/made?{query}")
            assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_what_is_sent_is_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with works(monkeypatch) as (s, _w):
        p = await program(s)
        for raw, status in ((b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b'{"name": "\\ud800"}', 400)):
            assert (await p.ask("POST", "/made", raw=raw, Content_Type="application/json"))[0] == status, raw
        assert (await p.ask("POST", "/made", raw=b'{"name": "a"}', Content_Type="text/plain"))[0] == 415
        assert (await p.ask("POST", "/made", {"name": "a" * 2**21}))[0] == 413
        for body, field, words in (
            ({}, "name", "Falta este campo."),
            ({"name": "a", "colour": 1}, "colour", "Este campo não existe aqui."),
            ({"name": "a", "units": "1"}, "units", "Dê um número inteiro."),
            ({"name": "a", "units": -1}, "units", "O mínimo é 0."),
            ({"name": ""}, "name", "Dê um texto de 1 caracteres ou mais."),
            ({"name": "a\u0000"}, "name", "Este texto não tem a forma pedida: veja o documento."),
            ({"name": 7}, "name", "Dê um texto."),
        ):
            status, problem, _ = await p.ask("POST", "/made", body)
            assert (status, problem["errors"]) == (422, [{"field": field, "sentence": words}])
        status, _none, headers = await p.ask("PUT", "/made", {"name": "a"})
        assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
        assert await made(s) == 0
        assert (await p.ask("GET", "/lies"))[0] == 500, "an answer that the document does not tell is none"
        url = f"{s.base}/api/v1/made"
        async with p.session.head(url, headers={"Authorization": f"Bearer {p.told}"}) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
