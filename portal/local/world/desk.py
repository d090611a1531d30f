"""The desk a person sits at: the phone's messages, the mailbox and the bank's ledger."""

import base64
import hmac
import struct
import time
from collections.abc import Collection
from html import escape

from . import kavenegar_texts, smsir
from .ledger import Ledger
from .mailbox import KEPT, Letter, Mailbox
from .pages import both, clock, digits, frame, latin, rials, with_links
from .store import Store
from .texts import Texts
from .wire import Reply, Request, Route

SHOWN = 50
# Word and sign for each state of the ledger; the colour comes from the class of the same name.
STATES = {
    "started": ("آغاز شده", "started", "○"),
    "paid": ("پرداخت شده", "paid", "◐"),
    "verified": ("تأیید شده", "verified", "●"),
    "settled": ("تسویه شده", "settled", "●"),
    "reversed": ("برگشت خورده", "reversed", "↩"),
    "cancelled": ("لغو شده", "cancelled", "×"),
    "failed": ("ناموفق", "failed", "×"),
}
# What each operator calls the standing of a message.
WORDS = {"kavenegar": kavenegar_texts.STATUSES, "smsir": smsir.STATES}
BACK = " (برگشت خورده)"
HEADS = ("زمان", "درگاه", "سفارش", "مبلغ", "وضعیت", "رسید")
# A letter's own page may open links in new tabs and show pictures it carries, and nothing else.
LETTER_RULES = "sandbox allow-popups allow-popups-to-escape-sandbox"
LETTER_CSP = f"{LETTER_RULES}; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Desk:
    def __init__(self, store: Store, texts: Texts, mailbox: Mailbox, ledger: Ledger, gateways: Collection[str]) -> None:
        self._store, self._texts, self._mailbox, self._ledger = store, texts, mailbox, ledger
        self._gateways = gateways

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self._desk),
            Route("GET", "/mail/*", self._letter),
            Route("GET", "/authenticator/*", self._authenticator),
        ]

    def _desk(self, request: Request) -> Reply:
        body = (
            f"<header><h1>{both('دنیای بیرون', 'The outside world')}</h1><p>"
            + both(
                "بانک، تلفن و صندوق نامه‌ای که فقط روی همین رایانه هستند.",
                "A bank, a phone and a mailbox that exist on this computer only.",
            )
            + f"</p></header><main>{self._phone()}{self._mails()}{self._book()}</main>"
        )
        return Reply.html(frame("دنیای بیرون", body, look="desk", refresh=True))

    def _phone(self) -> str:
        now = self._store.now()
        items = "".join(
            f'<li><p class="line"><span dir="ltr">{escape(text.receptor)}</span>{clock(text.sent_at)}</p>'
            f'<p class="bubble" dir="auto">{with_links(text.message)}</p>'
            f'<p class="fine">{latin(text.operator)} · {"تماس · " if text.kind == "call" else ""}'
            f"{WORDS[text.operator][text.status(now)]}</p></li>"
            for text in self._texts.last(SHOWN)
        )
        return _panel("phone", "پیامک‌ها", "Text messages", f"<ol>{items}</ol>" if items else "")

    def _mails(self) -> str:
        items = "".join(
            f'<li><a href="/mail/{letter.seq}"><p class="line">'
            f'<span dir="ltr">{escape(", ".join(letter.recipients))}</span>{clock(letter.arrived_at)}</p>'
            f'<p class="subject" dir="auto">{escape(letter.subject) or "–"}{"" if letter.fate == KEPT else BACK}</p>'
            "</a></li>"
            for letter in self._mailbox.last(SHOWN)
        )
        return _panel("mails", "نامه‌ها", "Mail", f"<ol>{items}</ol>" if items else "")

    def _book(self) -> str:
        rows = ""
        for payment in reversed(self._ledger.all()[-SHOWN:]):
            persian, english, sign = STATES[payment.state]
            rows += (
                f'<tr><td data-label="زمان">{clock(payment.times["started"])}</td>'
                f'<td data-label="درگاه">{latin(payment.gateway)}</td>'
                f'<td data-label="سفارش">{latin(payment.order or "–")}</td>'
                f'<td data-label="مبلغ" class="amount"><span>{rials(payment.amount)}</span></td>'
                f'<td data-label="وضعیت"><span class="state {payment.state}"><i aria-hidden="true">{sign}</i>'
                f'<span>{persian}</span> <small lang="en">{english}</small></span></td>'
                f'<td data-label="رسید" class="long">{latin(payment.receipt or "–")}</td></tr>'
            )
        head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
        table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        links = "".join(f'<a href="/settlement/{slug}.csv" dir="ltr">{slug}.csv</a>' for slug in self._gateways)
        files = f'<p class="files"><span>{both("فایل‌های تسویه", "Settlement files")}</span>{links}</p>'
        return _panel("ledger", "دفتر بانک", "The bank's ledger", table + files if rows else "")

    def _authenticator(self, request: Request) -> Reply:
        """The app on a person's phone that shows a code for a seed."""
        code = _code(request.path.removeprefix("/authenticator/"), time.time())
        left = 30 - int(time.time() % 30)
        shown = f'<p class="code">{latin(code)}</p>' if code else f"<p>{both('یافت نشد', 'Not found')}</p>"
        wait = both(f"تا {digits(str(left))} ثانیهٔ دیگر کد تازه می‌آید.", f"A new code comes in {left} seconds.")
        body = f"<main><h1>{both('برنامهٔ کدساز', 'Authenticator app')}</h1>{shown}<p>{wait}</p></main>"
        return Reply.html(frame("کد", body, look="letter", refresh=True), 200 if code else 404)

    def _letter(self, request: Request) -> Reply:
        number, _, rest = request.path.removeprefix("/mail/").partition("/")
        letter = self._mailbox.get(int(number)) if number.isdecimal() and len(number) < 18 else None
        if letter is None or rest not in ("", "html"):
            missing = f"<main><p>{both('یافت نشد', 'Not found')}</p></main>"
            return Reply.html(frame("یافت نشد", missing, look="desk"), 404)
        if rest == "html":
            # Links must not open inside the frame that shows the letter.
            page = '<base target="_blank">' + letter.body("html")
            return Reply.html(page, headers={"Content-Security-Policy": LETTER_CSP})
        return Reply.html(frame(letter.subject or "نامه", _letter_page(letter), look="letter"))


def _code(seed: str, at: float) -> str | None:
    """RFC 6238 with SHA-1, 30 seconds and 6 digits; None for what is no base32."""
    try:
        key = base64.b32decode(seed)
    except ValueError:
        return None
    digest = hmac.digest(key, struct.pack(">Q", int(at // 30)), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def _panel(id: str, persian: str, english: str, content: str) -> str:
    empty = f'<p class="empty">{both("هنوز چیزی نرسیده است.", "Nothing has arrived yet.")}</p>'
    return f'<section id="{id}"><h2>{both(persian, english)}</h2>{content or empty}</section>'


def _letter_page(letter: Letter) -> str:
    sender = str(letter.parsed["from"] or letter.sender)
    facts = {("از", "From"): sender, ("به", "To"): ", ".join(letter.recipients)}
    rows = "".join(f"<div><dt>{both(*names)}</dt><dd>{latin(value)}</dd></div>" for names, value in facts.items())
    for found in letter.attachments():
        size = digits(f"{found['size']:,}")
        rows += f"<div><dt>{both('پیوست', 'Attached')}</dt><dd>{latin(str(found['name']))} · {size} بایت</dd></div>"
    html, text = letter.body("html"), letter.body("plain")
    shown = ""
    if html:
        shown += f'<iframe title="HTML" src="/mail/{letter.seq}/html" sandbox="{LETTER_RULES[8:]}"></iframe>'
    if text:
        shown += f'<section><h2>{both("متن ساده", "Plain text")}</h2><pre dir="auto">{with_links(text)}</pre></section>'
    back = f'<p><a class="back" href="/">{both("بازگشت به میز", "Back to the desk")}</a></p>'
    return f'<main>{back}<h1 dir="auto">{escape(letter.subject)}</h1><dl>{rows}</dl>{shown}</main>'
