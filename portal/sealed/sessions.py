"""Sessions in PostgreSQL whose payload is sealed: sign-up and sign-in keep addresses and codes in them."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from .keys import box


class SessionStore(DatabaseStore):
    """Django's table and API; only what stands in `session_data` differs."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return box("session").encrypt(self.serializer().dumps(session_dict)).decode()

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        try:
            payload: dict[str, Any] = self.serializer().loads(box("session").decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}  # an unreadable session is no session: its owner signs in again
        return payload

    @classmethod
    def get_model_class(cls) -> Any:
        from django.contrib.sessions.models import Session

        return Session
