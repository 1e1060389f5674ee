"""Legacy SOAP answers (buscaEventos, buscaEventosLista) turned into the words of CWS. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from hub.faults import Unreadable
from hub.model import Raw

_ANSWERS = frozenset({"buscaEventosResponse", "buscaEventosListaResponse", "sroxml"})


def from_xml(answer: str) -> Raw:
    """A legacy answer as a CWS answer. A DTD is refused, so that no entity can grow or fetch."""
    page = answer.strip().lstrip("\ufeff")
    if re.search(r"<(!doctype\s+)?html", page, re.IGNORECASE):
        raise Unreadable("document", "an HTML page, not a tracking answer")
    if not page.startswith("<"):
        raise Unreadable("document", "neither JSON nor XML")
    if re.search(r"<!(DOCTYPE|ENTITY)", page, re.IGNORECASE):
        raise Unreadable("document", "XML with a DTD is refused")
    try:
        root = ET.fromstring(page)  # noqa: S314 - no DTD came this far
    except (ET.ParseError, ValueError) as problem:
        raise Unreadable("document", f"not XML: {problem}"[:120]) from None
    names = [_local(element) for element in root.iter()]
    if not _ANSWERS & set(names):
        service = next((name for name in names if name.endswith(("Response", "Fault"))), names[0])
        raise Unreadable("document", f"XML of another service, not tracking: {service}"[:120])
    return {"objetos": [_object(element) for element in root.iter() if _local(element) == "objeto"]}


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _told(element: ET.Element) -> dict[str, str]:
    return {_local(child): (child.text or "").strip() for child in element}


def _object(element: ET.Element) -> dict[str, Any]:
    told = _told(element)
    events = [_event(_told(child)) for child in element if _local(child) == "evento"]
    return {"codObjeto": told.get("numero"), "mensagem": told.get("erro"), "eventos": events}


def _event(told: Mapping[str, str]) -> dict[str, Any]:
    day = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", told.get("data", ""))
    return {
        "codigo": told.get("tipo"),  # tipo and status are CWS's codigo and tipo
        "tipo": told.get("status"),
        "dtHrCriado": f"{day[3]}-{day[2]}-{day[1]}T{told.get('hora', '')}" if day else told.get("data"),
        "descricao": told.get("descricao"),
        "unidade": {
            "tipo": told.get("local"),
            "endereco": {"cidade": told.get("cidade"), "uf": told.get("uf")},
        },
    }
