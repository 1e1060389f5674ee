"""The document: valid OpenAPI 3.1 in both languages, generated from the code, and readable as a page."""

import json
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, get_origin

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.web import api
from hub.web.api import openapi, operations
from hub.web.i18n import LOCALES, Language
from hub.web.scopes import SCOPES
from jobs import connect
from tests.web.site import site


def told(locale: str = LOCALES[0]) -> dict[str, Any]:
    return openapi.document(api.OPERATIONS, Language(locale))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_document_is_openapi_3_1(locale: str) -> None:
    problems = [str(each) for each in OpenAPIV31SpecValidator(told(locale)).iter_errors()]
    assert problems == []


def test_schemas_have_names_of_their_own() -> None:
    """Two models of one name would stand there under their modules' paths, or as -Input and -Output."""
    schemas = told()["components"]["schemas"]
    assert [name for name in schemas if "__" in name or "-" in name] == []


def test_operations_have_names_tags_and_scopes_of_ours() -> None:
    names = [each.name for each in api.OPERATIONS]
    assert len(set(names)) == len(names)
    for each in api.OPERATIONS:
        assert each.scope in SCOPES, each.name
        assert each.tag in openapi.TAGS, each.name
        assert each.scope.endswith(":read") == (each.method == "GET"), each.name
        if each.method == "POST" and each.status == 201:
            assert each.once, f"{each.name} makes something: it takes an Idempotency-Key"


# Lists that are told whole, and why they stay short; each of the others has a cursor.
SHORT = {
    "list_accounts": "one for each store that a shop ever connected: who connects it again opens the same one",
    "list_channels": "the adapters of the installation",
    "list_event_endpoints": "jobs.events.MOST",
    "list_order_notes": "hub.store.order_desk.MOST_NOTES of one order",
    "list_order_documents": "of one order: its parts, and at most 200 notices",
    "get_order_timeline": "of one order: at most 200 notices and movements, 500 scans",
    "list_notice_ways": "hub.notices.MOST_WAYS a person",
    "list_people": "who works for one shop",
    "list_invitations": "one for each address that is out",
    "list_buyer_messages": "events by languages",
    "list_playbooks": "the kinds of alerts",
    "list_absences": "at most 200, those not over for more than 30 days",
}


def test_a_list_has_a_cursor_or_a_bound_that_is_written_down() -> None:
    whole = {
        each.name for each in api.OPERATIONS
        if each.place is None and each.answer is not None and "data" in each.answer.model_fields
        and get_origin(each.answer.model_fields["data"].annotation) is list
    }  # fmt: skip
    assert whole == set(SHORT), "give it a cursor, or say here and in docs/API.md why it stays short"


# Reads that a flow's refusal may stop: always of what is not there (api/refusals.GONE), or looked up before.
NOT_THERE = {
    "get_allocation", "get_manifest_file", "get_playbook", "get_stock", "get_upload",
}  # fmt: skip


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _ours(thing: Any) -> bool:
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    return str(name).startswith(("hub.", "jobs."))


def _may_conflict(handler: Callable[..., Any]) -> bool:
    """Whether code that a handler reaches by name, through functions of ours, names a refusal that is told as 409."""
    waiting: list[Any] = [handler]
    seen = set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        names = set(_names(function.__code__))
        things = [function.__globals__.get(name) for name in names]
        for module in [each for each in things if isinstance(each, ModuleType) and _ours(each)]:
            things += [getattr(module, name, None) for name in names]
        for each in [getattr(each, "__wrapped__", each) for each in things]:
            if each is operations.conflict or (isinstance(each, type) and issubclass(each, connect.Refused)):
                return True
            if isinstance(each, FunctionType) and _ours(each):
                waiting.append(each)
    return False


def test_whatever_may_be_answered_409_says_so() -> None:
    """Who writes may lose a race or come too late, whatever it writes; of reads those whose code can refuse."""
    for each in api.OPERATIONS:
        may = each.method != "GET" or (_may_conflict(each.handler) and each.name not in NOT_THERE)
        assert (409 in openapi.refusals(each)) == may, each.name
    reaching = {each.name for each in api.OPERATIONS if each.method == "GET" and _may_conflict(each.handler)}
    assert reaching >= NOT_THERE


async def test_the_document_is_served_without_a_key_and_read_as_a_page() -> None:
    async with site() as s:
        served = await s.reader().get("/api/v1/openapi.json", headers={"Accept-Language": "en"})
        assert (served.status, served.headers["Content-Language"]) == (200, "en")
        assert json.loads(served.text) == told("en")
        for locale, word in (("pt_BR", "Para começar"), ("en", "To begin")):
            page = await s.reader().get(f"/api/docs?idioma={locale}")
            assert page.status == 200
            assert word in page.text
            for each in api.OPERATIONS:
                assert f'id="{each.name}"' in page.text
            assert "Authorization: Bearer" in page.text
