"""The tests' side door to the phone and the mailboxes.

GET  /control/sms             every message of both operators, oldest first
GET  /control/sms/summary     how many, how many different localids, how often a known localid was sent again
                              (`repeats`), `doubles` that a phone got, and how many by operator and status
GET  /control/sms/localids    plain text, one on a line, in the order of sending
GET  /control/mail            every letter that was taken, oldest first
GET  /control/mail/summary    how many, how many different Message-IDs, `doubles`, how many by fate, and how many
                              reports lie in the bounce mailbox
GET  /control/bounces         the bounce mailbox: uid, size and time; its letters are read by POP
POST /control/credit          {"rial": 5000} left at Kavenegar, or {"messages": 3} left at SMS.ir
POST /control/push            {"url": "http://127.0.0.1:…", "how": "get", "form" or "json"}: Kavenegar tells of
                              messages at their end; an empty url ends it
POST /control/push/now        {"pushes": [{"messageid": 1, "status": 10}, …]}: tells just these in this order, also
                              again or untrue; answers the HTTP status that each got, null for none
"""

from .bounces import BounceBox, as_json
from .control import whole_number
from .kavenegar import Kavenegar
from .mailbox import Mailbox
from .push import BadPush, Push
from .smsir import SmsIr
from .store import Store
from .texts import Texts
from .wire import BadBody, Reply, Request, Route


class MessageControl:
    def __init__(
        self,
        store: Store,
        texts: Texts,
        mailbox: Mailbox,
        box: BounceBox,
        push: Push,
        kavenegar: Kavenegar,
        smsir: SmsIr,
    ) -> None:
        self._store, self._texts, self._mailbox, self._box, self._push = store, texts, mailbox, box, push
        self._kavenegar, self._smsir = kavenegar, smsir

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/control/sms", self._show_sms),
            Route("GET", "/control/sms/summary", lambda request: Reply.of(self._texts.summary())),
            Route("GET", "/control/sms/localids", self._show_localids),
            Route("GET", "/control/mail", self._show_mail),
            Route("GET", "/control/mail/summary", self._sum_mail),
            Route("GET", "/control/bounces", lambda request: Reply.of(as_json(self._box))),
            Route("POST", "/control/credit", self._set_credit),
            Route("POST", "/control/push", self._set_push),
            Route("POST", "/control/push/now", self._push_now, alone=False),
        ]

    def _show_sms(self, request: Request) -> Reply:
        now = self._store.now()
        return Reply.of([text.as_json(now) for text in self._texts.all()])

    def _show_localids(self, request: Request) -> Reply:
        lines = "".join(f"{localid}\n" for localid in self._texts.localids())
        return Reply(200, lines.encode(), "text/plain; charset=utf-8")

    def _show_mail(self, request: Request) -> Reply:
        return Reply.of([letter.as_json() for letter in self._mailbox.all()])

    def _sum_mail(self, request: Request) -> Reply:
        return Reply.of(self._mailbox.summary() | {"in_bounce_mailbox": len(self._box.list())})

    def _set_credit(self, request: Request) -> Reply:
        for name, company in (("rial", self._kavenegar), ("messages", self._smsir)):
            left = whole_number(request, name)
            if left is not None:
                company.set_credit(left)
                return Reply.of({"ok": True})
        return Reply.of({"error": "rial or messages is a whole number, not negative"}, 400)

    def _set_push(self, request: Request) -> Reply:
        try:
            asked = request.json()
            self._push.set(str(asked["url"]), str(asked.get("how", "get")))
        except (BadBody, KeyError, BadPush) as error:
            return Reply.of({"error": str(error)}, 400)
        return Reply.of({"ok": True})

    def _push_now(self, request: Request) -> Reply:
        try:
            pushes = request.json()["pushes"]
            wanted = [(int(one["messageid"]), int(one["status"])) for one in pushes]  # type: ignore[attr-defined]
        except (BadBody, KeyError, TypeError, ValueError):
            return Reply.of({"error": "pushes is a list of messageid and status"}, 400)
        return Reply.of([self._push.now(*one) for one in wanted])
