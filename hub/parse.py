"""Wire words into canonical values. Pure; what cannot be read is an Unreadable that names the field's path."""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BaseModel, ValidationError
from stdnum.br import cnpj, cpf

from hub.faults import Unreadable
from hub.model import Address, Document, Raw

BRASILIA = timezone(timedelta(hours=-3))  # no summer time since 2019
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # for rows that may be older
CPF_LENGTH, CNPJ_LENGTH = 11, 14
W = TypeVar("W", bound=BaseModel)
_SECONDS = re.compile(r"[0-9]{10}")
_DAY_FIRST = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})(?: +([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?")
_LARGEST = 15  # power of ten: "1e999999" is a valid Decimal, and neither money nor a quantity

STATES = {
    "acre": "AC", "alagoas": "AL", "amapa": "AP", "amazonas": "AM", "bahia": "BA", "ceara": "CE",
    "distrito federal": "DF", "espirito santo": "ES", "goias": "GO", "maranhao": "MA", "mato grosso": "MT",
    "mato grosso do sul": "MS", "minas gerais": "MG", "para": "PA", "paraiba": "PB", "parana": "PR",
    "pernambuco": "PE", "piaui": "PI", "rio de janeiro": "RJ", "rio grande do norte": "RN",
    "rio grande do sul": "RS", "rondonia": "RO", "roraima": "RR", "santa catarina": "SC", "sao paulo": "SP",
    "sergipe": "SE", "tocantins": "TO",
}  # fmt: skip
_SLOT = re.compile(r"([0-9]{1,20})(?::([0-9]{1,20}))?")
_ACCENTS = str.maketrans("áàâãäéêëíîïóôõöúûüç", "aaaaaeeeiiioooouuuc")


def wire(model: type[W], raw: Raw, path: str = "") -> W:
    """`raw` as a private wire model; the first thing wrong is named by its path."""
    try:
        return model.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join([path, *map(str, first["loc"])] if path else map(str, first["loc"]))
        raise Unreadable(where or "document", first["msg"]) from None


def cents(amount: str | float | Decimal | None, path: str, times: int = 1) -> int | None:
    """Centavos of a decimal amount told as string or number; null and "" are not told.

    Of so many units the product is rounded, never the unit: one may be told as 14.290000000000001.
    """
    if amount is None or amount == "":
        return None
    try:
        exact = Decimal(str(amount)) * times
        if exact.adjusted() <= _LARGEST:
            return int((exact * 100).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise Unreadable(path, f"not an amount of money: {amount!r}"[:120])


def comma_cents(amount: str | None, path: str) -> int | None:
    """Centavos of a Brazilian amount ("1.234,56")."""
    return cents(amount.replace(".", "").replace(",", ".") if amount else None, path)


def quantity(told: str | float | None, path: str) -> int:
    """A whole number of units; a fraction is unreadable."""
    try:
        exact = Decimal(str(told))
    except InvalidOperation:
        raise Unreadable(path, f"not a quantity: {told!r}"[:120]) from None
    if not exact.is_finite() or exact.adjusted() > _LARGEST or exact != exact.to_integral_value():
        raise Unreadable(path, f"not a whole number of units: {told!r}"[:120])
    return int(exact)


def instant(told: str | float | None, path: str, *, zone: timezone | ZoneInfo = UTC) -> datetime | None:
    """An aware UTC time of ISO 8601 (or unix seconds, of ten digits where they are told as text).

    Without an offset it is in `zone`. Empty is not told.
    """
    if told is None or told == "":
        return None
    try:
        if isinstance(told, str) and _SECONDS.fullmatch(told.strip()):
            told = int(told)
        if isinstance(told, str):
            at = datetime.fromisoformat(told)
            at = at if at.tzinfo else at.replace(tzinfo=zone)
            return at.astimezone(UTC)
        return datetime.fromtimestamp(told, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(path, f"not a time: {told!r}"[:120]) from None


class Moment(NamedTuple):
    """A scan's time: in UTC, as it was told, and the zone assumed for it (None: it told an offset)."""

    at: datetime
    raw_at: str
    zone: str | None


def moment(told: str | float | None, path: str, *, zone: ZoneInfo, iso: str | None = None) -> Moment:
    """When a scan was made, with what that rests on; a scan without a time is Unreadable.

    `iso`: the same in ISO 8601, of carriers that write times otherwise ("31/12/2026 09:00").
    """
    words = told if iso is None else iso
    at = instant(words, path, zone=zone)
    if told is None or at is None:
        raise Unreadable(path, "no time")
    dated = datetime.fromisoformat(words) if isinstance(words, str) and not _SECONDS.fullmatch(words.strip()) else at
    return Moment(at, str(told), None if dated.tzinfo else zone.key)


def day_first(told: str) -> str:
    """A Brazilian time ("31/12/2026 09:00", or the day alone) in ISO 8601; what is written otherwise stays as it is."""
    found = _DAY_FIRST.fullmatch(told.strip())
    return f"{found[3]}-{found[2]}-{found[1]}" + (f"T{found[4]}" if found[4] else "") if found else told


def zulu(at: datetime) -> str:
    """ISO 8601 of a time in UTC, in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def text(told: object) -> str | None:
    """A told string without surrounding space; "", None, dashes and masks of asterisks are not told."""
    if told is None or isinstance(told, bool):
        return None
    bare = str(told).strip()
    return None if not bare or set(bare) <= {"*", " ", ".", "-"} or re.search(r"\*{3,}|^X{5,}$", bare) else bare


def ref(told: object) -> str | None:
    """A channel's id as a string; null, "", 0 and "0" are no id."""
    bare = text(told)
    return None if bare == "0" else bare


def slot(told: str) -> tuple[str, str | None]:
    """Product and variation of a slot of a channel that numbers both: "12" or "12:34"."""
    found = _SLOT.fullmatch(told)
    if not found:
        raise Unreadable("slot_ref", f"not product or product:variation: {told!r}"[:120])
    return found[1], found[2]


def bare_ref(told: object) -> str | None:
    """As ref; what is not of letters and digits ("a/b", an object) is no id."""
    found = ref(told) if isinstance(told, str | int) else None
    return found if found and found.isalnum() else None


def bare(told: str | None) -> str | None:
    """Characters of a code without punctuation, upper case."""
    kept = re.sub(r"[^0-9A-Za-z]", "", told or "").upper()
    return kept or None


def document(told: str | None) -> Document | None:
    """A CPF (11 digits) or CNPJ (14 positions, letters allowed since 2026), kept even when its digits are wrong.

    One digit repeated has right check digits and is nobody's: it is typed where a number is asked for and none given.
    """
    number = bare(text(told))
    if number is None:
        return None
    varied = len(set(number)) > 1
    if len(number) == CPF_LENGTH and number.isdigit():
        return Document(kind="cpf", number=number, valid=varied and cpf.is_valid(number))
    if len(number) == CNPJ_LENGTH:
        return Document(kind="cnpj", number=number, valid=varied and cnpj.is_valid(number))
    return Document(kind="cnpj" if len(number) > CPF_LENGTH else "cpf", number=number, valid=False)


def phone(told: str | None, region: str = "BR") -> str | None:
    """E.164; a number that is none is not told."""
    number = text(told)
    if number is None:
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def state(told: str | None) -> str | None:
    """The UF of a state told as "SP", "BR-SP" or by name; other countries' states as told."""
    name = text(told)
    if name is None:
        return None
    code = name.upper().removeprefix("BR-")
    if len(code) == len("SP"):
        return code
    return STATES.get(name.lower().translate(_ACCENTS), name)


def address(**parts: str | None) -> Address | None:
    """An address of its told fields; none unless street, city and postal code are told."""
    code = bare(parts.get("postal_code"))
    if not (parts.get("street") and parts.get("city") and code):
        return None
    country = (parts.get("country") or "").upper() or None
    return Address(**{**parts, "state": state(parts.get("state")), "postal_code": code, "country": country})


def joined(*parts: str | None) -> str | None:
    """Told parts joined with one space."""
    return " ".join(" ".join(part.split()) for part in parts if part and part.strip()) or None


def total(amounts: Iterable[int | None]) -> int | None:
    """Sum of told amounts; null when none is told."""
    told = [amount for amount in amounts if amount is not None]
    return sum(told) if told else None


MARKETPLACES = {  # how storefronts and integrators write them, without case, spaces and accents: assumed
    "mercadolivre": "mercadolivre", "meli": "mercadolivre", "mercadolibre": "mercadolivre",
    "shopee": "shopee", "amazon": "amazon", "amazonbr": "amazon", "magalu": "magalu", "magazineluiza": "magalu",
    "tiktok": "tiktok", "tiktokshop": "tiktok",
}  # fmt: skip


def marketplace(told: str) -> str | None:
    """The hub's channel of a marketplace's name as others write it."""
    return MARKETPLACES.get(re.sub(r"[^a-z]", "", told.lower().translate(_ACCENTS)))


def canonical_bytes(raw: Raw) -> bytes:
    """One byte string per JSON value: sorted keys, no spaces."""
    try:
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, as an escape tells it, is kept as it was told
        return json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()


def digest(raw: Raw) -> str:
    """A short fingerprint of a document, for dedupe keys."""
    body = raw if isinstance(raw, bytes) else canonical_bytes(raw)
    return hashlib.blake2b(body, digest_size=12).hexdigest()
