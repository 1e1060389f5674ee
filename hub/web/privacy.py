"""What of a buyer is shown to whom: who works orders sees it whole, others what tells one from another. Pure."""

from collections.abc import Mapping
from typing import Any

HIDDEN = "*"


def document_for(told: Mapping[str, Any], *, whole: bool) -> str | None:
    """The buyer's CPF or CNPJ as people write it; not `whole`: only what does not tell who it is."""
    document = ((told.get("buyer") or {}).get("document")) or {}
    number = str(document.get("number") or "")
    if not number:
        return None
    if not whole:
        number = HIDDEN * (len(number) - 5) + number[-5:-2] + HIDDEN * 2 if len(number) > 5 else HIDDEN * len(number)  # noqa: PLR2004 - three digits in sight
    if document.get("kind") == "cpf" and len(number) == 11:  # noqa: PLR2004 - the length of a CPF
        return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
    if document.get("kind") == "cnpj" and len(number) == 14:  # noqa: PLR2004 - the length of a CNPJ
        return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"
    return number


def buyer_for(told: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """name, email, phone, document and address; not `whole`: name, masked document, city and state."""
    buyer, to = told.get("buyer") or {}, told.get("ship_to") or {}
    shown = {"name": buyer.get("name"), "document": document_for(told, whole=whole), "email": None, "phone": None}
    if whole:
        return {**shown, "email": buyer.get("email"), "phone": buyer.get("phone"), "to": to}
    return {**shown, "to": {name: to.get(name) for name in ("city", "state") if to.get(name)}}
