"""The companies that carry a message. Nothing here knows a row of ours."""


class TransportError(Exception):
    """Why a message did not go. The text is a short code alone: no address, no key, no words of the message.

    `permanent`: the same again would fail again. `ours`: it is for our staff to mend, not the receiver's doing.
    `maybe_sent`: the provider may have taken it before the answer was lost.
    """

    def __init__(self, code: str, *, permanent: bool = False, ours: bool = False, maybe_sent: bool = False) -> None:
        super().__init__(code)
        self.code, self.permanent, self.ours, self.maybe_sent = code, permanent, ours, maybe_sent
