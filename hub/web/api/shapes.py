"""What is told and asked over the API: the bases of its models, and the kinds of values in them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from hub.web.i18n import N_

MOST = 200  # rows of a page
MOST_UNITS = 10_000_000  # what a stock column holds, with room for sums
MOST_CENTS = 10**12
_YEARS = (2000, 2200)


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _sensible(at: datetime) -> datetime:
    if not _YEARS[0] <= at.year < _YEARS[1]:
        raise ValueError(N_("Dê um instante entre os anos 2000 e 2199."))
    return at.astimezone(UTC)


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────

Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]  # told: UTC, ending in Z
AskedInstant = Annotated[AwareDatetime, AfterValidator(_sensible)]
_NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"  # PostgreSQL keeps no NUL; nobody types the others
_LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*)$")]
Words = Annotated[str, StringConstraints(max_length=2000, pattern=_NO_CONTROL)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*)$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Units = Annotated[int, Field(ge=0, le=MOST_UNITS)]
Cents = Annotated[int, Field(ge=0, le=MOST_CENTS)]


class ByName(Protocol):
    """Something of a SKU."""

    @property
    def sku(self) -> str:
        """Its code."""


Lines = TypeVar("Lines", bound=Sequence[ByName])


def once_each(lines: Lines) -> Lines:
    """No SKU is named twice."""
    if len({line.sku for line in lines}) < len(lines):
        raise ValueError(N_("Um SKU vem mais de uma vez."))
    return lines


# ── bases ───────────────────────────────────────────────────────────────────────────────────────────────────


class Told(BaseModel):
    """An answer. Built from rows that may hold more: what is not declared is not told."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True, populate_by_name=True)


class Asked(BaseModel):
    """What stands in a path, a query or a body: what is not declared is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Asked):
    """No parameters."""


class ById(Asked):
    """One row by its id."""

    id: UUID


class ByCode(Asked):
    """One SKU by its code; a slash in it is written %2F."""

    code: Code = Field(description=N_("O código do SKU; uma barra se escreve %2F."))


class Paging(Asked):
    """The parameters of every list."""

    limit: int = Field(default=50, ge=1, le=MOST, description=N_("Quantas linhas, no máximo."))
    cursor: Annotated[str, StringConstraints(max_length=1500, pattern=r"^[A-Za-z0-9_-]+$")] | None = Field(
        default=None, description=N_("O next da página anterior, como veio.")
    )


Row = TypeVar("Row", bound=BaseModel)


class Page(Told, Generic[Row]):
    """One page of a list."""

    data: list[Row]
    next: str | None = Field(description=N_("O cursor da página seguinte; null na última."))


class FieldProblem(Told):
    """One refused field."""

    field: str
    sentence: str


class Problem(Told):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = Field(
        default=[], description=N_("Em entradas recusadas (422): o que mudar, campo por campo.")
    )


Rowlike = Any  # a row of the store: a mapping by column
