"""The SMS operator, as in Kavenegar's REST document (web copy of 1404): send, lookup, status, account.

Callers mount it under /kavenegar. The HTTP status repeats `return.status`, `entries` is a list or an object or null
by method, and a `localid` seen before is never sent again: its old record comes back.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from .kavenegar_texts import DELIVERED, MESSAGES, STATUSES, TEMPLATES, Text, Texts, parts_of, utf16_length
from .store import TEHRAN, Store
from .wire import Reply, Request, Route

MOBILE = re.compile(r"(?:\+98|0098|98|0)?9[0-9]{9}")
LANDLINE = re.compile(r"(?:\+98|0098|98|0)[1-8][0-9]{9}")
LINE = re.compile(r"[0-9]{3,20}")
DEFAULT_LINE = "10004346"
RECEPTORS_AT_MOST, IDS_AT_MOST, CHARACTERS_AT_MOST, TOKEN_AT_MOST = 200, 500, 900, 100
HOUR = 3600
REMEMBERED_S = {"sms/status": 48 * HOUR, "sms/statuslocalmessageid": 12 * HOUR, "sms/select": 72 * HOUR}
# How many blanks a lookup token may hold; none of them a new line or an underscore.
TOKENS = {"token": 0, "token2": 0, "token3": 0, "token10": 5, "token20": 8}
CREDIT_RIAL, PART_RIAL = 1_000_000_000, 1_500
OPS = {
    "sms/send": "send",
    "sms/sendarray": "sendarray",
    "verify/lookup": "lookup",
    "sms/status": "status",
    "sms/statuslocalmessageid": "statuslocal",
    "sms/select": "select",
    "account/info": "info",
    "call/maketts": "tts",
    "utils/getdate": "getdate",
}


class Refused(Exception):
    """A `return.status` other than 200."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Kavenegar:
    slug = "kavenegar"

    def __init__(self, store: Store, texts: Texts) -> None:
        self._store, self._texts = store, texts
        self._methods: dict[str, Callable[[Mapping[str, str], Request], object]] = {
            "sms/send": self._send,
            "sms/sendarray": self._send_array,
            "verify/lookup": self._lookup,
            "sms/status": self._status,
            "sms/statuslocalmessageid": self._status_by_localid,
            "sms/select": self._select,
            "account/info": self._info,
            "call/maketts": self._call,
            "utils/getdate": self._date,
        }

    def op_of(self, request: Request) -> str:
        """The name in control's queue of the method in this path; empty for an unknown one."""
        return OPS.get(_method_of(request.path), "")

    def routes(self) -> list[Route]:
        return [Route(verb, "/kavenegar/v1/*", self._answer, self.slug, self.op_of) for verb in ("GET", "POST")]

    def refuse(self, op: str, code: int) -> Reply:
        answer = {"status": code, "message": MESSAGES.get(code, "خطا")}
        return Reply.of({"return": answer, "entries": None}, code)

    def _answer(self, request: Request) -> Reply:
        key = request.path.removeprefix("/kavenegar/v1/").split("/")[0]
        name = _method_of(request.path)
        try:
            if name not in self._methods:
                raise Refused(404)
            # Any key is good here but an empty or plainly wrong one; only the date is given to nobody in particular.
            if name != "utils/getdate" and (not key or key == "0" or key.startswith("wrong")):
                raise Refused(403)
            if name == "sms/sendarray" and request.method != "POST":
                raise Refused(405)
            fields = {**request.query, **request.form()} if request.method == "POST" else request.query
            entries = self._methods[name](fields, request)
        except Refused as refused:
            return self.refuse("", refused.code)
        return Reply.of({"return": {"status": 200, "message": "تایید شد"}, "entries": entries})

    def _send(self, fields: Mapping[str, str], request: Request) -> object:
        receptors = _many(_needed(fields, "receptor"), RECEPTORS_AT_MOST)
        message = _message(_needed(fields, "message"))
        localids = _localids(fields.get("localid"), len(receptors))
        sender = _line(fields.get("sender"))
        if fields.get("tag"):
            raise Refused(607)
        texts = [
            Text(_receptor(receptor), message, sender, localid=localid, starts_at=_date_of(fields.get("date")))
            for receptor, localid in zip(receptors, localids, strict=True)
        ]
        return self._queue(texts, request)

    def _send_array(self, fields: Mapping[str, str], request: Request) -> object:
        columns = [_array(_needed(fields, name)) for name in ("receptor", "sender", "message")]
        count = len(columns[0])
        if any(len(column) != count for column in columns):
            raise Refused(419)
        if count > RECEPTORS_AT_MOST:
            raise Refused(412)
        ids = fields.get("localmessageids")
        localids = _localids(",".join(_array(ids)) if ids else None, count)
        texts = [
            Text(_receptor(to), _message(text), _line(line), localid=localid, starts_at=_date_of(fields.get("date")))
            for to, line, text, localid in zip(*columns, localids, strict=True)
        ]
        return self._queue(texts, request)

    def _lookup(self, fields: Mapping[str, str], request: Request) -> object:
        receptor, template = _needed(fields, "receptor"), _needed(fields, "template")
        landline = LANDLINE.fullmatch(receptor) is not None
        if not landline:
            _receptor(receptor)
        if template not in TEMPLATES:
            raise Refused(424)
        _needed(fields, "token")
        tokens = {name: fields[name] for name in TOKENS if fields.get(name)}
        if not all(_token_is_good(value, TOKENS[name]) for name, value in tokens.items()):
            raise Refused(431)
        by_call = landline or fields.get("type") == "call"
        if by_call and not tokens["token"].isdecimal():
            raise Refused(428)
        message = TEMPLATES[template]
        for name, value in tokens.items():
            message = message.replace(f"%{name}%", value)
        text = Text(receptor, message, DEFAULT_LINE, template=template, kind="call" if by_call else "sms", handed=True)
        return self._queue([text], request)

    def _call(self, fields: Mapping[str, str], request: Request) -> object:
        receptor, message = _needed(fields, "receptor"), _message(_needed(fields, "message"))
        if not LANDLINE.fullmatch(receptor):
            _receptor(receptor)
        localid = _localids(fields.get("localid"), 1)[0]
        return self._queue([Text(receptor, message, DEFAULT_LINE, localid=localid, kind="call")], request)[0]

    def _queue(self, texts: list[Text], request: Request) -> list[dict[str, object]]:
        fresh = [text for text in texts if text.localid is None or self._texts.by_localid(text.localid) is None]
        cost = sum(parts_of(text.message) * PART_RIAL for text in fresh)
        if cost > self._credit():
            raise Refused(418)
        ends = request.twist.get("ends", DELIVERED)
        entries = []
        for text in texts:
            text.cost = parts_of(text.message) * PART_RIAL
            text.ends = ends if isinstance(ends, int) else DELIVERED
            entries.append(self._texts.put(text).entry(self._store.now()))
        self._store.set_fact("credit_rial", self._credit() - cost)
        return entries

    def _status(self, fields: Mapping[str, str], request: Request) -> object:
        return [
            {"messageid": id, **self._standing(self._texts.by_id(id), "sms/status")}
            for id in _ids(_needed(fields, "messageid"))
        ]

    def _status_by_localid(self, fields: Mapping[str, str], request: Request) -> object:
        entries = []
        for id in _ids(_needed(fields, "localid")):
            text = self._texts.by_localid(id)
            standing = self._standing(text, "sms/statuslocalmessageid")
            entries.append({"messageid": text.messageid if text else 0, "localid": str(id), **standing})
        return entries

    def _select(self, fields: Mapping[str, str], request: Request) -> object:
        now = self._store.now()
        found = [self._texts.by_id(id) for id in _ids(_needed(fields, "messageid"))]
        return [text.entry(now) for text in found if text and now - text.sent_at <= REMEMBERED_S["sms/select"]]

    def _standing(self, text: Text | None, method: str) -> dict[str, object]:
        now = self._store.now()
        status = 100 if text is None or now - text.sent_at > REMEMBERED_S[method] else text.status(now)
        return {"status": status, "statustext": STATUSES[status]}

    def _info(self, fields: Mapping[str, str], request: Request) -> object:
        in_a_year = int(self._store.now()) + 365 * 24 * HOUR
        return {"remaincredit": self._credit(), "expiredate": in_a_year, "type": "master"}

    def _credit(self) -> int:
        return self._store.fact("credit_rial", CREDIT_RIAL)

    def _date(self, fields: Mapping[str, str], request: Request) -> object:
        seconds = int(self._store.now())
        now = datetime.fromtimestamp(seconds, TEHRAN)
        parts = {name: getattr(now, name) for name in ("year", "month", "day", "hour", "minute", "second")}
        written = f"{now.year}/{now.month}/{now.day} {now:%H:%M:%S}"
        return {"datetime": written, **parts, "unixtime": seconds}


def _method_of(path: str) -> str:
    """`sms/send` of /kavenegar/v1/<key>/sms/send.json; empty for any other shape."""
    pieces = path.removeprefix("/kavenegar/v1/").split("/", 1)
    return pieces[1].removesuffix(".json") if len(pieces) == 2 and pieces[1].endswith(".json") else ""


def _needed(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise Refused(400)
    if not fields[name].strip():
        raise Refused(413 if name == "message" else 406)
    return fields[name]


def _many(text: str, at_most: int) -> list[str]:
    values = [value.strip() for value in text.split(",")]
    if len(values) > at_most:
        raise Refused(414)
    return values


def _ids(text: str) -> list[int]:
    values = _many(text, IDS_AT_MOST)
    if not all(re.fullmatch(r"[0-9]{1,18}", value) for value in values):
        raise Refused(400)
    return [int(value) for value in values]


def _localids(text: str | None, count: int) -> list[int] | list[None]:
    if not text:
        return [None] * count
    values = _ids(text)
    if len(values) != count:
        raise Refused(419)
    return values


def _array(text: str) -> list[str]:
    """A JSON array sent as one form field."""
    try:
        values = json.loads(text)
    except ValueError:
        raise Refused(400) from None
    if not isinstance(values, list) or not values:
        raise Refused(400)
    return [str(value) for value in values]


def _receptor(text: str) -> str:
    if not MOBILE.fullmatch(text):
        raise Refused(411)
    return text


def _message(text: str) -> str:
    if utf16_length(text) > CHARACTERS_AT_MOST:
        raise Refused(413)
    return text


def _line(text: str | None) -> str:
    if text and not LINE.fullmatch(text):
        raise Refused(412)
    return text or DEFAULT_LINE


def _date_of(text: str | None) -> float:
    if text and not re.fullmatch(r"[0-9]{1,11}", text):
        raise Refused(417)
    return float(text or 0)


def _token_is_good(value: str, blanks: int) -> bool:
    return len(value) <= TOKEN_AT_MOST and value.count(" ") <= blanks and not re.search(r"[\r\n\t_]", value)
