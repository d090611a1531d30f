"""What a browser says it is: kind of device, browser and operating system.

The classes of `user-agents` stand on ua-parser's old call, which runs pure Python for 0.6 ms a header and up to 95 ms
for a hostile one. Here they stand on its new call, which takes the compiled rules, and a header is read once a process.
"""

import re
from functools import lru_cache

import ua_parser
from user_agents import parsers

LONGEST = 512  # characters of a User-Agent header that are read at all
KNOWN = 4096  # headers remembered a process

TOOL = re.compile(
    r"curl/|wget/|python|aiohttp|httpx|go-http-client|headless|phantomjs|okhttp|java/|libwww|apache-httpclient|axios"
    r"|node-fetch|undici|scrapy|postman|insomnia|playwright|puppeteer|selenium|\bbot\b|bot[/;)]|crawler|spider|monitor",
    re.IGNORECASE,
)
TV = re.compile(
    r"smart-?tv|google ?tv|android ?tv|apple ?tv|\btv\b|hbbtv|netcast|web0s|webos\.tv|bravia|crkey|\baft[a-z]{1,4}\b"
    r"|roku|vidaa|viera|aquos|tizen.+\btv\b",
    re.IGNORECASE,
)
# What browsers write in place of the truth since they freeze their header: nothing is known from these.
FROZEN_OS = {("Windows", "10"), ("Mac OS X", "10")}
PLACEHOLDER = re.compile(r"Android 10; K[);]")
NAMES = {"Mac OS X": "macOS", "Other": ""}


class UserAgent(parsers.UserAgent):
    """The API that `request.user_agent` has with django-user-agents, and a few rules that its data lack."""

    def __init__(self, ua_string: str) -> None:
        found = ua_parser.parse(ua_string).with_defaults()
        browser, system, device = found.user_agent, found.os, found.device
        self.ua_string = ua_string
        self.browser = parsers.parse_browser(browser.family, browser.major, browser.minor, browser.patch)
        self.os = parsers.parse_operating_system(system.family, system.major, system.minor, system.patch)
        self.device = parsers.parse_device(device.family, device.brand, device.model)
        if "OpenHarmony" in ua_string:
            version = re.search(r"OpenHarmony ([0-9]+)", ua_string)
            self.os = parsers.parse_operating_system("HarmonyOS", version and version[1])
        if PLACEHOLDER.search(ua_string):
            self.os = parsers.parse_operating_system("Android")
            self.device = parsers.parse_device("Other", None, None)

    @property
    def is_bot(self) -> bool:
        return bool(super().is_bot or TOOL.search(self.ua_string))

    @property
    def is_tv(self) -> bool:
        return bool(TV.search(self.ua_string))

    @property
    def is_tablet(self) -> bool:
        return not self.is_tv and bool(super().is_tablet or "Tablet;" in self.ua_string)

    @property
    def is_mobile(self) -> bool:
        if self.is_tv or self.is_tablet:
            return False
        return bool(super().is_mobile or "Phone; OpenHarmony" in self.ua_string)

    @property
    def is_pc(self) -> bool:
        return not self.is_tv and bool(super().is_pc or "PC; OpenHarmony" in self.ua_string)

    @property
    def kind(self) -> str:
        """One of `Kind`; "unknown" where the header does not say."""
        for kind, is_it in (
            ("bot", self.is_bot),
            ("tv", self.is_tv),
            ("tablet", self.is_tablet),
            ("phone", self.is_mobile),
            ("computer", self.is_pc),
        ):
            if is_it:
                return kind
        return "unknown"

    @property
    def facts(self) -> dict[str, str]:
        """What is kept of the header: families and major versions. Empty means that the browser does not tell."""
        major = str(self.os.version[0]) if self.os.version else ""
        # Safari 26 and later write iOS 18 for ever; ChromeOS writes the number of a build.
        if (
            (self.os.family, major) in FROZEN_OS
            or (self.os.family == "iOS" and major == "18" and self.browser.version[:1] >= (26,))
            or self.os.family == "Chrome OS"
        ):
            major = ""
        return {
            "kind": self.kind,
            "browser": NAMES.get(self.browser.family, self.browser.family)[:40],
            "browser_major": str(self.browser.version[0] if self.browser.version else "")[:8],
            "os": NAMES.get(self.os.family, self.os.family)[:40],
            "os_major": major[:8],
        }


@lru_cache(maxsize=KNOWN)
def recognise(ua_string: str) -> UserAgent:
    """Read a header; the caller cuts it to LONGEST first, or strangers could fill the memory with long ones."""
    return UserAgent(ua_string)
