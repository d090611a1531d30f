"""The SMS operator, as in Kavenegar's REST document (web copy of 1404): send, lookup, status, account.

Callers mount it under /kavenegar. The HTTP status repeats `return.status`, `entries` is a list or an object or null
by method, and a `localid` seen before is never sent again: its old record comes back. Scripts may answer any call with
{"code": 409} and the like, or end the messages of one call with {"ends": 14}; see scripts.py and, for phones that never
receive, texts.py.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .kavenegar_fields import (
    DEFAULT_LINE,
    LANDLINE,
    RECEPTORS_AT_MOST,
    TOKENS,
    Refused,
    array_of,
    ids_of,
    line_of,
    localids_of,
    many,
    message_of,
    needed,
    receptor_of,
    starts_at_of,
    token_is_good,
)
from .kavenegar_texts import COMES_BACK, MESSAGES, STATUSES, TEMPLATES, UNKNOWN, end_of, entry
from .push import Push
from .store import TEHRAN, Store
from .texts import Text, Texts, parts_of
from .wire import Reply, Request, Route

HOUR = 3600
REMEMBERED_S = {"sms/status": 48 * HOUR, "sms/statuslocalmessageid": 12 * HOUR, "sms/select": 72 * HOUR}
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


class Kavenegar:
    slug = "kavenegar"

    def __init__(self, store: Store, texts: Texts, push: Push) -> None:
        self._store, self._texts, self._push = store, texts, push
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
        receptors = many(needed(fields, "receptor"), RECEPTORS_AT_MOST)
        message = message_of(needed(fields, "message"))
        localids = localids_of(fields.get("localid"), len(receptors))
        sender = line_of(fields.get("sender"))
        starts_at = starts_at_of(fields)
        texts = [
            _text(receptor_of(receptor), message, sender, localid=localid, starts_at=starts_at)
            for receptor, localid in zip(receptors, localids, strict=True)
        ]
        return self._queue(texts, request)

    def _send_array(self, fields: Mapping[str, str], request: Request) -> object:
        columns = [array_of(needed(fields, name)) for name in ("receptor", "sender", "message")]
        count = len(columns[0])
        if any(len(column) != count for column in columns):
            raise Refused(419)
        if count > RECEPTORS_AT_MOST:
            raise Refused(412)
        ids = fields.get("localmessageids")
        localids = localids_of(",".join(array_of(ids)) if ids else None, count)
        starts_at = starts_at_of(fields)
        texts = [
            _text(receptor_of(to), message_of(text), line_of(line), localid=localid, starts_at=starts_at)
            for to, line, text, localid in zip(*columns, localids, strict=True)
        ]
        return self._queue(texts, request)

    def _lookup(self, fields: Mapping[str, str], request: Request) -> object:
        receptor, template = needed(fields, "receptor"), needed(fields, "template")
        landline = LANDLINE.fullmatch(receptor) is not None
        if not landline:
            receptor_of(receptor)
        if template not in TEMPLATES:
            raise Refused(424)
        needed(fields, "token")
        tokens = {name: fields[name] for name in TOKENS if fields.get(name)}
        if not all(token_is_good(value, TOKENS[name]) for name, value in tokens.items()):
            raise Refused(431)
        by_call = landline or fields.get("type") == "call"
        if by_call and not tokens["token"].isdecimal():
            raise Refused(428)
        message = TEMPLATES[template]
        for name, value in tokens.items():
            message = message.replace(f"%{name}%", value)
        kind = "call" if by_call else "sms"
        text = _text(receptor, message, DEFAULT_LINE, template=template, kind=kind, handed=True)
        return self._queue([text], request)

    def _call(self, fields: Mapping[str, str], request: Request) -> object:
        receptor, message = needed(fields, "receptor"), message_of(needed(fields, "message"))
        if not LANDLINE.fullmatch(receptor):
            receptor_of(receptor)
        localid = localids_of(fields.get("localid"), 1)[0]
        text = _text(receptor, message, DEFAULT_LINE, localid=localid, starts_at=starts_at_of(fields), kind="call")
        return self._queue([text], request)[0]

    def _queue(self, texts: list[Text], request: Request) -> list[dict[str, object]]:
        """Entries in the order asked for; nothing is sent when the account cannot pay for all of it."""
        known: dict[int, Text] = {}
        fresh: list[Text] = []
        chosen: list[Text] = []
        for text in texts:
            old = None
            if text.localid is not None:
                old = known.get(text.localid) or self._texts.by_localid(text.localid)
                known.setdefault(text.localid, old or text)
            if old is None:
                text.cost = parts_of(text.message) * PART_RIAL
                fresh.append(text)
            chosen.append(old or text)
        cost = sum(text.cost for text in fresh)
        if cost > self.credit():
            raise Refused(418)
        for text in fresh:
            self._send_off(text, request)
        self._store.add_to_fact("credit_rial", CREDIT_RIAL, -cost)
        self._store.add_to_fact("repeated_localids", 0, len(chosen) - len(fresh))
        now = self._store.now()
        return [entry(text, now) for text in chosen]

    def _send_off(self, text: Text, request: Request) -> None:
        ends = request.twist.get("ends")
        if isinstance(ends, int):
            text.ends = ends
        text.untold = self._push.is_on
        self._texts.put(text, comes_back=text.ends in COMES_BACK)

    def _status(self, fields: Mapping[str, str], request: Request) -> object:
        return [
            {"messageid": id, **self._standing(self._texts.by_id(self.slug, id), "sms/status")}
            for id in ids_of(needed(fields, "messageid"))
        ]

    def _status_by_localid(self, fields: Mapping[str, str], request: Request) -> object:
        entries = []
        for id in ids_of(needed(fields, "localid")):
            text = self._texts.by_localid(id)
            standing = self._standing(text, "sms/statuslocalmessageid")
            entries.append({"messageid": text.messageid if text else 0, "localid": str(id), **standing})
        return entries

    def _select(self, fields: Mapping[str, str], request: Request) -> object:
        now = self._store.now()
        found = [self._texts.by_id(self.slug, id) for id in ids_of(needed(fields, "messageid"))]
        return [entry(text, now) for text in found if text and now - text.sent_at <= REMEMBERED_S["sms/select"]]

    def _standing(self, text: Text | None, method: str) -> dict[str, object]:
        now = self._store.now()
        known = text is not None and now - text.sent_at <= REMEMBERED_S[method]
        status = (text.status(now) if text and known else None) or UNKNOWN
        return {"status": status, "statustext": STATUSES[status]}

    def _info(self, fields: Mapping[str, str], request: Request) -> object:
        in_a_year = int(self._store.now()) + 365 * 24 * HOUR
        return {"remaincredit": self.credit(), "expiredate": in_a_year, "type": "master"}

    def credit(self) -> int:
        """Rials left, with what came back for messages that were not sent."""
        return self._store.fact("credit_rial", CREDIT_RIAL) + self._texts.given_back(self.slug)

    def set_credit(self, rials: int) -> None:
        self._store.set_fact("credit_rial", rials - self._texts.given_back(self.slug))

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


def _text(receptor: str, message: str, sender: str, *, handed: bool = False, **more: Any) -> Text:
    ends = end_of(receptor, service_line=handed)
    return Text(Kavenegar.slug, receptor, message, sender, ends, handed=handed, **more)
