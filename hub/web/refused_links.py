"""Why a listing was not linked, in the reader's language: what pages say at once, and what alerts kept."""

import re
from collections.abc import Mapping
from typing import Any

from hub.web.i18n import N_, Language

LINK = {
    "slot_shared": N_(
        "O anúncio %(one)s divide o estoque com o anúncio %(two)s, que vende %(units)s × %(sku)s: vincule os dois ao "
        "mesmo SKU, com o mesmo multiplicador."
    ),
    "told_twice": N_(
        "%(account)s é a fonte do estoque e já conta %(sku)s pelo anúncio %(two)s: a fonte conta cada SKU num só lugar."
    ),
    "told_twice_here": N_(
        "%(account)s é a fonte do estoque, e dois anúncios daqui seriam %(sku)s: a fonte conta cada SKU num só lugar."
    ),
    "no_listing": N_("O anúncio %(one)s não existe mais."),
    "sku_case": N_("Já há um SKU %(two)s, que só difere de %(sku)s em maiúsculas: use-o como ele é."),
    "sku_there_link": N_("O SKU %(sku)s já existe: vincule o anúncio a ele."),
}
# Alerts from before these were kept by kind have only the English sentence: its kind, and what it names.
_SAID = {
    "slot_shared": re.compile(
        r"listing (?P<one>.+) shares its stock with listing (?P<two>.+), which .+ linked to (?P<units>[0-9]+) x "
        r"(?P<sku>.+): link both to the same"
    ),
    "told_twice": re.compile(
        r"(?P<account>.+) is the source of stock and tells (?P<sku>.+) by listing (?P<two>.+) already: .+"
    ),
    "told_twice_here": re.compile(r"(?P<account>.+) is the source of stock and tells (?P<sku>.+) by .+ already: .+"),
    "no_listing": re.compile(r"there is no listing (?P<one>.+)"),
}


def of_alert(language: Language, params: Mapping[str, Any]) -> str:
    """Why an alert's listing was not linked, in the reader's language; without words of its own, as it was kept."""
    why, named = params.get("why"), params.get("told")
    if why in LINK and isinstance(named, Mapping):
        return language.gettext(LINK[str(why)], **named)
    said = str(params.get("detail") or "")
    for kind, pattern in _SAID.items():
        if found := pattern.fullmatch(said):
            return language.gettext(LINK[kind], **found.groupdict())
    return said or "—"
