"""The one HTTP port of the outside world: finds whose call it is, and lets the script have its say."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .bank import Bank, Gateway
from .bounces import BounceBox, Post
from .control import Control
from .control_messages import MessageControl
from .desk import Desk
from .kavenegar import Kavenegar
from .ledger import Ledger
from .mail_server import PostOffice
from .mailbox import Mailbox
from .mellat import Mellat
from .parsian import Parsian
from .pasargad import Pasargad
from .playing import play, send
from .push import Push
from .sadad import Sadad
from .scripts import Scripts
from .sep import Sep
from .settlement import Settlement
from .smsir import SmsIr
from .store import Store
from .texts import Texts
from .wire import Reply, Request, Route, first_of_each
from .zarinpal import Zarinpal
from .zibal import Zibal

BODY_AT_MOST = 2 * 1024 * 1024
STATIC = Path(__file__).parent / "static"
ASSETS = {"world.css": "text/css; charset=utf-8", "submit.js": "text/javascript; charset=utf-8"}
# Persian letters on a machine without a Persian font: borrowed from the admin theme when that is installed.
FONT = "vazirmatn-arabic.woff2"
Company = Callable[[Store, Ledger], Gateway]


class World:
    """Everything behind the three ports."""

    def __init__(self, folder: Path | None, bounce_domain: str, push_url: str) -> None:
        self.store = Store(folder)
        self.scripts = Scripts()
        ledger, texts, mailbox = Ledger(self.store), Texts(self.store), Mailbox(self.store)
        box = BounceBox(self.store)
        self.post_office = PostOffice(Post(self.store, mailbox, box, bounce_domain), box, self.scripts)
        push = Push(self.store, texts)
        push.set(push_url, "get")
        kavenegar, smsir = Kavenegar(self.store, texts, push), SmsIr(self.store, texts)
        companies: list[Company] = [Sep, Mellat, Sadad, Parsian, Pasargad, Zarinpal, Zibal]
        self.bank = Bank(ledger, [company(self.store, ledger) for company in companies])
        self._refusals = {kavenegar.slug: kavenegar.refuse, smsir.slug: smsir.refuse}
        self._refusals |= {slug: gateway.refuse for slug, gateway in self.bank.gateways.items()}
        control = Control(self.store, ledger, self.bank, self.scripts, push)
        messages = MessageControl(self.store, texts, mailbox, box, push, kavenegar, smsir)
        desk = Desk(self.store, texts, mailbox, ledger, self.bank.gateways.keys())
        self.routes = [
            *self.bank.routes(),
            *kavenegar.routes(),
            *smsir.routes(),
            *control.routes(),
            *messages.routes(),
            *desk.routes(),
            *Settlement(ledger, self.bank.gateways.keys()).routes(),
            Route("GET", "/static/*", asset),
        ]

    def answer(self, request: Request, to: BaseHTTPRequestHandler) -> None:
        route = next((route for route in self.routes if route.fits(request)), None)
        if route is None:
            known = any(route.path == request.path for route in self.routes)
            send(to, Reply.of({"error": "method" if known else "no such address"}, 405 if known else 404))
            return
        op = route.op_of(request)
        step = self.scripts.take(route.gateway, op) if op else "ok"
        twisted = request if isinstance(step, str) else replace(request, twist=step)
        wait = self.scripts.latency.get(route.gateway, 0) if op else 0
        if wait:
            time.sleep(wait)
        play(step, to, partial(self._work, route, twisted), partial(self._refuse, route.gateway, op))

    def _work(self, route: Route, request: Request) -> Reply:
        if not route.alone:
            return route.handle(request)
        with self.store.step():
            return route.handle(request)

    def _refuse(self, gateway: str, op: str, code: int) -> Reply:
        return self._refusals[gateway](op, code)


def asset(request: Request) -> Reply:
    name = request.path.removeprefix("/static/")
    if name in ASSETS:
        return Reply(200, (STATIC / name).read_bytes(), ASSETS[name])
    if name == FONT and (found := font()):
        return Reply(200, found.read_bytes(), "font/woff2")
    return Reply.of({"error": "no such file"}, 404)


def font() -> Path | None:
    try:
        files = metadata.files("django-unfold-farsi") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == FONT), None)


def listen(world: World, port: int) -> ThreadingHTTPServer:
    """A bound server; the caller runs it. Port 0 takes a free one."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "OutsideWorld"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            size = self.headers.get("Content-Length", "0")
            if not size.isdecimal() or int(size) > BODY_AT_MOST:
                self.close_connection = True
                return send(self, Reply.of({"error": "too large"}, 413))
            target = urlsplit(self.path)
            request = Request(
                method=self.command,
                path=unquote(target.path),
                query=first_of_each(target.query),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(size)),
            )
            try:
                world.answer(request, self)
            except Exception as error:
                # One broken call must not end the world. Its kind only is said: words and paths carry codes and keys.
                part = target.path.split("/")[1]
                print(f"outside world: {type(error).__name__} in {part}", file=sys.stderr, flush=True)
                send(self, Reply.of({"error": type(error).__name__}, 500))

        def log_message(self, format: str, *args: object) -> None:
            """No access log: addresses carry keys, codes and cards."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    return Server(("127.0.0.1", port), Door)
