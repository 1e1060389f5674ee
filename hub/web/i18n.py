"""Two languages, Portuguese first: catalogs compiled in memory at start, and money, times and numbers in words.

`python -m hub.web.i18n` brings the catalogs up to date with what the pages say.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import dates, numbers, units
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import NullTranslations, Translations

ZONE = ZoneInfo("America/Sao_Paulo")
LOCALES = ("pt_BR", "en")  # the first is the language of the message ids
HERE = Path(__file__).parent
METHODS = [
    ("pages/**.py", "python"),
    ("api/**.py", "python"),
    ("*.py", "python"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "NN_": (1, 2), "ngettext": (1, 2)}
NOTHING = "—"


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own word for "to be translated where it is shown"
    """Mark a sentence of a table for the catalogs."""
    return msgid


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - as N_, of one and of several
    """Mark a sentence that counts for the catalogs: of one, of several."""
    return one, many


def catalog_path(locale: str) -> Path:
    """Where a language's catalog is."""
    return HERE / "locale" / locale / "LC_MESSAGES" / "messages.po"


def catalog(locale: str) -> Catalog:
    """A language's catalog as it is kept."""
    with catalog_path(locale).open("rb") as file:
        return read_po(file, locale=locale)


@cache
def _compiled(locale: str) -> NullTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalog(locale))
    compiled.seek(0)
    return Translations(compiled)


@dataclass(frozen=True, slots=True)
class Language:
    """One reader's language, and the clock of the seller that they look at."""

    locale: str = LOCALES[0]
    zone: ZoneInfo = ZONE
    _words: NullTranslations = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", _compiled(self.locale))

    @property
    def tag(self) -> str:
        """As HTML and `hub.stock` name it: pt-BR or en."""
        return self.locale.replace("_", "-")

    def gettext(self, msgid: str, **params: object) -> str:
        """The sentence in this language, its %(names)s filled in."""
        told = self._words.gettext(msgid)
        return told % params if params else told

    def ngettext(self, one: str, many: str, count: float, /, **params: object) -> str:
        """The sentence of one where `count` is 1, else that of several, none too; its %(names)s filled in."""
        return self._words.ngettext(one, many, 1 if count == 1 else 2) % params

    def money(self, cents: int | None, currency: str = "BRL") -> str:
        """R$ 1.234,56; a dash for what is not told."""
        if cents is None:
            return NOTHING
        return numbers.format_currency(Decimal(cents) / 100, currency, locale=self.locale)

    def number(self, value: float | None) -> str:
        """1.234."""
        return NOTHING if value is None else numbers.format_decimal(value, locale=self.locale)

    def day(self, at: datetime | None) -> str:
        """12/03/2026."""
        return NOTHING if at is None else dates.format_date(at.astimezone(self.zone), "short", locale=self.locale)

    def date(self, day: date | None) -> str:
        """12/03/2026, of a day that has no instant."""
        return NOTHING if day is None else dates.format_date(day, "short", locale=self.locale)

    def time(self, at: datetime | None) -> str:
        """14:03:09."""
        return NOTHING if at is None else f"{at.astimezone(self.zone):%H:%M:%S}"

    def moment(self, at: datetime | None) -> str:
        """12 de mar., 14:03; with its year where that is another one."""
        if at is None:
            return NOTHING
        local = at.astimezone(self.zone)
        same_year = local.year == datetime.now(self.zone).year
        patterns = {
            "pt_BR": "d 'de' MMM, HH:mm" if same_year else "d 'de' MMM 'de' y, HH:mm",
            "en": "MMM d, HH:mm" if same_year else "MMM d, y, HH:mm",
        }
        return dates.format_datetime(local, patterns[self.locale], locale=self.locale)

    def ago(self, at: datetime | None, now: datetime | None = None) -> str:
        """há 3 minutos."""
        if at is None:
            return NOTHING
        distance = at - (now or datetime.now(UTC))
        if abs(distance) < timedelta(seconds=2):
            return self.gettext("agora")
        return dates.format_timedelta(distance, add_direction=True, threshold=1.5, format="long", locale=self.locale)

    def duration(self, minutes: int) -> str:
        """4 h, 90 min, 2 dias: in the largest unit that leaves nothing over."""
        unit, each = next((name, n) for name, n in (("day", 1440), ("hour", 60), ("minute", 1)) if minutes % n == 0)
        if unit == "hour":  # CLDR's short hours say "1 horas" in Portuguese
            return f"{self.number(minutes // each)} h"
        return units.format_unit(minutes // each, f"duration-{unit}", length="short", locale=self.locale)

    def milliseconds(self, ms: float | None) -> str:
        """840 ms, 2,4 s, 3 min."""
        if ms is None:
            return NOTHING
        if ms < 1000:  # noqa: PLR2004 - a second
            return f"{ms:.0f} ms"
        if ms < 120_000:  # noqa: PLR2004 - two minutes
            return f"{numbers.format_decimal(round(ms / 1000, 1), locale=self.locale)} s"
        return f"{numbers.format_decimal(round(ms / 60_000), locale=self.locale)} min"


def clock(zone: str | None) -> ZoneInfo:
    """The clock of that name; São Paulo's for none, and for one that this machine does not know."""
    try:
        return ZoneInfo(zone) if zone else ZONE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZONE


def preferred(accept: str) -> str:
    """The locale for an Accept-Language header: Portuguese unless another one of ours is asked for first."""
    for part in accept.split(","):
        tag = part.split(";")[0].strip().lower()
        for locale in LOCALES:
            if tag.split("-")[0] == locale.split("_")[0].lower():
                return locale
    return LOCALES[0]


def known(locale: str | None) -> str:
    """The locale itself where it is one of ours, else the first."""
    return locale if locale in LOCALES else LOCALES[0]


# ── keeping the catalogs ────────────────────────────────────────────────────────────────────────────────────


def said() -> Iterator[str | tuple[str, str]]:
    """Every message id in pages, tables and templates; a pair where it counts."""
    for _file, _line, message, _comments, _context in extract_from_dir(
        HERE, method_map=METHODS, options_map={"**": {"silent": "false"}}, keywords=KEYWORDS
    ):
        yield message if isinstance(message, str) else (message[0], message[1])


def is_whole(message: Message) -> bool:
    """Whether a message is translated, both of its forms where it has two."""
    return bool(message.string) and (isinstance(message.string, str) or all(message.string or ()))


def update() -> dict[str, list[str]]:
    """Add what is new to every catalog, drop what is gone. Answers what lacks a translation, by locale."""
    wanted = sorted(set(said()), key=lambda msgid: msgid if isinstance(msgid, tuple) else (msgid, ""))
    lacking: dict[str, list[str]] = {}
    for locale in LOCALES:
        path = catalog_path(locale)
        old = {m.id: m.string for m in catalog(locale) if m.id} if path.exists() else {}
        always = datetime(2026, 1, 1, tzinfo=UTC)  # the same catalog gives the same file
        new = Catalog(locale=locale, project="balcao", charset="utf-8", fuzzy=False, creation_date=always)
        for msgid in wanted:
            own = msgid if locale == LOCALES[0] else "" if isinstance(msgid, str) else ("", "")
            new.add(msgid, old.get(msgid) or own)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, new, omit_header=False, width=0, no_location=True)
        lacking[locale] = [str(m.id) for m in new if m.id and not is_whole(m)]
    return lacking


if __name__ == "__main__":
    for locale_, msgids in update().items():
        for msgid_ in msgids:
            sys.stdout.write(f"{locale_}: {msgid_}\n")
