"""The operator's messages: what was accepted, and how far each has come."""

import re
import sqlite3
from dataclasses import asdict, dataclass

from .store import Store, iso

QUEUED, SCHEDULED, HANDED, DELIVERED = 1, 2, 5, 10
HANDED_AFTER_S, FINAL_AFTER_S = 1.0, 2.0

STATUSES = {
    1: "در صف ارسال",
    2: "زمان‌بندی شده",
    4: "ارسال شده به مخابرات",
    5: "ارسال شده به مخابرات",
    6: "خطا در ارسال پیام",
    10: "رسیده به گیرنده",
    11: "نرسیده به گیرنده",
    13: "لغو شده",
    14: "بلاک شده",
    100: "شناسه پیامک نامعتبر است",
}
# The approved patterns of the account, as its panel would list them.
TEMPLATES = {
    "phone-code-fa": "کد تأیید یاقوت: %token%",
    "phone-code-en": "Yaghout verification code: %token%",
}
MESSAGES = {
    400: "پارامترها ناقص هستند",
    401: "حساب کاربری غیرفعال شده است",
    402: "عملیات ناموفق بود",
    403: "کد شناسائی API-Key معتبر نمی‌باشد",
    404: "متد نامشخص است",
    405: "متد Get/Post اشتباه است",
    406: "پارامترهای اجباری خالی ارسال شده اند",
    407: "دسترسی به اطلاعات مورد نظر برای شما امکان پذیر نیست",
    409: "سرور قادر به پاسخگوئی نیست بعدا تلاش کنید",
    411: "دریافت کننده نامعتبر است",
    412: "ارسال کننده نامعتبر است",
    413: "پیام خالی است و یا طول پیام بیش از حد مجاز می‌باشد",
    414: "حجم درخواست بیشتر از حد مجاز است",
    417: "تاریخ ارسال اشتباه است",
    418: "اعتبار شما کافی نمی‌باشد",
    419: "طول آرایه متن و گیرنده و فرستنده هم اندازه نیست",
    420: "استفاده از لینک در متن پیام برای شما محدود شده است",
    422: "داده‌ها به دلیل وجود کاراکتر نامناسب قابل پردازش نیست",
    424: "الگوی مورد نظر پیدا نشد",
    426: "استفاده از این متد نیازمند سرویس پیشرفته می‌باشد",
    428: "ارسال کد از طریق تماس تلفنی امکان پذیر نیست",
    431: "ساختار کد صحیح نمی‌باشد",
    432: "پارامتر کد در متن پیام پیدا نشد",
    451: "فراخوانی بیش از حد در بازه زمانی مشخص IP محدود شده",
    607: "نام تگ انتخابی اشتباه است",
}
# The 7-bit alphabet of GSM: one other character turns a message into UCS-2.
GSM = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


@dataclass
class Text:
    receptor: str
    message: str
    sender: str
    localid: int | None = None
    template: str | None = None
    kind: str = "sms"
    # A lookup goes to the carrier at once; a plain message queues first.
    handed: bool = False
    starts_at: float = 0
    cost: int = 0
    ends: int = DELIVERED
    messageid: int = 0
    sent_at: float = 0

    def status(self, now: float) -> int:
        age = now - max(self.sent_at, self.starts_at)
        if age < 0:
            return SCHEDULED
        if age >= FINAL_AFTER_S:
            return self.ends
        return HANDED if self.handed or age >= HANDED_AFTER_S else QUEUED

    def entry(self, now: float) -> dict[str, object]:
        status = self.status(now)
        return {
            "messageid": self.messageid,
            "message": self.message,
            "status": status,
            "statustext": STATUSES[status],
            "sender": self.sender,
            "receptor": self.receptor,
            "date": int(max(self.sent_at, self.starts_at)),
            "cost": self.cost,
        }

    def as_json(self, now: float) -> dict[str, object]:
        return {
            "to": self.receptor,
            "text": self.message,
            "messageid": self.messageid,
            "localid": self.localid,
            "template": self.template,
            "kind": self.kind,
            "sender": self.sender,
            "status": self.status(now),
            "at": iso(self.sent_at),
        }


class Texts:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, text: Text) -> Text:
        """The text with its id and time; or the old one that bears the same localid."""
        if text.localid is not None:
            old = self.by_localid(text.localid)
            if old is not None:
                return old
        text.sent_at = self._store.now()
        row = asdict(text)
        del row["messageid"]
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        text.messageid = self._store.run(f"INSERT INTO texts ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
        return text

    def by_id(self, messageid: int) -> Text | None:
        return _text(self._store.one("SELECT * FROM texts WHERE messageid = ?", [messageid]))

    def by_localid(self, localid: int) -> Text | None:
        return _text(self._store.one("SELECT * FROM texts WHERE localid = ?", [localid]))

    def all(self) -> list[Text]:
        """Oldest first."""
        rows = self._store.rows("SELECT * FROM texts ORDER BY messageid")
        return [text for text in map(_text, rows) if text is not None]


def _text(row: sqlite3.Row | None) -> Text | None:
    return Text(**dict(row)) if row else None


def utf16_length(text: str) -> int:
    """Emoji count twice, as phones count them."""
    return len(text.encode("utf-16-le")) // 2


def parts_of(text: str) -> int:
    single, each = (160, 153) if GSM.fullmatch(text) else (70, 67)
    length = utf16_length(text)
    return 1 if length <= single else -(-length // each)
