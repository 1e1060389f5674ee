"""Every operation over one full shop: who may not, gets nothing; whatever is sent, the answer is as the document says.

BALCAO_API_EXAMPLES: how many requests of each kind are made up for each operation.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from hub.buffers import BufferKind
from hub.model import Shipment, TrackingStatus
from hub.store import new_id, shipments
from hub.store.buffers import Rule
from hub.web import api
from hub.web.api import openapi
from hub.web.api.operations import Operation
from hub.web.i18n import Language
from hub.web.scopes import SCOPES
from jobs import buffers
from tests.web import desk
from tests.web.site import Site, site
from tests.web.test_api import key
from tests.web.test_api_resources import sold

EXAMPLES = int(os.environ.get("BALCAO_API_EXAMPLES", "3"))
# Not positive_data_acceptance: what a schema cannot say (a GTIN's check digit, that a count is of a kit) is refused.
# Not ignored_auth, unsupported_method: the tests below ask every operation.
CHECKS: list[Any] = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance, checks.negative_data_rejection,
]  # fmt: skip
LONGEST_LINE = 8000  # aiohttp itself refuses a longer first line, with a 400 of its own
# What a path's first parameter names in the shop, by the path's first word; each must have rows.
NAMED = {
    "orders": "SELECT id::text FROM orders",
    "listings": "SELECT id::text FROM listing",
    "differences": "SELECT id::text FROM drift",
    "accounts": "SELECT id::text FROM account ORDER BY id",
    "skus": "SELECT code FROM sku",
    "buffers": "SELECT id::text FROM buffer",
    "shipments": "SELECT id::text FROM shipment",
    "shortages": "SELECT id::text FROM shortage_case",
    **desk.NAMED,
}
OWN_NAME = {
    "put_sku": "another seller's code is free: the SKU is made",
    "put_kit": "another seller's code is free: the kit is made",
    "get_playbook": "the kinds of alerts are everybody's",
    "put_playbook": "the kinds of alerts are everybody's",
    "reset_playbook": "the kinds of alerts are everybody's",
}


@dataclass
class Shop:
    """A full shop, keys of it and of a seller who has nothing, and what its paths may name."""

    site: Site
    told: str
    other: str
    names: dict[str, list[str]]

    def path(self, operation: Operation, pick: int = 0) -> str:
        """An operation's path, naming one of what is there."""
        word = operation.path.split("/")[1]
        path = operation.path
        if "{" in path:
            names = self.names[word]
            named = quote(names[pick % len(names)], safe="")
            path = re.sub(r"\{\w+\}", named, path)
        return f"{self.site.base}/api/v1{path}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop() -> AsyncIterator[Shop]:
    async with site(api_per_minute=1_000_000) as s:
        store = await sold(s)
        rule = Rule(scope="sku", scope_ref="CANECA/AZUL", account_id=None, kind=BufferKind.UNITS, value=1)
        await buffers.set_rule(s.w.rt, s.w.seller_id, rule)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            order_id = await tx.value("SELECT id FROM orders LIMIT 1")
            parcel = Shipment(
                ref="hub:AA123456785BR", carrier="Correios", tracking_code="AA123456785BR",
                status=TrackingStatus.IN_TRANSIT,
            )  # fmt: skip
            shipment_id = await shipments.add(tx, store.account.id, order_id, parcel, None, s.w.rt.now())
            await tx.run(
                """INSERT INTO tracking_event (seller_id, shipment_id, carrier, at, raw_code, place, state, status,
                       description)
                   VALUES (%s, %s, 'correios', now(), 'RO/1', 'Curitiba', 'PR', 'in_transit', 'Em trânsito')""",
                [tx.seller, shipment_id],
            )
            await tx.run(
                """INSERT INTO drift (seller_id, id, account_id, slot_id, class, direction, state, seen, expected,
                       desired, first_seen_at)
                   SELECT seller_id, %s, account_id, id, 'external_edit', 'up', 'proposed', 9, 7, 7, now()
                   FROM stock_slot LIMIT 1""",
                [new_id()],
            )
        await desk.desk(s, "CANECA/AZUL")
        names = {word: [str(next(iter(row.values()))) for row in await s.w.rows(sql)] for word, sql in NAMED.items()}
        other = await key(s, *SCOPES, seller_id=await s.other_seller())
        yield Shop(s, await key(s, *SCOPES), other, names)


def test_every_path_names_something_of_the_shop(shop: Shop) -> None:
    words = {each.path.split("/")[1] for each in api.OPERATIONS if "{" in each.path}
    assert words == set(NAMED), "say in NAMED what the new path names"
    assert [word for word, names in shop.names.items() if not names] == []


async def test_who_may_not_gets_nothing(shop: Shop) -> None:
    """No key: 401. All scopes but the one: 403. Another seller's rows: 404. Other methods: 405."""
    session = shop.site.reader().session
    keys: dict[str, str] = {}
    for scope in {each.scope for each in api.OPERATIONS}:
        keys[scope] = await key(shop.site, *(each for each in SCOPES if each != scope))
    for each in api.OPERATIONS:
        body: dict[str, Any] = {"json": each.example} if each.body is not None else {}

        async def ask(told: str | None, method: str = each.method, url: str = shop.path(each), **more: Any) -> int:
            headers = {"Authorization": f"Bearer {told}"} if told else {}
            async with session.request(method, url, headers=headers, **more) as answer:
                assert answer.content_type == "application/problem+json", (method, url, await answer.text())
                return answer.status

        assert await ask(None, **body) == 401, each.name
        assert await ask("balcao_" + "x" * 43, **body) == 401, each.name
        assert await ask(keys[each.scope], **body) == 403, each.name
        if "{" in each.path and each.name not in OWN_NAME:
            assert await ask(shop.other, **body) == 404, each.name
        assert await ask(shop.told, "TRACE") == 405, each.name


async def test_a_seller_with_nothing_is_shown_nothing(shop: Shop) -> None:
    session = shop.site.reader().session
    for each in api.OPERATIONS:
        if each.method == "GET" and each.place is not None and "{" not in each.path:
            url = shop.path(each)
            async with session.get(url, headers={"Authorization": f"Bearer {shop.other}"}) as answer:
                rows = json.loads(await answer.text())["data"]
                # Every seller begins with a warehouse of its own.
                own = [row for row in rows if each.name == "list_warehouses" and row["code"] == "principal"]
                assert (answer.status, rows) == (200, own), each.name
            async with session.get(url, headers={"Authorization": f"Bearer {shop.told}"}) as answer:
                assert answer.status == 200, each.name


# ── whatever is sent ────────────────────────────────────────────────────────────────────────────────────────


def _made_up(each: Operation, operation: Any) -> Iterator[tuple[GenerationMode, Any]]:
    yield GenerationMode.POSITIVE, operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if each.body is not None or each.query.model_fields:
        yield GenerationMode.NEGATIVE, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def _ask(shop: Shop, session: requests.Session, each: Operation, mode: GenerationMode, strategy: Any) -> None:
    """Ask one operation EXAMPLES times."""

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy, pick=st.integers(0, 3))
    def ask(case: Any, pick: int) -> None:
        # A made-up id is nobody's: three times of four one that is there.
        if pick and case.path_parameters and mode is GenerationMode.POSITIVE:
            names = shop.names[each.path.split("/")[1]]
            for name in case.path_parameters:
                case.path_parameters[name] = names[pick % len(names)]
        headers = {"Authorization": f"Bearer {shop.told}"}
        answer = case.call(base_url=f"{shop.site.base}/api/v1", session=session, headers=headers)
        if len(answer.request.url) < LONGEST_LINE:
            case.validate_response(answer, checks=CHECKS, headers=headers)

    ask()


def _hammer(shop: Shop) -> list[str]:
    """Ask every operation what its document allows and what it does not; answers what went wrong."""
    schema = schemathesis.openapi.from_dict(openapi.document(api.OPERATIONS, Language()))
    by_name = {each.name: each for each in api.OPERATIONS}
    wrong: list[str] = []
    session = requests.Session()
    every: list[Any] = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(every) == len(api.OPERATIONS)
    # What takes away comes last: an account that is disconnected has no keys, and sells nothing.
    for operation in sorted(every, key=lambda operation: operation.method.upper() == "DELETE"):
        each = by_name[operation.definition.raw["operationId"]]
        for mode, strategy in _made_up(each, operation):
            try:
                _ask(shop, session, each, mode, strategy)
            except (Exception, FailureGroup) as trouble:  # noqa: BLE001 - all operations are asked before the test says what failed
                wrong.append(f"{each.name} ({mode.value}): {trouble}")
    return wrong


@pytest.mark.timeout(600)
async def test_whatever_is_sent_is_answered_as_the_document_says(shop: Shop) -> None:
    wrong = await asyncio.to_thread(_hammer, shop)
    assert not wrong, "\n\n".join(wrong)
