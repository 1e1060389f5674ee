"""A new channel's files: `python -m adapters.scaffold --name acme --kind marketplace --facets orders,listings,stock`.

What it writes says what is missing: the contract suite runs on it at once, and each of its failures names the file
to write and what to return.
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hub.contract import FACETS, Kind

HERE = Path(__file__).parent
WIDTH = 120
PAYLOADS = {
    "webhook": "notice",
    "orders": "order",
    "listings": "listing",
    "stock": "stock_response",
    "tracking": "tracking",
    "freight": "quote",
}
NEEDS = {"stock": ("listings", "what a write addresses comes out of listings")}


class Piece(NamedTuple):
    """One function that a channel must write: `async` ones take an Api and live in the client."""

    module: str
    signature: str
    doc: str


# facet: (its class in hub.contract, {field: function}, the functions in the order of their files)
PIECES: dict[str, tuple[str, Mapping[str, str], Sequence[Piece]]] = {
    "webhook": (
        "WebhookSource",
        {"signed": '""', "verify": "webhook.verify", "read": "webhook.read", "deadline_ms": "0"},
        (
            Piece(
                "webhook",
                "verify(secret: str, knock: Knock) -> None",
                "BadSignature unless the vendor signed this knock under `secret`; hub.signing has the schemes.",
            ),
            Piece(
                "webhook",
                "read(knock: Knock) -> list[Notice]",
                "What a knock says happened; a topic never seen is Topic.UNKNOWN with the body as `raw`.",
            ),
        ),
    ),
    "orders": (
        "OrderSource",
        {"fetch": "client.fetch_order", "since": "client.orders_since", "parse": "mapping.order"},
        (
            Piece(
                "mapping",
                "order(raw: Raw) -> Order",
                'The order of one document; `clocks` names the parts it tells: {"order": changed_at}.',
            ),
            Piece("client", "fetch_order(api: Api, ref: str) -> Raw", "The document of one order, as it came."),
            Piece(
                "client",
                "orders_since(api: Api, cursor: str | None) -> Page",
                "One page of orders that changed since `cursor` (None: the last 7 days); none may be lost.",
            ),
        ),
    ),
    "listings": (
        "ListingSource",
        {"pages": "client.listing_pages", "fetch": "client.fetch_listing", "parse": "mapping.listings"},
        (
            Piece(
                "mapping",
                "listings(raw: Raw) -> list[Listing]",
                "One listing per sellable variation; `slot_ref` is what a stock write addresses.",
            ),
            Piece(
                "client",
                "listing_pages(api: Api, cursor: str | None) -> Page",
                "One page of all listings, from the first when `cursor` is None.",
            ),
            Piece("client", "fetch_listing(api: Api, ref: str) -> Raw", "The document of one listing, by Listing.ref."),
        ),
    ),
    "stock": (
        "StockSink",
        {
            "render": "mapping.stock_requests",
            "read": "mapping.stock_outcomes",
            "look": "client.look",
            "asked": "mapping.asked",
        },
        (
            Piece(
                "mapping",
                "stock_requests(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]",
                "Requests of at most `batch` absolute numbers each, with the writes that each one covers.",
            ),
            Piece(
                "mapping",
                "stock_outcomes(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]",
                "One outcome per write, in order; a row refused inside a 200 is a fault of its own.",
            ),
            Piece(
                "mapping",
                "asked(request: Request) -> list[StockWrite]",
                "The writes of a rendered request, read back from it: how recorded answers are tested.",
            ),
            Piece(
                "client",
                "look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]",
                "What the slots show now, in the order asked; None for one that is gone.",
            ),
        ),
    ),
    "shipments": (
        "ShipmentSink",
        {"render": "mapping.shipment_requests"},
        (
            Piece(
                "mapping",
                "shipment_requests(news: ShipmentNews, target: str) -> list[Request]",
                "The requests that tell it; none where the channel moves that status by itself.",
            ),
        ),
    ),
    "tracking": (
        "TrackingSource",
        {"fetch": "client.fetch_tracking", "parse": "mapping.tracked", "batch": "1"},
        (
            Piece(
                "mapping",
                "tracked(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]",
                "One object per code asked, in that order; every object of the document when none is asked.",
            ),
            Piece(
                "client",
                "fetch_tracking(api: Api, codes: Sequence[str]) -> Raw",
                "The carrier's answer about up to `batch` codes, as it came.",
            ),
        ),
    ),
    "freight": (
        "FreightSource",
        {
            "quote": "client.quote",
            "read_quotes": "mapping.quotes",
            "buy": "mapping.posting_request",
            "read_purchase": "mapping.purchase",
            "ask_label": "client.ask_label",
            "label": "client.label",
            "cancel": "mapping.cancellation",
        },
        (
            Piece(
                "mapping",
                "quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]",
                "One quote per service asked, in that order: a price, or an error that says why there is none.",
            ),
            Piece("mapping", "posting_request(posting: Posting) -> Request", "The call that buys a posting."),
            Piece("mapping", "purchase(raw: Raw) -> Purchase", "What was bought, of that call's answer."),
            Piece("mapping", "cancellation(ref: str) -> Request", "The call that cancels a purchase."),
            Piece(
                "client",
                "quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]",
                "The carrier's answers about a parcel, as they came.",
            ),
            Piece(
                "client",
                "ask_label(api: Api, refs: Sequence[str]) -> str",
                "A receipt under which the labels of these purchases will be ready.",
            ),
            Piece(
                "client",
                "label(api: Api, receipt: str) -> bytes | None",
                "The PDF, or None while the carrier still makes it.",
            ),
        ),
    ),
    "labels": (
        "LabelSource",
        {
            "services": "()",
            "look": "client.fetch_shipment",
            "standing": "mapping.label_standing",
            "fetch": "client.fetch_label",
        },
        (
            Piece(
                "mapping",
                "label_standing(raw: Raw) -> LabelStanding",
                "Whether the label of one shipment's document can be had.",
            ),
            Piece("client", "fetch_shipment(api: Api, ref: str) -> Raw", "One shipment, as it stands."),
            Piece("client", "fetch_label(api: Api, ref: str) -> bytes", "One shipment's label, a PDF."),
        ),
    ),
}
CHECK = Piece(
    "client", "check(api: Api) -> Identity", "Who this account is at the channel: one call that proves the key."
)
CREATE = Piece(
    "sandbox",
    "create(products: Sequence[Product], *, seed: int = 0, **options: Any) -> Sandbox",
    "A channel that sells these products and behaves as its documentation says; see hub.sandbox.Sandbox.",
)
CONTRACT_NAMES = {"Api", "Identity", "LabelStanding", "Page"}
SANDBOX_NAMES = {"Product", "Sandbox"}
MODULES = {
    "mapping": "{label}'s words into ours and back. Pure.",
    "webhook": "What {label}'s knocks mean. Pure.",
    "client": "{label}'s endpoints: paths, paging, authentication. No meaning.",
    "sandbox": "A sandbox of {label}: it behaves as the documentation says, and this suite and the demo run on it.",
}
CREDENTIALS = '''

class Credentials(contract.Credentials):
    """What a seller types in to connect {label}: say where it is found."""

    endpoint: str = "https://api.example.com"
    key: SecretStr

    def base_url(self) -> str:
        """Where requests with a relative path go."""
        return self.endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """How the key is shown; with OAuth this stays empty, and the adapter declares `token`."""
        return {{"Authorization": f"Bearer {{self.key.get_secret_value()}}"}}
'''


def imported(module: str, names: Iterable[str]) -> str:
    """An import as the formatter would write it; "" when nothing is needed."""
    listed = sorted(set(names))
    if not listed:
        return ""
    line = f"from {module} import {', '.join(listed)}"
    if len(line) <= WIDTH:
        return line + "\n"
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in listed) + ")\n"


def function(name: str, piece: Piece) -> str:
    """A function that says what it must return, and fails saying so."""
    head = f"async def {piece.signature}" if "api: Api" in piece.signature else f"def {piece.signature}"
    if len(head) >= WIDTH:
        before, _, after = head.partition("(")
        inner, _, answer = after.rpartition(")")
        head = f"{before}(\n    {inner},\n){answer}" if "*" in inner else f"{before}(\n    {inner}\n){answer}"
    called = piece.signature.partition("(")[0]
    todo = f"adapters/{name}/{piece.module}.py: write {called}, as its docstring says"
    return f'\n\n{head}:\n    """{piece.doc}"""\n    raise NotImplementedError("{todo}")\n'


def words(pieces: Iterable[Piece]) -> set[str]:
    """The types that signatures name."""
    found = {word for piece in pieces for word in re.findall(r"[A-Z]\w+", piece.signature)}
    return found - {"None", "Any", "Sequence"}


def module_text(name: str, module: str, pieces: Sequence[Piece]) -> str:
    """A module with its functions yet to be written."""
    label, used = name.title(), words(pieces)
    client, signatures = module == "client", " ".join(piece.signature for piece in pieces)
    abstract = {word for word in ("Sequence",) if word in signatures} | ({"Mapping"} if client else set())
    standard = imported("collections.abc", abstract) + ("from typing import Any\n" if "Any" in signatures else "")
    outside = "from pydantic import SecretStr\n" if client else ""
    ours = "".join(
        (
            "from hub import contract\n" if client else "",
            imported("hub.contract", used & CONTRACT_NAMES),
            imported("hub.model", used - CONTRACT_NAMES - SANDBOX_NAMES),
            imported("hub.sandbox", used & SANDBOX_NAMES),
        )
    )
    head = "\n".join(block for block in (standard, outside, ours) if block)
    doc = f'"""{MODULES[module].format(label=label)}"""\n'
    body = "".join(function(name, piece) for piece in pieces)
    return doc + ("\n" + head if head else "") + (CREDENTIALS.format(label=label) if client else "") + body


def declaration(name: str, kind: Kind, facets: Sequence[str]) -> str:
    """The page that one reads first."""
    label = name.title()
    used = sorted({field.partition(".")[0] for facet in facets for field in PIECES[facet][1].values() if "." in field})
    modules = sorted({"client", *used})
    classes = {PIECES[facet][0] for facet in facets}
    lines = [
        f'"""TODO: one sentence that says what {label} is."""',
        "",
        f"from adapters.{name} import {', '.join(modules)}",
        imported("hub.contract", {"Adapter", "Kind", *classes}).rstrip(),
        "from hub.faults import Fault",
        "",
        "ADAPTER = Adapter(",
        f'    label="{label}",',
        f"    kind=Kind.{kind.name},",
        '    docs="",  # the https address of the vendor\'s documentation',
        "    credentials=client.Credentials,",
        "    check=client.check,",
        "    limits=(),  # Limit(burst=…, seconds=…) as documented; a figure that you had to assume says assumed=True",
        "    faults={  # and the vendor's own codes: each means one of the six",
        "        401: Fault.AUTH,",
        "        404: Fault.MISSING,",
        "        429: Fault.THROTTLED,",
        "    },",
    ]
    for facet in (facet for facet in FACETS if facet in facets):
        called, told, _ = PIECES[facet]
        whole = f"    {facet}={called}({', '.join(f'{field}={value}' for field, value in told.items())}),"
        if len(whole) <= WIDTH:
            lines.append(whole)
        else:
            inner = f"        {', '.join(f'{field}={value}' for field, value in told.items())}"
            each = [inner] if len(inner) <= WIDTH else [f"        {field}={value}," for field, value in told.items()]
            lines += [f"    {facet}={called}(", *each, "    ),"]
    return "\n".join([*lines, ")", ""])


def files(name: str, kind: Kind, facets: Sequence[str]) -> dict[str, str]:
    """The text of each file of a new channel."""
    pieces = [piece for facet in facets for piece in PIECES[facet][2]]
    by_module = {
        "mapping": [piece for piece in pieces if piece.module == "mapping"],
        "webhook": [piece for piece in pieces if piece.module == "webhook"],
        "client": [CHECK, *(piece for piece in pieces if piece.module == "client")],
        "sandbox": [CREATE],
    }
    made = {f"{module}.py": module_text(name, module, own) for module, own in by_module.items() if own}
    return {"__init__.py": declaration(name, kind, facets)} | made


def refusal(name: str, facets: Sequence[str], folder: Path = HERE) -> str | None:
    """Why there can be no such channel, in one sentence; null when there can."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        return f"{name!r} is no name for a folder: small letters, digits and underscores, a letter first"
    if (folder / name).exists() or (folder / f"{name}.py").exists():
        return f"adapters/{name} is there already"
    if unknown := [facet for facet in facets if facet not in FACETS]:
        return f"no facet named {unknown[0]!r}; there are: {', '.join(FACETS)}"
    for facet, (other, why) in NEEDS.items():
        if facet in facets and other not in facets:
            return f"{facet} needs {other} too: {why}"
    return None if facets else f"name at least one facet of {', '.join(FACETS)}"


def main(told: Sequence[str] | None = None) -> None:
    """Write a new channel's files and say what to do next."""
    parser = argparse.ArgumentParser(prog="python -m adapters.scaffold", description="Write a new channel's files.")
    parser.add_argument("--name", required=True, help="its folder under adapters/: acme")
    parser.add_argument("--kind", required=True, type=Kind, choices=list(Kind), help="what sort of channel it is")
    parser.add_argument("--facets", required=True, help=f"comma list of {', '.join(FACETS)}")
    asked = parser.parse_args(told)
    facets = [facet for facet in re.split(r"[,\s]+", asked.facets) if facet]
    if why := refusal(asked.name, facets):
        parser.error(why)
    folder = HERE / asked.name
    folder.mkdir()
    for name, text in files(asked.name, asked.kind, facets).items():
        (folder / name).write_text(text)
        print(f"wrote adapters/{asked.name}/{name}")
    print("\nNext:")
    for facet in facets:
        if facet in PAYLOADS:
            print(f"  save at least 5 real documents as tests/adapters/{asked.name}/{PAYLOADS[facet]}/<case>.json")
    print(f"  .venv/bin/pytest tests/contract -k {asked.name}    # says what is missing, file by file")
    print("  docs/ADDING_A_CHANNEL.md follows one channel from here to the end")


if __name__ == "__main__":
    main()
