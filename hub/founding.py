"""The first user and the first shop of an installation: what was typed, checked. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub import parse
from hub.model import Address, Document, Party

ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,250}")
LONGEST_NAME, LEAST_PASSWORD, LONGEST_PASSWORD, CEP_LENGTH = 120, 8, 1024, 8
ZONES = ("America/Sao_Paulo", "America/Manaus", "America/Rio_Branco", "America/Noronha")
# Tried first by whoever guesses; compared in lower case.
COMMON = frozenset({
    "12345678", "123456789", "1234567890", "87654321", "11111111", "00000000", "password", "password1", "senha123",
    "senha1234", "minhasenha", "mudar123", "brasil123", "qwertyui", "qwerty123", "abcd1234", "1q2w3e4r", "admin123",
    "balcao123",
})  # fmt: skip

# First CEP of each range that Correios gave to a state, in order; the last range ends with the last CEP.
_CEPS = (
    (1_000, "SP"), (20_000, "RJ"), (29_000, "ES"), (30_000, "MG"), (40_000, "BA"), (49_000, "SE"), (50_000, "PE"),
    (57_000, "AL"), (58_000, "PB"), (59_000, "RN"), (60_000, "CE"), (64_000, "PI"), (65_000, "MA"), (66_000, "PA"),
    (68_900, "AP"), (69_000, "AM"), (69_300, "RR"), (69_400, "AM"), (69_900, "AC"), (70_000, "DF"), (72_800, "GO"),
    (73_000, "DF"), (73_700, "GO"), (76_800, "RO"), (77_000, "TO"), (78_000, "MT"), (79_000, "MS"), (80_000, "PR"),
    (88_000, "SC"), (90_000, "RS"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A first user and a first shop, ready to be made. `password` is as typed."""

    name: str
    email: str
    password: str
    locale: str
    shop: str
    document: Document | None
    zone: str
    postal_code: str | None
    state: str | None
    warehouse: str

    @property
    def sender(self) -> Party:
        """Who labels will name as the sender, as far as it is known by now."""
        address = Address(postal_code=self.postal_code, state=self.state, country="BR")
        return Party(name=self.shop, document=self.document.number if self.document else None, address=address)


def state_of(cep: str) -> str | None:
    """The state (UF) of eight digits; None where Correios gave the range to none."""
    first = int(cep[:5])
    return next((state for start, state in reversed(_CEPS) if start <= first), None)


def read(told: Mapping[str, str], locale: str) -> tuple[Wanted | None, dict[str, str]]:
    """What a form told, and what is wrong with it: field -> a word that the page knows a sentence for."""
    field = {name: " ".join(value.split()) for name, value in told.items()}
    password, email = told.get("password", ""), field.get("email", "").lower()
    document = parse.document(field.get("document"))
    cep = parse.bare(field.get("cep"))
    state = state_of(cep) if cep and cep.isdigit() and len(cep) == CEP_LENGTH else None
    zone = field.get("zone", ZONES[0])
    checks = (
        ("name", _name(field.get("name", ""))),
        ("email", None if ADDRESS.fullmatch(email) else "no_email"),
        ("password", _password(password, email, field.get("shop", ""))),
        ("again", None if password == told.get("again", "") else "unequal"),
        ("shop", _name(field.get("shop", ""))),
        ("document", None if document is None or document.valid else f"no_{document.kind}"),
        ("zone", None if zone in ZONES else "no_zone"),
        ("cep", None if cep is None or state else "no_cep"),
        ("warehouse", _name(field.get("warehouse", ""))),
    )
    if problems := {name: problem for name, problem in checks if problem}:
        return None, problems
    return Wanted(
        name=field["name"], email=email, password=password, locale=locale, shop=field["shop"], document=document,
        zone=zone, postal_code=cep, state=state, warehouse=field["warehouse"],
    ), {}  # fmt: skip


def _name(told: str) -> str | None:
    if not told:
        return "missing"
    return "long" if len(told) > LONGEST_NAME or not told.isprintable() else None


def _password(told: str, email: str, shop: str) -> str | None:
    if len(told) < LEAST_PASSWORD:
        return "short"
    if len(told) > LONGEST_PASSWORD:
        return "too_long"
    plain = told.casefold().strip()
    known = {email, email.partition("@")[0], shop.casefold(), *COMMON}
    return "guessable" if plain in known or len(set(plain)) == 1 else None
