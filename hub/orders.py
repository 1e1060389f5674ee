"""Order decisions: what is known after one more telling, and which units an order holds, sends and gets back.

An order is a set of registers, each with the version of the telling that it comes from. Joining two registers
does not depend on which came first, and so channels may tell us twice, late and out of order. What is derived
(status, an implied dispatch, a line left out) has no version and is derived anew at every merge.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from hub.model import (
    Address,
    Buyer,
    Canonical,
    Disposition,
    FulfilledBy,
    Fulfilment,
    Order,
    OrderLine,
    Payment,
    Status,
)
from hub.returns import Fate, Receipt, by_disposition, fates

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Which telling is the later one: the channel's clock (NEVER where it tells none), then our fetch_seq."""

    clock: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Known:
    """An order as known. `versions` by register: "payment", "buyer.email", "lines.REF.sku" ..."""

    order: Order
    versions: Mapping[str, Version] = field(default_factory=dict)


_Kept: TypeAlias = dict[str, Version]
R = TypeVar("R", bound=Canonical)

# Fields joined in their own way; all others are told by any value but null.
_OWN_WAY = frozenset(
    {"ref", "changed_at", "fulfilment", "raw_status", "lines", "buyer", "ship_to", "shipments", "returns",
     "invoices", "clocks"}
)  # fmt: skip
_SCALARS = tuple(name for name in Order.model_fields if name not in _OWN_WAY)
_NULL_IS_TOLD = frozenset({"hold", "cancelled_at"})  # absence tells a released hold, a reopened order
_LINE_LATEST = (
    "listing_ref", "variation_ref", "sku", "title", "quantity", "cancelled_quantity", "total_cents",
    "fulfilled_by",
)  # fmt: skip
_LINE_MOST = ("dispatched_quantity", "returned_quantity")  # goods that moved do not unmove
_FULFILMENT_RANK = {stage: rank for rank, stage in enumerate(Fulfilment)}
_GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED})


@dataclass(frozen=True, slots=True)
class _Telling:
    """One told document with the version of each part that it tells."""

    order: Order
    parts: Mapping[str, Version]
    owner: Mapping[str, str]

    def version(self, name: str) -> Version | None:
        """Version of a field's part; null when this document does not tell that part."""
        return self.parts.get(self.owner.get(name, "order"))


def _telling(told: Order, seq: int, parts: Mapping[str, frozenset[str]]) -> _Telling:
    clocks = told.clocks or {"order": told.changed_at}  # one document need not name its only part
    versions = {part: Version(clock or NEVER, seq) for part, clock in clocks.items()}
    return _Telling(told, versions, {name: part for part, names in parts.items() for name in names})


def merge(known: Known | None, told: Order, seq: int, parts: Mapping[str, frozenset[str]]) -> Known:
    """What is known after `told`, fetched as number `seq`: the same whatever the order of the tellings.

    `parts` says which fields each part beside "order" owns. A ref other than the known one is a ValueError.
    """
    before = known or Known(Order(ref=told.ref))
    if before.order.ref != told.ref:
        raise ValueError(f"order {told.ref} told for order {before.order.ref}")
    now = _telling(told, seq, parts)
    kept = dict(before.versions)
    values: dict[str, Any] = _scalars(now, kept)
    values["fulfilment"] = _furthest(before.order, now)
    values["raw_status"] = _raw_status(before.order, now, kept)
    values["buyer"] = _buyer(before.order, now, kept)
    values["ship_to"] = _ship_to(before.order, now, kept)
    for name, key in _ROWS.items():
        values[name] = _listed(name, key, before.order, now, kept)
    values["changed_at"] = max(_told_times(before.order, told), default=None)
    values["clocks"] = {}
    after = before.order.model_copy(update=values)
    return Known(after.model_copy(update={"lines": _lines(before.order, after, now, kept)}), kept)


def changed(before: Known | None, after: Known) -> frozenset[str]:
    """Names of the canonical fields, `status` among them, that differ; from nothing: all that are told.

    None of them is not "nothing to store": the versions may have moved on. For that compare the two Known.
    """
    old = before.order if before else Order(ref=after.order.ref)
    names = {name for name in Order.model_fields if getattr(old, name) != getattr(after.order, name)}
    if before is None or old.status != after.order.status:
        names.add("status")
    return frozenset(names)


def is_tied(before: Known, told: Order, after: Known) -> bool:
    """Whether `told` made `after` of it at an instant of the channel's clock at which other things were told too."""
    instants = {clock or NEVER for clock in (told.clocks or {"order": told.changed_at}).values()}
    return any(version.clock in instants for version in before.versions.values()) and bool(changed(before, after))


def _told_times(known: Order, told: Order) -> Iterable[datetime]:
    times = (known.changed_at, told.changed_at, *told.clocks.values())
    return (at for at in times if at is not None)


# ── Joining registers ───────────────────────────────────────────────────────────────────────────────────────


def _wins(path: str, version: Version | None, kept: _Kept) -> bool:
    """Whether a told register is the later one; if so its version is kept."""
    if version is None or (path in kept and version <= kept[path]):
        return False
    kept[path] = version
    return True


def _scalars(now: _Telling, kept: _Kept) -> dict[str, Any]:
    values = {}
    for name in _SCALARS:
        told = getattr(now.order, name)
        is_told = told is not None or name in _NULL_IS_TOLD
        if is_told and _wins(name, now.version(name), kept):
            values[name] = told
    return values


def _furthest(known: Order, now: _Telling) -> Fulfilment | None:
    told = now.order.fulfilment
    if told is None or now.version("fulfilment") is None:
        return known.fulfilment
    return max(known.fulfilment or told, told, key=_FULFILMENT_RANK.__getitem__)


def _raw_status(known: Order, now: _Telling, kept: _Kept) -> dict[str, Any]:
    """Union of the channel's words: one named like a part moves with that part, the others with the order."""
    values = dict(known.raw_status)
    for word, told in now.order.raw_status.items():
        version = now.parts.get(word) or now.version("raw_status") or max(now.parts.values())
        if told is not None and _wins(f"raw_status.{word}", version, kept):
            values[word] = told
    return values


def _buyer(known: Order, now: _Telling, kept: _Kept) -> Buyer | None:
    version = now.version("buyer")
    if now.order.buyer is None or version is None:
        return known.buyer
    return _filled("buyer", known.buyer, now.order.buyer, version, kept)


def _filled(path: str, known: R | None, told: R, version: Version, kept: _Kept) -> R:
    """A row joined sub-field by sub-field: what is masked or absent in the later telling stays as it was."""
    values = {}
    for name in type(told).model_fields:
        value = getattr(told, name)
        if value is not None and value != () and _wins(f"{path}.{name}", version, kept):
            values[name] = value
    return (known or told).model_copy(update=values)


# Lists that are told whole: the newest list says which rows there are.
_ROWS: dict[str, Callable[[Any], Hashable]] = {
    "shipments": lambda shipment: shipment.ref,
    "returns": lambda back: back.ref,
    "invoices": lambda invoice: invoice.key or f"{invoice.series}/{invoice.number}",
}


def _listed(name: str, key: Callable[[Any], Hashable], known: Order, now: _Telling, kept: _Kept) -> Any:
    rows = _rows(
        name,
        {key(row): row for row in getattr(known, name)},
        {key(row): row for row in getattr(now.order, name)},
        now.version(name),
        kept,
        path_of=lambda row_key: f"{name}.{row_key}",
    )
    return tuple(rows.values())


def _ship_to(known: Order, now: _Telling, kept: _Kept) -> Address | None:
    """The address, where street, number and postal code are one thing: a complement does not move house.

    One without street or postal code is masked, and not told at all.
    """
    old, new = _by_place(known.ship_to), _by_place(now.order.ship_to)
    rows = _rows("ship_to", old, new, now.version("ship_to"), kept, path_of=lambda _place: "ship_to")
    return next(iter(rows.values()), None)


def _by_place(address: Address | None) -> dict[Hashable, Address]:
    if address is None or address.street is None or address.postal_code is None:
        return {}
    return {(address.street, address.number, address.postal_code): address}


def _rows(
    name: str,
    known: Mapping[Any, R],
    told: Mapping[Any, R],
    version: Version | None,
    kept: _Kept,
    *,
    path_of: Callable[[Any], str],
) -> Mapping[Any, R]:
    """The newest told list, its rows filled with what older lists told of them.

    A row forgets what was told of it before a list that left it out (`.since`); otherwise the outcome would
    depend on which of the lists came first.
    """
    newest = kept.get(name)
    if version is None or not told:
        return known
    if newest is not None and version < newest:
        return {key: _older(path_of(key), row, told.get(key), version, kept) for key, row in known.items()}
    for key in known.keys() - told.keys():
        _forget(path_of(key), known[key], None, kept)
    if newest is not None:
        kept.update({f"{path_of(key)}.since": newest for key in told.keys() - known.keys()})
    kept[name] = version
    return {key: _filled(path_of(key), known.get(key), row, version, kept) for key, row in told.items()}


def _older(path: str, known: R, told: R | None, version: Version, kept: _Kept) -> R:
    """A row after a list older than the newest, which tells it or leaves it out."""
    since = kept.get(f"{path}.since")
    if since is not None and version <= since:
        return known
    if told is not None:
        return _filled(path, known, told, version, kept)
    forgotten = _forget(path, known, version, kept)
    kept[f"{path}.since"] = version
    return known.model_copy(update=forgotten)


def _forget(path: str, row: Canonical, before: Version | None, kept: _Kept) -> dict[str, Any]:
    """Drops a row's registers older than `before` (null: all of them) and answers the values to empty."""
    emptied = {}
    for name, declared in type(row).model_fields.items():
        version = kept.get(f"{path}.{name}")
        if version is not None and (before is None or version < before):
            del kept[f"{path}.{name}"]
            emptied[name] = declared.default
    if before is None:
        kept.pop(f"{path}.since", None)
    return emptied


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(known: Order, after: Order, now: _Telling, kept: _Kept) -> tuple[OrderLine, ...]:
    """The newest told lines in their order, then those that it left out: they stay, cancelled.

    A line that was once told may have moved goods; forgetting it would forget them.
    """
    version = now.version("lines")
    told = {line.ref: line for line in now.order.lines} if version else {}
    lines = {line.ref: line for line in known.lines}
    if version and told:
        implied = _implied_dispatch(now)
        for ref, line in told.items():
            lines[ref] = _line(lines.get(ref), line, implied.get(ref, 0), version, kept)
        if "lines" not in kept or version >= kept["lines"]:
            kept["lines"] = version
            lines = {ref: lines[ref] for ref in (*told, *(lines.keys() - told.keys()))}
    listed = {ref for ref in lines if kept[f"lines.{ref}.quantity"] == kept["lines"]}
    order = [ref for ref in lines if ref in listed] + sorted(lines.keys() - listed)
    silent = not any(f"lines.{ref}.dispatched_quantity" in kept for ref in lines)
    gone = silent and after.fulfilment in _GONE
    return tuple(_derived(lines[ref], after, kept, listed=ref in listed, gone=gone) for ref in order)


def _implied_dispatch(now: _Telling) -> dict[str, int]:
    """Units by line that left, when this document says that the order left and not how many of each line."""
    told = now.order
    if now.version("fulfilment") is None or told.fulfilment not in _GONE:
        return {}
    if any(line.dispatched_quantity for line in told.lines):
        return {}
    return {line.ref: _left(told, line) for line in told.lines}


def _left(order: Order, line: OrderLine) -> int:
    """Units of a line that an order on its way took along: cancelling it afterwards brings none back."""
    return line.quantity if order.cancelled else max(0, line.quantity - line.cancelled_quantity)


def _line(known: OrderLine | None, told: OrderLine, implied: int, version: Version, kept: _Kept) -> OrderLine:
    path = f"lines.{told.ref}"
    values: dict[str, Any] = {}
    for name in _LINE_LATEST:
        value = getattr(told, name)
        if value is not None and _wins(f"{path}.{name}", version, kept):
            values[name] = value
    moved = (told.dispatched_quantity or implied, told.returned_quantity)
    for name, units in zip(_LINE_MOST, moved, strict=True):
        register = f"{path}.{name}"
        most = getattr(known, name) if known else 0
        if units and (register not in kept or (units, version) > (most, kept[register])):
            kept[register] = version
            values[name] = units
    return (known or told).model_copy(update=values)


def _derived(line: OrderLine, order: Order, kept: _Kept, *, listed: bool, gone: bool) -> OrderLine:
    """A line with what follows from the rest of the order; a quantity without a version is derived anew."""
    path = f"lines.{line.ref}"
    told_by = f"{path}.fulfilled_by" in kept
    dispatched = line.dispatched_quantity if f"{path}.dispatched_quantity" in kept else 0
    if gone and listed:
        dispatched = _left(order, line)
    values = {
        "dispatched_quantity": dispatched,
        "cancelled_quantity": line.cancelled_quantity if listed else max(0, line.quantity - dispatched),
        "fulfilled_by": line.fulfilled_by if told_by else _one_keeper(order),
    }
    return line.model_copy(update=values)


def _one_keeper(order: Order) -> FulfilledBy | None:
    return None if order.fulfilled_by is FulfilledBy.MIXED else order.fulfilled_by


# ── What an order does to stock ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class LineEffect:
    """What one line should have done to stock by now, in listing units: targets to reach, not steps to take.

    `dispatched` and `fates` (what became of returned units, and where) are cumulative.
    """

    line_ref: str
    listing_ref: str | None
    variation_ref: str | None
    sku: str | None
    reserve: int
    dispatched: int
    fates: Mapping[Fate, int]

    @property
    def returned(self) -> Mapping[Disposition | None, int]:
        """Returned units by disposition."""
        return by_disposition(self.fates)


def holds_stock(order: Order, hold_from: Status) -> bool:
    """Whether units that have not left are kept for this order. `hold_from` is PLACED or PAID, the setting.

    A hold keeps them too: goods under fraud review are not for sale.
    """
    if order.cancelled or order.status is Status.DELIVERED:
        return False
    moved = order.status is Status.DISPATCHED or any(line.dispatched_quantity for line in order.lines)
    if order.payment in (Payment.REFUNDED, Payment.VOIDED) and not moved:
        return False
    return order.status is not Status.PLACED or hold_from is Status.PLACED


def needs_fulfilled_by(order: Order) -> bool:
    """Whether it is unknown whose shelf a line leaves from: fetch what tells it before touching stock."""
    return any(keeper(order, line) is None for line in order.lines)


def effects(order: Order, *, hold_from: Status, receipts: Sequence[Receipt] = ()) -> tuple[LineEffect, ...]:
    """Each line's effect on the seller's own stock; lines that the marketplace fulfils have none.

    `receipts`: what somebody here decided about returned units; it goes before what the channel tells.

    A line of unknown fulfilment counts as the seller's: see `needs_fulfilled_by`.
    """
    holds = holds_stock(order, hold_from)
    return tuple(
        LineEffect(
            line_ref=line.ref,
            listing_ref=line.listing_ref,
            variation_ref=line.variation_ref,
            sku=line.sku,
            reserve=_open_units(line) if holds else 0,
            dispatched=line.dispatched_quantity,
            fates=fates(order, line, receipts),
        )
        for line in order.lines
        if keeper(order, line) is not FulfilledBy.MARKETPLACE
    )


def stock_ref(order: Order, channel: str) -> tuple[str, str]:
    """Whose stock effect this is, as (channel, ref): the order's, or of the order that it relays."""
    return (order.origin.channel, order.origin.ref) if order.origin else (channel, order.ref)


def keeper(order: Order, line: OrderLine) -> FulfilledBy | None:
    """Whose shelf a line leaves from; null while it is not told."""
    return _one_keeper(order) if line.fulfilled_by in (None, FulfilledBy.MIXED) else line.fulfilled_by


def _open_units(line: OrderLine) -> int:
    return max(0, line.quantity - line.cancelled_quantity - line.dispatched_quantity)
