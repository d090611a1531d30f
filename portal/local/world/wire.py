"""One HTTP request and one HTTP answer, as the companies outside would see and give them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

type_json = "application/json; charset=utf-8"
type_html = "text/html; charset=utf-8"
type_xml = "text/xml; charset=utf-8"


class BadBody(Exception):
    """The body is not what its content type says."""


@dataclass(frozen=True)
class Request:
    """`path` is decoded and starts with a slash; `headers` has lower-case names."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    # What a test asked this one call to say differently, for example {"amount": 1}.
    twist: Mapping[str, object] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """Fields of a form body; the first of a repeated name wins."""
        return first_of_each(self.body)

    def json(self) -> dict[str, object]:
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise BadBody("not JSON") from error
        if not isinstance(value, dict):
            raise BadBody("not a JSON object")
        return value


def first_of_each(encoded: bytes | str) -> dict[str, str]:
    text = encoded.decode("utf-8", "replace") if isinstance(encoded, bytes) else encoded
    fields: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        fields.setdefault(name, value)
    return fields


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = type_json
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> "Reply":
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), type_json)

    @classmethod
    def html(cls, page: str, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        return cls(status, page.encode(), type_html, headers or {})

    @classmethod
    def see_other(cls, url: str) -> "Reply":
        return cls(303, b"", type_html, {"Location": url})


@dataclass(frozen=True)
class Callback:
    """What the customer's browser carries back to the merchant."""

    method: str
    url: str
    fields: Mapping[str, str]

    @property
    def address(self) -> str:
        """The whole address of a GET callback."""
        if not self.fields:
            return self.url
        return self.url + ("&" if "?" in self.url else "?") + urlencode(self.fields)


@dataclass(frozen=True)
class Route:
    """`path` may end in `*`; gateway and op name the queue of scripted behaviours, empty for pages and control.

    Where one address serves several operations, `op` is a function that finds out which of them a request wants.
    """

    method: str
    path: str
    handle: Callable[[Request], Reply]
    gateway: str = ""
    op: str | Callable[[Request], str] = ""
    # One step of the books, which nothing else can come between. Not for what waits for a stranger's answer.
    alone: bool = True

    def op_of(self, request: Request) -> str:
        return self.op if isinstance(self.op, str) else self.op(request)

    def fits(self, request: Request) -> bool:
        if self.method != request.method:
            return False
        if self.path.endswith("*"):
            return request.path.startswith(self.path[:-1])
        return self.path == request.path
