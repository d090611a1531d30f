"""Kavenegar's words: its approved patterns, what its codes say, and how it writes a message down."""

from .texts import BLACK_LISTED, FAILING, NO_ADVERTISING, SWITCHED_OFF, Text, odd_phone

FAILED, DELIVERED, UNDELIVERED, CANCELLED, BLOCKED, UNKNOWN = 6, 10, 11, 13, 14, 100
# What was not sent costs nothing in the end.
COMES_BACK = {CANCELLED, BLOCKED}
ENDS = {SWITCHED_OFF: UNDELIVERED, FAILING: FAILED, NO_ADVERTISING: BLOCKED, BLACK_LISTED: BLOCKED}

STATUSES: dict[int | None, str] = {
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
    415: "اندیس شروع بزرگتر از کل تعداد شماره های مورد نظر است",
    416: "IP سرویس مبدا با تنظیمات مطابقت ندارد",
    417: "تاریخ ارسال اشتباه است",
    418: "اعتبار شما کافی نمی‌باشد",
    419: "طول آرایه متن و گیرنده و فرستنده هم اندازه نیست",
    420: "استفاده از لینک در متن پیام برای شما محدود شده است",
    422: "داده‌ها به دلیل وجود کاراکتر نامناسب قابل پردازش نیست",
    424: "الگوی مورد نظر پیدا نشد",
    426: "استفاده از این متد نیازمند سرویس پیشرفته می‌باشد",
    427: "استفاده از این خط نیازمند ایجاد سطح دسترسی می‌باشد",
    428: "ارسال کد از طریق تماس تلفنی امکان پذیر نیست",
    429: "IP محدود شده است",
    431: "ساختار کد صحیح نمی‌باشد",
    432: "پارامتر کد در متن پیام پیدا نشد",
    451: "فراخوانی بیش از حد در بازه زمانی مشخص IP محدود شده",
    501: "فقط امکان ارسال پیام تست به شماره صاحب حساب کاربری وجود دارد",
    607: "نام تگ انتخابی اشتباه است",
}


def end_of(receptor: str, *, service_line: bool) -> int:
    """The last status of a message to this phone; a service line reaches also who refuses advertising."""
    odd = odd_phone(receptor)
    return DELIVERED if service_line and odd == NO_ADVERTISING else ENDS.get(odd, DELIVERED)


def entry(text: Text, now: float) -> dict[str, object]:
    status = text.status(now) or UNKNOWN
    return {
        "messageid": text.messageid,
        "message": text.message,
        "status": status,
        "statustext": STATUSES[status],
        "sender": text.sender,
        "receptor": text.receptor,
        "date": int(max(text.sent_at, text.starts_at)),
        "cost": text.cost,
    }
