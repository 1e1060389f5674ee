"""What listings, their links and writes are called on pages and in sheets: tables only."""

from hub.web import settings_words
from hub.web.i18n import N_, Language
from hub.web.words import Chip

HOW = {
    "sku": N_("código igual"),
    "gtin": N_("GTIN igual"),
    "person": N_("por uma pessoa"),
    "file": N_("por planilha"),
}
OUTCOME: dict[str, Chip] = {
    "accepted": ("ok", N_("aceito")),
    "pending": ("busy", N_("em andamento no canal")),
    "stale": ("wait", N_("mudou lá antes: lido de novo")),
    "doubt": ("wait", N_("sem resposta certa")),
    "fault": ("bad", N_("recusado")),
}
OTHER_OUTCOME: Chip = ("bad", N_("não aceito"))
SHEET = {
    "account": N_("Conta"),
    "ref": N_("Código no canal"),
    "variation_ref": N_("Variação"),
    "title": N_("Título"),
    "channel_sku": N_("SKU no canal"),
    "gtin": N_("GTIN"),
    "sku": N_("SKU"),
    "multiplier": N_("Unidades por venda"),
    "status": N_("No canal"),
    "state": N_("Estado"),
    "reason": N_("Por quê"),
    "desired": N_("Desejado"),
    "expected": N_("Publicado"),
    "last_pushed_at": N_("Publicado em"),
    "seen": N_("Visto"),
    "seen_at": N_("Visto em"),
    "price_cents": N_("Preço"),
    "url": N_("Endereço"),
}


def who(language: Language, actor: str | None, name: str | None) -> str:
    """A person by name; else the terminal's user, a program, or the hub itself."""
    if name:
        return name
    kind, _, user = (actor or "").partition(":")
    told = settings_words.ACTOR.get(kind, settings_words.NOBODY)
    return language.gettext(told, name=user) if "%(name)s" in told else language.gettext(told)
