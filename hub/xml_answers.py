"""XML answers as documents that a Wire reads by name. Pure."""

import re
from collections.abc import Collection
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from hub.faults import Unreadable

_HTML = re.compile(r"<(!doctype\s+)?html", re.IGNORECASE)
_DTD = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def document(answer: str, lists: Collection[str] = ()) -> dict[str, Any]:
    """An XML text as nested objects by local name; a repeated element is a list, one named in `lists` always is.

    Text stays text, an empty element is null; an attribute is `@name`, text beside attributes or elements `#text`.
    Unreadable for what is not XML: a page of HTML, or a DTD, which could grow or fetch entities.
    """
    page = answer.strip().lstrip("\ufeff")
    if _HTML.match(page):
        raise Unreadable("document", "an HTML page")
    if not page.startswith("<"):
        raise Unreadable("document", "not XML")
    if _DTD.search(page):
        raise Unreadable("document", "XML with a DTD is refused")
    page = re.sub(r"^<\?xml[^>]*\?>", "", page)  # it is text by now, whatever encoding it says
    try:
        told: dict[str, Any] = xmltodict.parse(page, postprocessor=_local, force_list=_one_of(lists))
    except (ExpatError, ValueError) as problem:
        raise Unreadable("document", f"not XML: {problem}"[:120]) from None
    return told


def soap_body(answer: str, lists: Collection[str] = ()) -> dict[str, Any]:
    """What a SOAP envelope carries; Unreadable where the text is none."""
    envelope = document(answer, lists).get("Envelope")
    if not isinstance(envelope, dict) or "Body" not in envelope:
        raise Unreadable("document", "not a SOAP envelope")
    body = envelope["Body"]
    return body if isinstance(body, dict) else {}


def _local(_path: Any, key: str, value: Any) -> Any:
    if key.startswith("@xmlns"):
        return None
    mark, name = ("@", key[1:]) if key.startswith("@") else ("", key)
    return mark + name.rpartition(":")[2], value


def _one_of(names: Collection[str]) -> Any:
    return lambda _path, key, _value: key.rpartition(":")[2] in names
