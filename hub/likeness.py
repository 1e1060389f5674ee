"""Which SKUs a listing is like, how much and why: suggestions for a person, never links. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log1p
from typing import TypeAlias
from uuid import UUID

from hub.linking import GTIN_LENGTHS, bare, fold, gtin, multiplier

Param: TypeAlias = int | str


_STOP = frozenset(
    [
        "a",
        "o",
        "as",
        "os",
        "um",
        "uma",
        "de",
        "da",
        "do",
        "das",
        "dos",
        "e",
        "em",
        "no",
        "na",
        "nos",
        "nas",
        "para",
        "por",
        "com",
        "sem",
        "c",
        "p",
        "ao",
        "the",
        "of",
        "and",
        "for",
        "with",
        "original",
        "novo",
        "nova",
        "frete",
        "gratis",
        "promocao",
        "oferta",
        "envio",
        "imediato",
        "kit",
        "un",
        "und",
        "unid",
        "unidade",
        "unidades",
        "pc",
        "pcs",
        "peca",
        "pecas",
        "cx",
        "pct",
    ]
)
_SIZES = frozenset(["pp", "p", "m", "g", "gg", "xg", "xgg", "xs", "s", "l", "xl", "xxl", "rn"])
_COLOURS = {
    word: name
    for name, words in {
        "preto": "preto preta black", "branco": "branco branca white", "azul": "azul blue",
        "vermelho": "vermelho vermelha red", "verde": "verde green", "amarelo": "amarelo amarela yellow",
        "rosa": "rosa pink", "cinza": "cinza grafite gray grey", "marrom": "marrom brown", "bege": "bege nude",
        "roxo": "roxo roxa lilas purple", "laranja": "laranja orange", "dourado": "dourado dourada gold",
        "prata": "prata prateado prateada silver", "transparente": "transparente incolor",
    }.items()
    for word in words.split()
}  # fmt: skip
_MEASURES = {
    "ml": "ml", "l": "l", "lt": "l", "litro": "l", "litros": "l", "g": "g", "gr": "g", "kg": "kg", "mg": "mg",
    "cm": "cm", "mm": "mm", "m": "m", "mt": "m", "mts": "m", "metro": "m", "metros": "m", "v": "v", "volts": "v",
    "w": "w", "watts": "w", "mah": "mah", "gb": "gb", "tb": "tb", "pol": "pol", "polegadas": "pol",
}  # fmt: skip
_THOUSANDS = {"l": ("ml", 1000), "kg": ("g", 1000), "m": ("cm", 100)}
_MEASURED = re.compile(rf"(\d+(?:[.,]\d+)?)\s*({'|'.join(sorted(_MEASURES, key=len, reverse=True))})\b")
_SPLIT = re.compile(r"[\s/|,;()]+")
_TOKEN = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Features:
    """What can be compared of a title."""

    tokens: frozenset[str]
    measures: frozenset[tuple[str, str]]  # (unit, number): ("ml", "500")
    colours: frozenset[str]
    sizes: frozenset[str]


def features(title: str | None) -> Features:
    """The words, measures, colours and sizes of a title; "0,5 L" is 500 ml."""
    text = bare(title or "")
    measures = set()
    for number, unit in _MEASURED.findall(text):
        name = _MEASURES[unit]
        value = float(number.replace(",", "."))
        if name in _THOUSANDS:
            name, times = _THOUSANDS[name]
            value *= times
        measures.add((name, f"{value:g}"))
    rest = _TOKEN.findall(_MEASURED.sub(" ", text))
    colours = frozenset(_COLOURS[word] for word in rest if word in _COLOURS)
    sizes = frozenset(word for word in rest if word in _SIZES)
    words = {_COLOURS.get(word, word) for word in rest if word not in _STOP and (len(word) > 1 or word.isdigit())}
    return Features(
        tokens=frozenset(words | {f"{number}{unit}" for unit, number in measures}), measures=frozenset(measures),
        colours=colours, sizes=sizes,
    )  # fmt: skip


def gtin_is_near(one: str | None, other: str | None) -> bool:
    """Whether two numbers differ by one digit, or by two neighbours that changed places."""
    a, b = (re.sub(r"\D", "", told or "").zfill(14) for told in (one, other))
    if len(a) != len(b) or not a.strip("0") or not b.strip("0"):
        return False
    odd = [place for place in range(len(a)) if a[place] != b[place]]
    if len(odd) == 1:
        return True
    swapped = len(odd) == 2 and odd[1] == odd[0] + 1  # noqa: PLR2004 - two neighbours
    return swapped and a[odd[0]] == b[odd[1]] and a[odd[1]] == b[odd[0]]


SENTENCES: dict[str, dict[str, str]] = {
    "pt-BR": {
        "code": "mesmo código, escrito de outro jeito ({code})",
        "code_in_title": "o código {code} está no título",
        "gtin_shared": "mesmo GTIN, que está em mais de um SKU",
        "gtin_near": "GTIN quase igual ({gtin})",
        "title": "títulos parecidos em {percent}%: {words}",
        "measures": "mesma medida: {words}",
        "measures_differ": "medida diferente: {words}",
        "attributes": "mesma cor ou tamanho: {words}",
        "attributes_differ": "cor ou tamanho diferente: {words}",
        "pack": 'o título diz "{words}": seriam {units} unidades por venda',
    },
    "en": {
        "code": "same code, written another way ({code})",
        "code_in_title": "the code {code} stands in the title",
        "gtin_shared": "same GTIN, which is on more than one SKU",
        "gtin_near": "almost the same GTIN ({gtin})",
        "title": "titles alike by {percent}%: {words}",
        "measures": "same measure: {words}",
        "measures_differ": "other measure: {words}",
        "attributes": "same colour or size: {words}",
        "attributes_differ": "other colour or size: {words}",
        "pack": 'the title says "{words}": that would be {units} units a sale',
    },
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a SKU is suggested, or not more strongly: `points` of 100."""

    kind: str
    points: int
    params: Mapping[str, Param] = field(default_factory=dict)

    def explain(self, locale: str = "pt-BR") -> str:
        """A few words in "pt-BR" or "en"."""
        return SENTENCES[locale][self.kind].format(**self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A SKU as it is compared."""

    id: UUID
    code: str
    title: str
    gtin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A SKU that a listing may be; never linked before a person says so. `multiplier` is a hint of its own."""

    sku_id: UUID
    code: str
    score: int
    reasons: tuple[Reason, ...]
    multiplier: int = 1

    def explain(self, locale: str = "pt-BR") -> str:
        """The reasons in one line."""
        return "; ".join(reason.explain(locale) for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class _Told:
    """A listing as it is compared: its features, its folded code ("" for none), words that may be codes, its GTIN."""

    features: Features
    code: str
    codes: frozenset[str]
    gtin: str | None


def _told(title: str | None, code: str | None, told_gtin: str | None) -> _Told:
    words = {fold(part) for part in _SPLIT.split(title or "")}
    codes = frozenset(word for word in words if any(char.isdigit() for char in word))
    return _Told(features(title), fold(code), codes, told_gtin)


LEAST_SCORE, MOST_SCORE = 30, 99
COMMON = 400  # a word that more SKUs have tells nothing by itself
RARE_WORDS = 8  # of a title, the rarest are looked up
SCORED = 12  # candidates that are compared in full


class Index:
    """The seller's SKUs, to be found by words, codes and numbers; made once for many listings.

    A listing is compared with the SKUs that share its rarest words, never with all: the work per listing does not
    grow with the catalogue.
    """

    def __init__(self, skus: Iterable[Known]) -> None:
        self._skus = list(skus)
        self._features = [features(sku.title) for sku in self._skus]
        self._codes = [fold(sku.code) for sku in self._skus]
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_code: dict[str, list[int]] = defaultdict(list)
        self._by_gtin: dict[str, list[int]] = defaultdict(list)
        for n, sku in enumerate(self._skus):
            for word in self._features[n].tokens:
                self._by_word[word].append(n)
            self._by_code[self._codes[n]].append(n)
            for part in _gtin_keys(sku.gtin):
                self._by_gtin[part].append(n)
        self._rarest = log1p(len(self._skus))
        self._weights = {word: log1p(len(self._skus) / len(having)) for word, having in self._by_word.items()}

    def suggest(
        self, title: str | None, code: str | None = None, told_gtin: str | None = None, most: int = 3
    ) -> list[Suggestion]:
        """The likeliest SKUs of a listing, best first."""
        told = _told(title, code, told_gtin)
        found = []
        for n in self._candidates(told):
            reasons = tuple(self._reasons(n, told))
            score = min(MOST_SCORE, sum(reason.points for reason in reasons))
            if score >= LEAST_SCORE:
                found.append(self._suggestion(n, title, score, reasons))
        return sorted(found, key=lambda one: (-one.score, one.code))[:most]

    def _suggestion(self, n: int, title: str | None, score: int, reasons: tuple[Reason, ...]) -> Suggestion:
        sku = self._skus[n]
        units, words = multiplier(title, sku.title)
        if words is not None:
            reasons = (*reasons, Reason("pack", 0, {"words": words, "units": units}))
        return Suggestion(sku_id=sku.id, code=sku.code, score=score, reasons=reasons, multiplier=units)

    def _weight(self, word: str) -> float:
        return self._weights.get(word, self._rarest)

    def _candidates(self, told: _Told) -> list[int]:
        sure: list[int] = []
        for part in _gtin_keys(told.gtin):
            sure += self._by_gtin.get(part, [])[:COMMON]
        for code in sorted({told.code} | told.codes):
            sure += self._by_code.get(code, []) if code else []
        likely: dict[int, float] = defaultdict(float)
        tokens = told.features.tokens
        words = sorted((w for w in tokens if w in self._by_word), key=lambda w: (len(self._by_word[w]), w))
        for word in words[:RARE_WORDS]:
            having = self._by_word[word]
            if len(having) > COMMON and likely:
                break
            weight = self._weight(word)
            for n in having[:COMMON]:
                likely[n] += weight
        best = sorted(likely, key=lambda n: (-likely[n], n))[:SCORED]
        return list(dict.fromkeys([*sure, *best]))

    def _reasons(self, n: int, told: _Told) -> Iterable[Reason]:
        sku, own = self._skus[n], self._codes[n]
        if own and own == told.code:
            yield Reason("code", 60, {"code": sku.code})
        elif own in told.codes:
            yield Reason("code_in_title", 40, {"code": sku.code})
        if told.gtin and sku.gtin:
            if gtin(told.gtin) is not None and gtin(told.gtin) == gtin(sku.gtin):
                yield Reason("gtin_shared", 50)
            elif gtin_is_near(told.gtin, sku.gtin):
                yield Reason("gtin_near", 30, {"gtin": sku.gtin})
        yield from self._title(told.features, self._features[n])

    def _title(self, told: Features, has: Features) -> Iterable[Reason]:
        both, either = told.tokens & has.tokens, told.tokens | has.tokens
        if both:
            share = sum(map(self._weight, both)) / sum(map(self._weight, either))
            words = ", ".join(sorted(both, key=lambda word: (-self._weight(word), word))[:6])
            yield Reason("title", round(70 * share), {"percent": round(100 * share), "words": words})
        units = {unit for unit, _n in told.measures} & {unit for unit, _n in has.measures}
        same = told.measures & has.measures
        if same:
            yield Reason("measures", 8, {"words": _measures(same)})
        elif units:
            yield Reason("measures_differ", -25, {"words": _measures(told.measures ^ has.measures)})
        for mine, theirs in ((told.colours, has.colours), (told.sizes, has.sizes)):
            if mine & theirs:
                yield Reason("attributes", 5, {"words": ", ".join(sorted(mine & theirs))})
            elif mine and theirs:
                yield Reason("attributes_differ", -20, {"words": ", ".join(sorted(mine | theirs))})


def _measures(told: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted(f"{number} {unit}" for unit, number in told))


def _gtin_keys(told: str | None) -> list[str]:
    """Halves of a number: one wrong digit leaves one of them as it was."""
    digits = re.sub(r"\D", "", told or "")
    if len(digits) not in GTIN_LENGTHS:
        return []
    full = digits.zfill(14)
    return [f"<{full[:7]}", f">{full[7:]}"]
