"""A playbook's Markdown as HTML: raw HTML is shown as text, pictures are not loaded, each list item is a step."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_READER = MarkdownIt("commonmark", {"html": False}).disable("image")
LISTS = ("ordered_list_open", "bullet_list_open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a playbook, in its order: prose, or a step, which can be ticked.

    A step's `key` stays the same while its words do, wherever it stands; `words` are those, without markup.
    """

    html: Markup
    key: str | None = None
    words: str = ""


def pieces(text: str) -> list[Piece]:
    """A playbook cut into prose and steps. Top-level list items are steps; what is nested in one belongs to it."""
    told: list[Piece] = []
    met: dict[str, int] = {}
    for kind, block in _blocks(_READER.parse(text)):
        html = Markup(_READER.renderer.render(_softened(block), _READER.options, {}))  # noqa: S704 - escaped by the reader: html is off
        if kind == "prose":
            told.append(Piece(html=html))
            continue
        words = " ".join(token.content for token in block if token.type == "inline").strip()
        met[words] = met.get(words, 0) + 1
        key = hashlib.sha256(f"{met[words]}~{words}".encode()).hexdigest()[:16]
        told.append(Piece(html=html, key=key, words=words[:300]))
    return told


def _blocks(tokens: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """Runs of prose, and the insides of top-level list items."""
    prose: list[Token] = []
    item: list[Token] = []
    depth = 0
    for token in tokens:
        if token.type in LISTS and token.level == 0:
            if prose:
                yield "prose", prose
            prose, depth = [], 1
        elif depth and token.level == 0:
            depth = 0
        elif depth and token.type == "list_item_open" and token.level == 1:
            item = []
        elif depth and token.type == "list_item_close" and token.level == 1:
            yield "step", item
        elif depth:
            item.append(token)
        else:
            prose.append(token)
    if prose:
        yield "prose", prose


def _softened(tokens: list[Token]) -> list[Token]:
    """Headings of a playbook stand below those of its page; links tell nobody where they were followed from."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer")
    return tokens
