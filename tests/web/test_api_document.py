"""The document: valid OpenAPI 3.1 in both languages, generated from the code, and readable as a page."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.web import api
from hub.web.api import openapi
from hub.web.i18n import LOCALES, Language
from hub.web.scopes import SCOPES
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
