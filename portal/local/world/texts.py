"""The messages of all SMS operators: what was accepted, how far each has come, and phones that never answer well.

A phone's number says how it behaves, with any operator: after 0999 comes 011 for one that is switched off, 006 for one
that fails, 014 for one whose owner refuses advertising (a template reaches it all the same), 015 for one that stands on
the operators' black list, and then any four digits.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .store import Store, iso

HANDED_AFTER_S, FINAL_AFTER_S = 1.0, 2.0
SWITCHED_OFF, FAILING, NO_ADVERTISING, BLACK_LISTED = "011", "006", "014", "015"
ODD_PHONE = re.compile(r"(?:\+98|0098|98|0)?999(011|006|014|015)[0-9]{4}")
# The 7-bit alphabet of GSM: one other character turns a message into UCS-2.
GSM = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


@dataclass(frozen=True)
class Way:
    """The numbers that an operator gives to where a message stands before its end; None is "nothing known yet"."""

    scheduled: int | None
    queued: int | None
    handed: int | None


WAYS = {"kavenegar": Way(2, 1, 5), "smsir": Way(None, None, 3)}


@dataclass
class Text:
    """`cost` and what comes back of it (at `back_at`) are in the operator's own unit, Rials or messages."""

    operator: str
    receptor: str
    message: str
    sender: str
    ends: int
    localid: int | None = None
    template: str | None = None
    kind: str = "sms"
    # A template goes to the carrier at once; a plain message queues first.
    handed: bool = False
    starts_at: float = 0
    cost: int = 0
    back_at: float | None = None
    # Its end shall be told to the customer's own address.
    untold: bool = False
    messageid: int = 0
    sent_at: float = 0

    @property
    def final_at(self) -> float:
        return max(self.sent_at, self.starts_at) + FINAL_AFTER_S

    def status(self, now: float) -> int | None:
        age = now - max(self.sent_at, self.starts_at)
        way = WAYS[self.operator]
        if age < 0:
            return way.scheduled
        if age >= FINAL_AFTER_S:
            return self.ends
        return way.handed if self.handed or age >= HANDED_AFTER_S else way.queued

    def as_json(self, now: float) -> dict[str, object]:
        return {
            "operator": self.operator,
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

    def put(self, text: Text, *, comes_back: bool = False) -> Text:
        """The text with its id and time; `comes_back`: the operator gives back what it cost once it has failed."""
        text.sent_at = self._store.now()
        text.back_at = text.final_at if comes_back else None
        row = {name: value for name, value in vars(text).items() if name != "messageid"}
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        text.messageid = self._store.run(f"INSERT INTO texts ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
        return text

    def by_id(self, operator: str, messageid: int) -> Text | None:
        return self._first("operator = ? AND messageid = ?", [operator, messageid])

    def by_localid(self, localid: int) -> Text | None:
        return self._first("localid = ?", [localid])

    def all(self) -> list[Text]:
        """Oldest first."""
        return list(self._where("1 = 1", []))

    def last(self, count: int) -> list[Text]:
        """Newest first."""
        return list(self._where("1 = 1", [count], "DESC LIMIT ?"))

    def localids(self) -> list[int]:
        rows = self._store.rows("SELECT localid FROM texts WHERE localid IS NOT NULL ORDER BY messageid")
        return [row["localid"] for row in rows]

    def given_back(self, operator: str) -> int:
        """What this operator gave back until now for messages that did not arrive."""
        asked = "SELECT TOTAL(cost) AS total FROM texts WHERE operator = ? AND back_at <= ?"
        row = self._store.one(asked, [operator, self._store.now()])
        return int(row["total"]) if row else 0

    def to_tell(self, at_most: int) -> list[Text]:
        """Messages at their end that nobody was told of."""
        now = self._store.now()
        return [text for text in self._where("untold = 1", [at_most], "LIMIT ?") if text.final_at <= now]

    def told(self, text: Text) -> None:
        self._store.run("UPDATE texts SET untold = 0 WHERE messageid = ?", [text.messageid])

    def summary(self) -> dict[str, object]:
        """`doubles` are messages with words that the same phone had before, of any operator."""
        now = self._store.now()
        texts = self.all()
        by_operator = {
            operator: dict(Counter(str(text.status(now)) for text in texts if text.operator == operator))
            for operator in WAYS
        }
        localids = [text.localid for text in texts if text.localid is not None]
        return {
            "count": len(texts),
            "distinct_localids": len(set(localids)),
            "without_localid": len(texts) - len(localids),
            "repeats": self._store.fact("repeated_localids", 0),
            "doubles": len(texts) - len({(phone(text.receptor), text.message) for text in texts}),
            "operators": {
                operator: {"count": sum(statuses.values()), "status": statuses}
                for operator, statuses in by_operator.items()
            },
        }

    def _first(self, condition: str, values: list[object]) -> Text | None:
        return next(self._where(condition, values, "LIMIT 1"), None)

    def _where(self, condition: str, values: list[object], limit: str = "") -> Iterator[Text]:
        # Conditions and limits are from this file only.
        rows = self._store.rows(f"SELECT * FROM texts WHERE {condition} ORDER BY messageid {limit}", values)  # noqa: S608
        return map(_text, rows)


def _text(row: sqlite3.Row) -> Text:
    return Text(**dict(row))


def phone(receptor: str) -> str:
    """The ten digits of a mobile number in any of the ways to write it."""
    return receptor[-10:]


def odd_phone(receptor: str) -> str:
    """How this phone behaves; empty for one that receives what it is sent."""
    found = ODD_PHONE.fullmatch(receptor)
    return found[1] if found else ""


def utf16_length(text: str) -> int:
    """Emoji count twice, as phones count them."""
    return len(text.encode("utf-16-le")) // 2


def parts_of(text: str) -> int:
    single, each = (160, 153) if GSM.fullmatch(text) else (70, 67)
    length = utf16_length(text)
    return 1 if length <= single else -(-length // each)
