"""What a log line may not show: an address that opens something."""

import logging
import re

# The hook's secret, wherever a server or a framework writes down what was asked for.
SECRET = re.compile(r"(/hooks/sms/)[^/\s?\"']+")


class HideSecretPaths(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        hidden = SECRET.sub(r"\1••••••", said)
        if hidden != said:
            record.msg, record.args = hidden, ()
        return True
