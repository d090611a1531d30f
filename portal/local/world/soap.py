"""SOAP 1.1 as two of the banks speak it: one operation in one envelope, and a Fault for what is no such thing."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from .wire import Reply, Request, type_xml

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
LONG = re.compile(r"[+-]?[0-9]{1,19}")


class Unreadable(Exception):
    """The sender's mistake; its words go into the Fault."""


@dataclass(frozen=True)
class Call:
    """`element` is the only child of the Body."""

    namespace: str
    op: str
    element: ET.Element


def called(request: Request) -> Call:
    if b"<!DOCTYPE" in request.body:
        raise Unreadable("A SOAP message must not contain a Document Type Declaration")
    try:
        envelope = ET.fromstring(request.body)  # noqa: S314 - no DOCTYPE, so no entities
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Unreadable("The message is not well-formed XML") from error
    parts = [part.tag for part in envelope]
    header, body = f"{{{ENVELOPE}}}Header", f"{{{ENVELOPE}}}Body"
    if envelope.tag != f"{{{ENVELOPE}}}Envelope" or parts not in ([body], [header, body]):
        raise Unreadable("The message is not an Envelope of SOAP 1.1 with one Body")
    operations = list(envelope[-1])
    if len(operations) != 1:
        raise Unreadable("The Body does not hold exactly one operation")
    namespace, name = _split(operations[0].tag)
    return Call(namespace, name, operations[0])


def answer(request: Request, work: Callable[[Call], Reply]) -> Reply:
    """What `work` makes of the call, or a Fault when it or the envelope is unreadable."""
    if request.content_type != "text/xml":
        return Reply(415, b"", type_xml)
    try:
        return work(called(request))
    except Unreadable as error:
        return fault("soap:Client", str(error))


def op_in(request: Request, ops: dict[str, str]) -> str:
    """The script's name of the operation, empty for an unknown or unreadable one."""
    try:
        return ops.get(called(request).op, "")
    except Unreadable:
        return ""


def fields(parent: ET.Element, namespace: str) -> dict[str, str]:
    """Children in their order; each is flat, named once and in this very namespace (empty: in none)."""
    found: dict[str, str] = {}
    for child in parent:
        space, name = _split(child.tag)
        if space != namespace or len(child) or name in found:
            raise Unreadable(f"Unexpected element {child.tag}")
        found[name] = child.text or ""
    return found


def long(text: str) -> int:
    value = int(text) if LONG.fullmatch(text.strip()) else 2**63
    if not -(2**63) <= value < 2**63:
        raise Unreadable("Not a number of xs:long")
    return value


def element(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value), quote=False)}</{name}>"


def reply(inner: str, status: int = 200) -> Reply:
    whole = f'<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>{inner}</soap:Body></soap:Envelope>'
    return Reply(status, whole.encode(), type_xml)


def fault(code: str, text: str) -> Reply:
    told = element("faultcode", code) + element("faultstring", text)
    return reply(f"<soap:Fault>{told}</soap:Fault>", 500)


def _split(tag: str) -> tuple[str, str]:
    space, _, name = tag.rpartition("}")
    return space.removeprefix("{"), name
