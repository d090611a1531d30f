"""The second SMS operator, SMS.ir: send by template, send to many, the state of one message, credit.

From its REST document, v1 (sms.ir/rest-api and apidocs.sms.ir; the copy with a Sandbox chapter and codes up to 124).
Callers mount it under /smsir. Every answer is {"status", "message", "data"}; `status` is 1 or an error, and the HTTP
status only says of which kind. There is no id of the caller's own: what is sent twice arrives twice.

Not confirmed by the document: the HTTP status of each single code (401 was seen with code 10; 10 to 15 are taken for
"authentication" here), `data` of an error (null here), which delivery states a message passes before its end (null,
then 3 here), the HTTP status of an unknown address, and whether a send is refused as a whole for one black-listed
number (it is here).
"""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .store import Store
from .texts import BLACK_LISTED, FAILING, NO_ADVERTISING, SWITCHED_OFF, Text, Texts, odd_phone, parts_of, phone
from .wire import BadBody, Reply, Request, Route

MOBILE = re.compile(r"(?:\+98|0098|98|00|0)?9[0-9]{9}")
LINE = re.compile(r"[0-9]{3,18}")
TEMPLATE_LINE = "30004505000017"
MOBILES_AT_MOST, VALUE_AT_MOST = 100, 25
HOUR, DAY = 3600, 86_400
# One message of one part costs 1.
CREDIT = 1_000_000
DELIVERED, NOT_DELIVERED, FAILED, IN_BLACK_LIST = 1, 2, 6, 7
STATES: dict[int | None, str] = {
    None: "در حال ارسال",
    1: "رسیده به گوشی",
    2: "نرسیده به گوشی",
    3: "رسیده به مخابرات",
    4: "نرسیده به مخابرات",
    5: "رسیده به اپراتور",
    6: "ناموفق",
    7: "لیست سیاه",
    8: "نامشخص",
}
ENDS = {SWITCHED_OFF: NOT_DELIVERED, FAILING: FAILED, NO_ADVERTISING: IN_BLACK_LIST}
# The first is the sandbox's own; the others are the account's, as its panel would list them.
TEMPLATES = {
    123456: "کد تایید شما: #CODE#",
    200001: "کد تأیید یاقوت: #CODE#",
    200002: "Yaghout verification code: #CODE#",
}
PLACE = re.compile(r"#([A-Za-z0-9_]+)#")
MESSAGES = {
    0: "درخواست شما با خطا مواجه شده‌است",
    10: "کلید وب سرویس نامعتبر است",
    11: "کلید وب سرویس غیرفعال است",
    12: "کلید وب سرویس محدود به آی‌پی‌های تعریف شده می‌باشد",
    13: "حساب کاربری غیرفعال است",
    14: "حساب کاربری در حالت تعلیق قرار دارد",
    15: "به منظور استفاده از وب سرویس پلن خود را ارتقا دهید",
    16: "مقدار ارسالی پارامتر نادرست می‌باشد",
    20: "تعداد درخواست بیشتر از حد مجاز است",
    101: "شماره خط نامعتبر می‌باشد",
    102: "اعتبار کافی نمی‌باشد",
    103: "درخواست شما دارای متن (های) خالی است",
    104: "درخواست شما دارای موبایل (های) نادرست است",
    105: "تعداد موبایل ها بیشتر از حد مجاز (100 عدد) می‌باشد",
    106: "تعداد متن ها بیشتر از حد مجاز (100 عدد) می‌باشد",
    107: "لیست موبایل ها خالی می‌باشد",
    108: "لیست متن ها خالی می‌باشد",
    109: "زمان ارسال نامعتبر می‌باشد",
    110: "تعداد شماره موبایل ها و تعداد متن ها برابر نیستند",
    111: "با این شناسه ارسالی ثبت نشده است",
    113: "قالب یافت نشد",
    114: "طول رشته مقدار پارامتر، بیش از حد مجاز (25 کاراکتر) می‌باشد",
    115: "شماره موبایل(ها) در لیست سیاه سامانه می‌باشند",
    116: "نام یک یا چند پارامتر مقداردهی نشده‌است",
    117: "متن ارسال شده مورد تایید نمی‌باشد",
    118: "تعداد پیام ها بیشتر از حد مجاز می‌باشد",
    119: "به منظور استفاده از قالب شخصی سازی شده پلن خود را ارتقا دهید",
    123: "خط ارسال‌کننده نیاز به فعال‌سازی دارد",
    124: "فقط امکان ارسال پیامک OTP وجود دارد و قالب شما OTP شناسایی نشده است",
}


class Refused(Exception):
    """A `status` other than 1."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class SmsIr:
    slug = "smsir"

    def __init__(self, store: Store, texts: Texts) -> None:
        self._store, self._texts = store, texts

    def routes(self) -> list[Route]:
        """The names in control's queue are verify, bulk, likeToLike, report and credit."""

        def route(method: str, path: str, handle: Callable[[Request], object], op: str) -> Route:
            return Route(method, f"/smsir/v1/{path}", self._answering(handle), self.slug, op)

        return [
            route("POST", "send/verify", self._verify, "verify"),
            route("POST", "send/bulk", self._bulk, "bulk"),
            route("POST", "send/likeToLike", self._like_to_like, "likeToLike"),
            route("GET", "send/*", self._report, "report"),
            route("GET", "credit", lambda request: float(self.credit()), "credit"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        http = 500 if code == 0 else 429 if code == 20 else 401 if code in range(10, 16) else 400
        return Reply.of({"status": code, "message": MESSAGES.get(code, MESSAGES[0]), "data": None}, http)

    def credit(self) -> int:
        return self._store.fact("smsir_credit", CREDIT)

    def set_credit(self, messages: int) -> None:
        self._store.set_fact("smsir_credit", messages)

    def _answering(self, handle: Callable[[Request], object]) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            key = request.headers.get("x-api-key", "")
            try:
                # Any key is good here but an empty or plainly wrong one.
                if not key or key.startswith("wrong"):
                    raise Refused(10)
                return Reply.of({"status": 1, "message": "موفق", "data": handle(request)})
            except Refused as refused:
                return self.refuse("", refused.code)

        return answer

    def _verify(self, request: Request) -> object:
        fields = _fields(request)
        mobile, template = _mobile(fields.get("mobile")), fields.get("templateid")
        if type(template) is not int or template not in TEMPLATES:
            raise Refused(113)
        message = _written(TEMPLATES[template], fields.get("parameters"))
        text = Text(self.slug, mobile, message, TEMPLATE_LINE, DELIVERED, template=str(template), handed=True)
        (text,) = self._queue([text], request)
        return {"messageId": text.messageid, "cost": float(text.cost)}

    def _bulk(self, request: Request) -> object:
        fields = _fields(request)
        line, message, mobiles = _line(fields), fields.get("messagetext"), _mobiles(fields)
        return self._send(line, [message] * len(mobiles), mobiles, request)

    def _like_to_like(self, request: Request) -> object:
        """To each its own text."""
        fields = _fields(request)
        line, mobiles, messages = _line(fields), _mobiles(fields), fields.get("messagetexts")
        if not isinstance(messages, list) or not messages:
            raise Refused(108)
        if len(messages) > MOBILES_AT_MOST:
            raise Refused(106)
        if len(messages) != len(mobiles):
            raise Refused(110)
        return self._send(line, messages, mobiles, request)

    def _send(self, line: str, messages: list[Any], mobiles: list[object], request: Request) -> object:
        if not all(isinstance(message, str) and message.strip() for message in messages):
            raise Refused(103)
        starts_at = self._starts_at(_fields(request).get("senddatetime"))
        texts = [
            Text(self.slug, _mobile(mobile), message, line, DELIVERED, starts_at=starts_at)
            for mobile, message in zip(mobiles, messages, strict=True)
        ]
        sent = self._queue(texts, request)
        ids, cost = [text.messageid for text in sent], float(sum(text.cost for text in sent))
        return {"packId": str(uuid.uuid4()), "messageIds": ids, "cost": cost}

    def _starts_at(self, value: object) -> float:
        """Unix seconds between an hour and a year ahead; 0 for at once."""
        if value is None:
            return 0
        now = self._store.now()
        if type(value) is not int or not now + HOUR <= value <= now + 365 * DAY:
            raise Refused(109)
        return value

    def _queue(self, texts: list[Text], request: Request) -> list[Text]:
        if any(odd_phone(text.receptor) == BLACK_LISTED for text in texts):
            raise Refused(115)
        ends = request.twist.get("ends")
        for text in texts:
            text.cost = parts_of(text.message)
            odd = odd_phone(text.receptor)
            # A template goes over a service line, which also reaches who refuses advertising.
            text.ends = DELIVERED if text.handed and odd == NO_ADVERTISING else ENDS.get(odd, DELIVERED)
            if isinstance(ends, int):
                text.ends = ends
        cost = sum(text.cost for text in texts)
        if cost > self.credit():
            raise Refused(102)
        self._store.add_to_fact("smsir_credit", CREDIT, -cost)
        return [self._texts.put(text) for text in texts]

    def _report(self, request: Request) -> object:
        id = request.path.removeprefix("/smsir/v1/send/")
        text = self._texts.by_id(self.slug, int(id)) if re.fullmatch(r"[0-9]{1,18}", id) else None
        if text is None:
            raise Refused(111)
        now = self._store.now()
        return {
            "messageId": text.messageid,
            "mobile": int(phone(text.receptor)),
            "messageText": text.message,
            "sendDateTime": int(max(text.sent_at, text.starts_at)),
            "lineNumber": int(text.sender),
            "cost": float(text.cost),
            "deliveryState": text.status(now),
            "deliveryDateTime": int(text.final_at) if now >= text.final_at else None,
        }


def _fields(request: Request) -> dict[str, Any]:
    """The document writes a name with and without a capital; both are taken, as the operator does."""
    try:
        return {name.lower(): value for name, value in request.json().items()}
    except BadBody:
        raise Refused(16) from None


def _line(fields: Mapping[str, Any]) -> str:
    line = str(fields.get("linenumber"))
    if not LINE.fullmatch(line):
        raise Refused(101)
    return line


def _mobiles(fields: Mapping[str, Any]) -> list[object]:
    mobiles = fields.get("mobiles")
    if not isinstance(mobiles, list) or not mobiles:
        raise Refused(107)
    if len(mobiles) > MOBILES_AT_MOST:
        raise Refused(105)
    return mobiles


def _mobile(value: object) -> str:
    if not isinstance(value, str) or not MOBILE.fullmatch(value):
        raise Refused(104)
    return value


def _written(template: str, parameters: object) -> str:
    """The template with a value in each of its places."""
    if not isinstance(parameters, list) or not all(isinstance(one, Mapping) for one in parameters):
        raise Refused(16)
    given = {str(one.get("name", "")).upper(): str(one.get("value", "")) for one in map(_lowered, parameters)}
    if any(len(value) > VALUE_AT_MOST for value in given.values()):
        raise Refused(114)
    if not all(given.get(place.upper()) for place in PLACE.findall(template)):
        raise Refused(116)
    return PLACE.sub(lambda place: given[place[1].upper()], template)


def _lowered(one: Mapping[str, object]) -> dict[str, object]:
    return {name.lower(): value for name, value in one.items()}
