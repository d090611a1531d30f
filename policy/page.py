"""How the text of a version becomes a page: its HTML and the list of its sections."""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# HTML in the text is shown as text: a version is published from a file, and files come from people.
MARKDOWN = MarkdownIt("commonmark", {"html": False})


class Section(NamedTuple):
    """A heading of the text, and its anchor."""

    id: str
    title: str


class Page(NamedTuple):
    """The whole text in order: what stands before the first section, the rest, and where sections begin."""

    opening: SafeString
    rest: SafeString
    sections: tuple[Section, ...]


@lru_cache(maxsize=16)
def render(body: str) -> Page:
    """Anchors are numbers, so that both languages of a version share them."""
    tokens, first = MARKDOWN.parse(body), None
    sections: list[Section] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            sections.append(Section(f"section-{len(sections) + 1}", tokens[index + 1].content))
            token.attrSet("id", sections[-1].id)
            first = index if first is None else first
    return Page(_html(tokens[:first]), _html(tokens[first:] if first is not None else []), tuple(sections))


def _html(tokens: list[Token]) -> SafeString:
    return mark_safe(str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})))  # noqa: S308  (markdown-it escapes)


def title_of(body: str) -> str:
    """The text's first heading of the first level; empty when it has none."""
    tokens = MARKDOWN.parse(body)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h1":
            return str(inline.content)
    return ""
