"""The OpenAPI 3.1 document of the operations, in the reader's language. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.web.api.operations import BASE, Operation
from hub.web.api.problems import PROBLEMS
from hub.web.api.shapes import Page, Problem
from hub.web.i18n import N_, Language
from hub.web.scopes import SCOPES

VERSION = "1.0.0"
REF = "#/components/schemas/"
TAGS: Mapping[str, str] = {
    "orders": N_("Pedidos"),
    "listings": N_("Anúncios"),
    "accounts": N_("Contas e canais"),
    "stock": N_("Estoque"),
    "shipments": N_("Envios e frete"),
    "alerts": N_("Alertas"),
    "purchases": N_("Compras e reposição"),
    "returns": N_("Devoluções"),
    "sync": N_("Sincronização"),
    "settings": N_("Pessoas e configurações"),
    "events": N_("Eventos"),
}
ABOUT = N_(
    "Tudo o que o Balcão sabe e faz por uma loja. Valores em centavos inteiros ao lado da moeda; instantes em UTC, "
    "terminados em Z; null é o que não se sabe. Cada chave vale para uma loja e para os seus escopos."
)
KEY = N_("Uma chave de Configurações › Chaves da API, ou de balcao apikey add.")
CURSOR = N_("O cursor next da resposta leva à página seguinte; null na última. O cabeçalho Link diz o mesmo.")
ONCE = N_(
    "Uma palavra sua para este pedido: repetido com a mesma em 24 horas, ele não é feito de novo, e a resposta é a "
    "primeira."
)
HEADERS: Mapping[str, tuple[str, str]] = {
    "RateLimit-Policy": ("string", N_("Quantos pedidos (q) por janela (w, em segundos).")),
    "RateLimit": ("string", N_("Quantos restam (r), e em quantos segundos a conta está cheia de novo (t).")),
    "Retry-After": ("integer", N_("Segundos a esperar.")),
    "Allow": ("string", N_("Os métodos que o endereço aceita.")),
    "Link": ("string", N_('A página seguinte (rel="next"), quando há.')),
    "Idempotent-Replayed": ("string", N_("true: esta resposta é a do primeiro pedido com esta chave.")),
    "WWW-Authenticate": ("string", N_("Que chave, ou que escopo, falta.")),
}
_OF_PROBLEM: Mapping[int, Sequence[str]] = {401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"], 405: ["Allow"],
                                            429: ["Retry-After"]}  # fmt: skip


def document(operations: Sequence[Operation], language: Language) -> dict[str, Any]:
    """The whole document."""
    say = language.gettext
    refs, schemas = _schemas(operations)
    told: dict[str, Any] = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Balcão", "version": VERSION, "description": say(ABOUT)},
        "servers": [{"url": BASE}],
        "tags": [{"name": name, "description": say(words)} for name, words in TAGS.items()
                 if any(each.tag == name for each in operations)],
        "security": [{"key": []}],
        "paths": _paths(operations, refs, schemas, language),
        "components": {
            "schemas": schemas,
            "responses": {PROBLEMS[status][0]: _problem(status, language) for status in PROBLEMS},
            "headers": {
                name: {"schema": {"type": kind}, "description": say(words)} for name, (kind, words) in HEADERS.items()
            },
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": say(KEY),
                        "x-scopes": {name: say(words) for name, words in SCOPES.items()}},
            },
        },
    }  # fmt: skip
    return {name: _in_language(value, language) for name, value in told.items()}


Refs = Mapping[tuple[Any, str], str]  # (model, mode) -> name


def _models(operations: Iterable[Operation]) -> list[tuple[type[BaseModel], Any]]:
    found: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for each in operations:
        if each.answer is not None:
            found[_answer(each), "serialization"] = None
        for model in (each.named, each.query, each.body):
            if model is not None:
                found[model, "validation"] = None
    return list(found)


def _answer(operation: Operation) -> type[BaseModel]:
    answer: Any = operation.answer  # mypy takes no variable for a type parameter
    told: type[BaseModel] = Page[answer] if operation.place is not None else answer
    return told


def _schemas(operations: Sequence[Operation]) -> tuple[Refs, dict[str, Any]]:
    """Where each model's schema is, and the schemas; titles and the models' own docstrings left out."""
    refs, made = models_json_schema(_models(operations), ref_template=REF + "{model}")
    schemas: dict[str, Any] = made.get("$defs", {})
    for name, schema in schemas.items():
        schema.pop("description", None)
        for each in (schema, *schema.get("properties", {}).values()):
            each.pop("title", None)
        schema["title"] = name
    return {key: ref["$ref"].removeprefix(REF) for key, ref in refs.items()}, schemas


def _paths(
    operations: Sequence[Operation], refs: Refs, schemas: dict[str, Any], language: Language
) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    inline = set()
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, refs, schemas, language)
        inline |= {refs[model, "validation"] for model in (each.named, each.query)}
    for name in inline:  # their fields stand as parameters
        schemas.pop(name, None)
    return paths


def _operation(each: Operation, refs: Refs, schemas: Mapping[str, Any], language: Language) -> dict[str, Any]:
    say = language.gettext
    words = [say(each.description)] if each.description else []
    if each.place is not None:
        words.append(say(CURSOR))
    told: dict[str, Any] = {
        "operationId": each.name,
        "tags": [each.tag],
        "summary": say(each.summary),
        "description": "\n\n".join(words),
        "parameters": [
            *_parameters("path", schemas[refs[each.named, "validation"]]),
            *_parameters("query", schemas[refs[each.query, "validation"]]),
        ],
        "security": [{"key": [each.scope]}],
        "responses": {str(each.status): _response(each, refs, language), **_refusals(each)},
    }
    if each.once:
        schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        told["parameters"].append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema, "description": say(ONCE)}
        )
    if each.body is not None:
        schema = {"$ref": REF + refs[each.body, "validation"]}
        content = {"application/json": {"schema": schema, "example": each.example}}
        told["requestBody"] = {"required": True, "content": content}
    return {name: value for name, value in told.items() if value}


def _parameters(where: str, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "in": where,
            "required": where == "path" or name in needed,
            "schema": _not_null({key: value for key, value in about.items() if key != "description"}),
            **({"description": about["description"]} if "description" in about else {}),
        }
        for name, about in schema.get("properties", {}).items()
    ]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not options:
        return schema
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def _response(each: Operation, refs: Refs, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = {"description": language.gettext(each.summary)}
    headers = ["RateLimit-Policy", "RateLimit"]
    if each.answer is not None:
        schema = {"$ref": REF + refs[_answer(each), "serialization"]}
        told["content"] = {"application/json": {"schema": schema}}
    headers += ["Link"] if each.place is not None else []
    headers += ["Idempotent-Replayed"] if each.once else []
    return {**told, "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}}


def refusals(each: Operation) -> list[int]:
    """The problems that an operation may answer with."""
    found = {401, 403, 429, 500, 503}
    if each.named.model_fields:
        found |= {404}
    if each.query.model_fields or each.once:
        found |= {422}
    if each.body is not None:
        found |= {400, 413, 415, 422}
    if each.method != "GET" or each.conflicts:  # who writes may lose a race, or come too late
        found |= {409}
    return sorted(found | {422})  # a parameter that is not declared is refused everywhere


def _refusals(each: Operation) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"} for status in refusals(each)}


def _problem(status: int, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": language.gettext(PROBLEMS[status][1]),
        "content": {"application/problem+json": {"schema": {"$ref": f"{REF}Problem"}}},
    }
    if headers := _OF_PROBLEM.get(status):
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return told


def _in_language(told: Any, language: Language) -> Any:
    """Every description of a schema, said in this language."""
    match told:
        case dict():
            return {
                name: language.gettext(value) if name == "description" and isinstance(value, str) and value
                else _in_language(value, language)
                for name, value in told.items()
            }  # fmt: skip
        case list():
            return [_in_language(value, language) for value in told]
        case _:
            return told


def curl(each: Operation, base: str) -> str:
    """How to try an operation from a terminal."""
    path = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), each.path)
    lines = [f"curl -s {'' if each.method == 'GET' else f'-X {each.method} '}{base}{BASE}{path}"]
    lines.append('  -H "Authorization: Bearer $BALCAO_KEY"')
    if each.once:
        lines.append('  -H "Idempotency-Key: $(uuidgen)"')
    if each.body is not None:
        written = json.dumps(each.example, ensure_ascii=False)
        lines += ['  -H "Content-Type: application/json"', f"  -d '{written}'"]
    return " \\\n".join(lines)
