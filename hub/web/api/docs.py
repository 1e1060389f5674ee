"""The API's document for programs, and the same as a page for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from hub.web import i18n
from hub.web.api import openapi, problems
from hub.web.api.edge import HEADERS, written
from hub.web.api.operations import Operation
from hub.web.edge import Visit
from hub.web.i18n import N_, Language

DEEPEST = 4  # levels of fields that the page unfolds
TYPES = {
    "string": N_("texto"), "integer": N_("inteiro"), "number": N_("número"), "boolean": N_("sim ou não"),
    "null": N_("null"), "object": N_("objeto"), "array": N_("lista"),
}  # fmt: skip
FORMATS = {"uuid": N_("id"), "date-time": N_("instante"), "date": N_("data")}


@dataclass(slots=True)
class Documents:
    """The document in each language, made when it is first asked for."""

    operations: Sequence[Operation]
    _made: dict[str, dict[str, Any]] = field(default_factory=dict)
    _bytes: dict[str, bytes] = field(default_factory=dict)

    def of(self, language: Language) -> dict[str, Any]:
        """As a tree."""
        if language.locale not in self._made:
            self._made[language.locale] = openapi.document(self.operations, language)
        return self._made[language.locale]

    def written(self, language: Language) -> bytes:
        """As JSON."""
        if language.locale not in self._bytes:
            self._bytes[language.locale] = written(self.of(language))
        return self._bytes[language.locale]


DOCUMENTS: web.AppKey[Documents] = web.AppKey("api_documents", Documents)


async def document(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json, for everybody."""
    language = Language(i18n.preferred(request.headers.get("Accept-Language", "")))
    headers = {
        **HEADERS, "Content-Type": "application/json; charset=utf-8", "Content-Language": language.tag,
        "Vary": "Accept-Language", "Access-Control-Allow-Origin": "*",
    }  # fmt: skip
    return web.Response(body=request.app[DOCUMENTS].written(language), headers=headers)


async def show(visit: Visit) -> web.Response:
    """The reader's page of it."""
    documents = visit.request.app[DOCUMENTS]
    told = documents.of(visit.language)
    base = str(visit.rt.policy.public_url or visit.request.url.origin()).rstrip("/")
    groups = [
        (tag["name"], tag["description"], [_page(each, told, base, visit.language) for each in documents.operations
                                           if each.tag == tag["name"]])
        for tag in told["tags"]
    ]  # fmt: skip
    return visit.render("api_docs.html", told=told, groups=groups, base=base)


def _page(each: Operation, told: Mapping[str, Any], base: str, language: Language) -> dict[str, Any]:
    """One operation as the template shows it."""
    about = told["paths"][each.path][each.method.lower()]
    body = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answer = about["responses"][str(each.status)].get("content", {}).get("application/json", {}).get("schema")
    parameters = [
        {**one, "kind": kind_of(one["schema"], told, language), "limits": _limits(one["schema"])}
        for one in about.get("parameters", ())
    ]
    return {
        "of": each,
        "about": about,
        "parameters": parameters,
        "body": list(fields(body, told, language)) if body else [],
        "answer": list(fields(answer, told, language)) if answer else [],
        "refusals": [
            (status, problems.PROBLEMS[status][0], language.gettext(problems.PROBLEMS[status][1]))
            for status in openapi.refusals(each)
        ],
        "curl": openapi.curl(each, base),
        "status_words": HTTPStatus(each.status).phrase,
    }


def _resolved(schema: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = told["components"]["schemas"][schema["$ref"].removeprefix(openapi.REF)]
    return schema


def kind_of(schema: Mapping[str, Any], told: Mapping[str, Any], language: Language) -> str:
    """What a value is, in a few words."""
    schema = _resolved(schema, told)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(kind_of(each, told, language) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        of = kind_of(schema.get("items", {}), told, language)
        return f"{language.gettext(TYPES['array'])} · {of}"
    words = FORMATS.get(schema.get("format", "")) or TYPES.get(schema.get("type", ""), "")
    return language.gettext(words) if words else ""


def _limits(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    shown = f"{least}-{most}" if least is not None and most is not None else ""
    return f"{shown}, = {schema['default']}" if shown and schema.get("default") is not None else shown


def fields(
    schema: Mapping[str, Any], told: Mapping[str, Any], language: Language, depth: int = 0
) -> Iterator[dict[str, Any]]:
    """The fields of an object and of what stands in it, each with its depth."""
    schema = _inside(schema, told)
    if depth >= DEEPEST:
        return
    needed = schema.get("required", ())
    for name, about in schema.get("properties", {}).items():
        yield {
            "depth": depth, "name": name, "kind": kind_of(about, told, language), "needed": name in needed,
            "words": about.get("description", ""),
        }  # fmt: skip
        yield from fields(about, told, language, depth + 1)


def _inside(schema: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that a value is, may be, or is a list of."""
    schema = _resolved(schema, told)
    if "anyOf" in schema:
        objects = (_inside(each, told) for each in schema["anyOf"])
        return next((each for each in objects if "properties" in each), schema)
    return _inside(schema["items"], told) if schema.get("type") == "array" and "items" in schema else schema
