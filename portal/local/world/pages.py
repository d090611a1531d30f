"""What all pages for a person share: the frame, numbers in both tongues, links in plain text."""

import re
from html import escape

from .store import tehran

PERSIAN = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")
LINK = re.compile(r"https?://[^\s<>\"'«»]+[^\s<>\"'«».,;:!?)]")


def frame(title: str, body: str, *, look: str, refresh: bool = False) -> str:
    """`look` names the page's part of the style sheet; the lists ask again by themselves, pages to read do not."""
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    return (
        f'<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/world.css"></head>'
        f'<body class="{look}">{body}</body></html>'
    )


def both(persian: str, english: str) -> str:
    """Persian first, English below."""
    return f'<span>{escape(persian)}</span><span class="en" lang="en"><bdi dir="ltr">{escape(english)}</bdi></span>'


def digits(text: str) -> str:
    return text.translate(PERSIAN)


def rials(amount: int) -> str:
    return both(f"{digits(f'{amount:,}')} ریال", f"{amount:,} Rial")


def clock(moment: float) -> str:
    whole = tehran(moment)
    return f'<time dir="ltr" title="{whole} Tehran">{whole[11:16]}</time>'


def latin(text: str) -> str:
    return f'<bdi dir="ltr">{escape(text)}</bdi>'


def with_links(text: str) -> str:
    """Escaped text whose web addresses open in a tab of their own."""
    parts, end = [], 0
    for found in LINK.finditer(text):
        address = escape(found.group())
        parts.append(escape(text[end : found.start()]))
        parts.append(f'<a href="{address}" target="_blank" rel="noopener noreferrer" dir="ltr">{address}</a>')
        end = found.end()
    return "".join(parts) + escape(text[end:])
