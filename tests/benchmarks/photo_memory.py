"""Peak memory that the upload of a photo of 10 MB costs the web process, as a multiple of the file's size."""

import http.client
import io
import os
import re
import statistics
from pathlib import Path
from typing import Any

from tests.benchmarks.dashboard import serve, signed_in, wait_until_open
from tests.browser.stack import free_ports

ROUNDS, LIMIT = 5, 4.0
PATH, BOUNDARY = "/profile/photo-id/", "b0undary"


def photo(size: tuple[int, int] = (4000, 3000)) -> bytes:
    """A camera's JPEG; of 12 megapixels it has just under 10 MB."""
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, "JPEG", quality=91)
    return out.getvalue()


def upload(port: int, headers: dict[str, str], jpeg: bytes) -> None:
    """What a browser sends; the token is its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", PATH, headers=headers)
    page = connection.getresponse()
    csrf = re.search(r"csrftoken=([^;]+)", page.headers["Set-Cookie"])[1]  # type: ignore[index]
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.read())[1].decode()  # type: ignore[index]
    part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    head = f'{part}"csrfmiddlewaretoken"\r\n\r\n{token}\r\n{part}"photo"; filename="a.jpg"\r\n\r\n'
    sent = {**headers, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    sent["Cookie"] += f"; csrftoken={csrf}"
    connection.request("POST", PATH, head.encode() + jpeg + f"\r\n--{BOUNDARY}--\r\n".encode(), sent)
    if (answer := connection.getresponse()).status != 302:
        raise RuntimeError(f"the upload was answered with {answer.status}")
    connection.close()


def worker_of(master: int) -> int:
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def memory(process: int, what: str) -> int:
    """Bytes, from the process's status."""
    line = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(line[1]) * 1024  # type: ignore[index]


def run() -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    headers, jpeg = signed_in(), photo()
    (port,) = free_ports(1)
    master = serve("portal.wsgi", port)
    costs = []
    try:
        wait_until_open(port)
        worker = worker_of(master.pid)
        upload(port, headers, photo((40, 30)))  # what the first of its kind loads for good
        for _ in range(ROUNDS):
            Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak starts anew
            before = memory(worker, "VmRSS")
            upload(port, headers, jpeg)
            costs.append(memory(worker, "VmHWM") - before)
    finally:
        master.terminate()
        master.wait()
    value = max(costs)
    ratio = value / len(jpeg)
    return {
        "name": "memory of uploading a photo of 10 MB",
        "value": value / 2**20,
        "reference": len(jpeg) / 2**20,
        "ratio": ratio,
        "unit": f"MiB at the peak, the most of {ROUNDS} uploads (median {statistics.median(costs) / 2**20:.0f})",
        "against": "the file's size",
        "limit": f"<={LIMIT}",
        "holds": ratio <= LIMIT,
    }
