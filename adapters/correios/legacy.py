"""Legacy SOAP answers (buscaEventos, buscaEventosLista) turned into the words of CWS. Pure."""

import re
from typing import Any

from hub.calls import within
from hub.faults import Unreadable
from hub.model import Raw
from hub.wire import Wire
from hub.xml_answers import document

_ANSWERS = frozenset({"buscaEventosResponse", "buscaEventosListaResponse", "sroxml"})


def from_xml(answer: str) -> Raw:
    """A legacy answer as a CWS answer; those of other services are refused."""
    told = document(answer, {"objeto", "evento"})
    body = within(told, "Envelope", "Body") or told
    name = next((key for key in body if not key.startswith("@")), "") if isinstance(body, dict) else ""
    if name not in _ANSWERS:
        raise Unreadable("document", f"XML of another service, not tracking: {name}"[:120])
    rows = Wire(body[name], name)
    return {"objetos": [_object(row) for row in (rows.part("return") or rows).rows("objeto")]}


def _object(told: Wire) -> dict[str, Any]:
    events = [_event(row) for row in told.rows("evento")]
    return {"codObjeto": told.text("numero"), "mensagem": told.text("erro"), "eventos": events}


def _event(told: Wire) -> dict[str, Any]:
    words = told.text("data")
    day = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", words or "")
    return {
        "codigo": told.text("tipo"),  # tipo and status are CWS's codigo and tipo
        "tipo": told.text("status"),
        "dtHrCriado": f"{day[3]}-{day[2]}-{day[1]}T{told.text('hora')}" if day else words,
        "descricao": told.text("descricao"),
        "detalhe": told.text("detalhe"),
        "unidade": {
            "tipo": told.text("local"),
            "endereco": {"cidade": told.text("cidade"), "uf": told.text("uf")},
        },
    }
