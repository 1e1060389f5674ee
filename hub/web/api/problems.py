"""What the API refuses, and in which words: problem+json (RFC 9457), with a sentence and, for input, its fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from hub.web.i18n import N_, Language

# status -> (name, title, sentence)
PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", N_("Pedido ilegível"), N_("O corpo não é um objeto JSON em UTF-8.")),
    401: (
        "unauthorized",
        N_("Chave ausente ou sem efeito"),
        N_("Envie Authorization: Bearer CHAVE com uma chave em vigor (balcao apikey add)."),
    ),
    403: ("insufficient_scope", N_("Escopo insuficiente"), N_("A chave não tem o escopo %(scope)s.")),
    404: ("not_found", N_("Não encontrado"), N_("Não há nada neste endereço.")),
    405: (
        "method_not_allowed",
        N_("Método não aceito"),
        N_("Este endereço não aceita este método: aceita %(allowed)s."),
    ),
    409: ("conflict", N_("Não cabe agora"), N_("O estado atual não permite isto.")),
    413: ("too_large", N_("Grande demais"), N_("O que foi enviado passa do tamanho que aceitamos.")),
    415: ("unsupported_media_type", N_("Tipo não aceito"), N_("Envie o corpo como application/json.")),
    422: ("invalid", N_("Entrada recusada"), N_("Veja em errors o que mudar, campo por campo.")),
    429: ("too_many_requests", N_("Pedidos demais"), N_("Espere %(seconds)s s antes do próximo pedido.")),
    500: ("internal", N_("Algo falhou aqui"), N_("A falha foi anotada no registro do servidor.")),
    503: ("unavailable", N_("Banco de dados fora do ar"), N_("Tente de novo em instantes.")),
}

# pydantic's kind of error -> sentence; its context fills the placeholders
SENTENCES: Mapping[str, str] = {
    "missing": N_("Falta este campo."),
    "extra_forbidden": N_("Este campo não existe aqui."),
    "int_type": N_("Dê um número inteiro."),
    "int_parsing": N_("Dê um número inteiro."),
    "int_from_float": N_("Dê um número inteiro."),
    "bool_type": N_("Dê true ou false."),
    "bool_parsing": N_("Dê true ou false."),
    "string_type": N_("Dê um texto."),
    "string_too_short": N_("Dê um texto de %(min_length)s caracteres ou mais."),
    "string_too_long": N_("Dê um texto de até %(max_length)s caracteres."),
    "string_pattern_mismatch": N_("Este texto não tem a forma pedida: veja o documento."),
    "string_unicode": N_("Dê um texto Unicode válido."),
    "greater_than_equal": N_("O mínimo é %(ge)s."),
    "greater_than": N_("Dê mais que %(gt)s."),
    "less_than_equal": N_("O máximo é %(le)s."),
    "less_than": N_("Dê menos que %(lt)s."),
    "uuid_type": N_("Dê um id (UUID)."),
    "uuid_parsing": N_("Dê um id (UUID)."),
    "literal_error": N_("Dê um destes: %(expected)s."),
    "enum": N_("Dê um destes: %(expected)s."),
    "list_type": N_("Dê uma lista."),
    "too_short": N_("Dê %(min_length)s ou mais."),
    "too_long": N_("Dê no máximo %(max_length)s."),
    "dict_type": N_("Dê um objeto."),
    "model_type": N_("Dê um objeto."),
    "date_from_datetime_parsing": N_("Dê uma data, como 2026-11-22."),
    "date_parsing": N_("Dê uma data, como 2026-11-22."),
    "date_type": N_("Dê uma data, como 2026-11-22."),
    "datetime_from_date_parsing": N_("Dê um instante com fuso, como 2026-11-22T14:00:00Z."),
    "datetime_parsing": N_("Dê um instante com fuso, como 2026-11-22T14:00:00Z."),
    "datetime_type": N_("Dê um instante com fuso, como 2026-11-22T14:00:00Z."),
    "timezone_aware": N_("Dê um instante com fuso, como 2026-11-22T14:00:00Z."),
    "twice": N_("Este parâmetro foi dado mais de uma vez."),
}
OTHERWISE = N_("Este valor não é aceito: veja o documento.")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that was refused, and why; `field` is a path in the input (lines.0.quantity)."""

    field: str
    sentence: str
    params: Mapping[str, Any]


class Refused(Exception):
    """Stop here with a problem; `sentence` in the place of the status's own, to be filled with `params`."""

    def __init__(
        self,
        status: int,
        sentence: str | None = None,
        params: Mapping[str, object] | None = None,
        wrong: Sequence[Wrong] = (),
    ) -> None:
        super().__init__(status, sentence)
        self.status, self.sentence, self.params, self.wrong = status, sentence, params or {}, wrong


def wrong(field: str, sentence: str, **params: object) -> Refused:
    """A refusal of one field of the input (422)."""
    return Refused(422, wrong=[Wrong(field, sentence, params)])


def refused_input(problem: ValidationError) -> Refused:
    """What pydantic found wrong, field by field, in our sentences; a ValueError of ours says its own."""
    found = [
        Wrong(
            ".".join(map(str, error["loc"])) or "body",
            str(error["ctx"]["error"]) if error["type"] == "value_error" else SENTENCES.get(error["type"], OTHERWISE),
            {name: told for name, told in error.get("ctx", {}).items() if name != "error"},
        )
        for error in problem.errors(include_url=False, include_input=False)
    ]
    return Refused(422, wrong=found)


def told(refused: Refused, path: str, language: Language) -> dict[str, Any]:
    """The problem as its document."""
    name, title, sentence = PROBLEMS[refused.status]
    document: dict[str, Any] = {
        "type": f"urn:balcao:problem:{name}",
        "title": language.gettext(title),
        "status": refused.status,
        "detail": language.gettext(refused.sentence or sentence, **refused.params),
        "instance": path,
    }
    if refused.wrong:
        document["errors"] = [
            {"field": each.field, "sentence": language.gettext(each.sentence, **each.params)} for each in refused.wrong
        ]
    return document
