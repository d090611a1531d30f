"""How much the outside world takes from four kept connections: `python -m tests.world.load [folder]`.

It must never be what a measured fan-out waits for. Prints one line of JSON; ends with 1 when the books are not exact.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.world_client import World

CONNECTIONS, TEXTS, LETTERS = 4, 12_000, 6_000
LETTER = (
    b"From: <no-reply@portal.example>\r\nTo: <%d@example.org>\r\nSubject: test\r\n"
    b"Message-ID: <%d@portal.example>\r\n\r\n" + b"A line of words as long as a letter has them.\r\n" * 40 + b".\r\n"
)


def send_texts(port: int, ids: range) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for id in ids:
            body = f"receptor=0912{id:07d}&message={quote('فاکتور ۱ صادر شد')}&localid={id}".encode()
            line.sendall(
                b"POST /kavenegar/v1/key/sms/send.json HTTP/1.1\r\nHost: world\r\nUser-Agent: load\r\n"
                b"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            answer = b""
            while b"]}" not in answer:
                answer += line.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:100]


def send_letters(port: int, ids: range) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = line.makefile("rb")

        def ask(words: bytes, code: bytes) -> None:
            if words:
                line.sendall(words)
            while (answer := said.readline())[3:4] == b"-":
                pass
            assert answer.startswith(code), answer

        ask(b"", b"220")
        ask(b"EHLO load\r\n", b"250")
        for id in ids:
            ask(b"MAIL FROM:<no-reply@portal.example>\r\n", b"250")
            ask(b"RCPT TO:<%d@example.org>\r\n" % id, b"250")
            ask(b"DATA\r\n", b"354")
            ask(LETTER % (id, id), b"250")


def rate(work: Callable[[int, range], None], port: int, count: int) -> float:
    """How many a second, all connections together."""
    threads = [
        threading.Thread(target=work, args=(port, range(start, count, CONNECTIONS))) for start in range(CONNECTIONS)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(count / (time.monotonic() - began))


def measure(world: World, texts: int, letters: int) -> dict[str, Any]:
    """Rates, what the books say afterwards, and the memory that the world took at most."""
    port = int(world.url.rpartition(":")[2])
    found: dict[str, Any] = {
        "sms_per_s": rate(send_texts, port, texts),
        "mails_per_s": rate(send_letters, world.smtp_port, letters),
    }
    sms, mail = world.sms_summary(), world.mail_summary()
    found["exact"] = (
        (sms["count"], sms["distinct_localids"], sms["repeats"], sms["doubles"]) == (texts, texts, 0, 0)
        and sorted(world.sms_localids()) == list(range(texts))
        and (mail["count"], mail["distinct_message_ids"], mail["doubles"]) == (letters, letters, 0)
    )
    if world.pid:
        status = Path(f"/proc/{world.pid}/status").read_text()
        found["memory_mb"] = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return found


if __name__ == "__main__":
    running = World().start(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    try:
        result = measure(running, TEXTS, LETTERS)
    finally:
        running.stop()
    print(json.dumps(result))
    sys.exit(0 if result["exact"] else 1)
