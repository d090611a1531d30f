"""Encrypted columns: the fields of django-encrypted-model-fields, made strict.

The stock fields return ciphertext under a wrong key, decrypt what a form sends, store the repr of an expression, read
their keys at import and open a token wherever it was copied to (measured on django-encrypted-model-fields 0.6.5, each
defect beside its mend in tests/portal/test_stock_defects.py). These subclasses refuse instead.

What a token holds: 16 bytes that bind it to its table, column and row, the value, and padding to a multiple of 64
bytes, so that neither a moved token opens nor the length tells a word. Its time is 0: a dump does not say who was
saved when.
"""

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.fernet import InvalidToken
from django.core import checks
from django.core.exceptions import FieldError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DataError, models
from django.db.models import NOT_PROVIDED, lookups
from django.db.models.query_utils import DeferredAttribute
from django.utils import timezone
from django.utils.functional import cached_property
from encrypted_model_fields import fields as emf

from .index import SealedExact, SealedIn
from .keys import box
from .resealing import BINDING, binding

BLOCK, END = 64, b"\x80"  # bytes; padding as in ISO/IEC 7816-4: one END, then zeros


class CannotOpen(Exception):
    """A stored value opens with no configured key, or not in this row. The message names the column alone."""


class Unopened(NamedTuple):
    """A value as it came from the database; it is opened when somebody reads the attribute of its row."""

    token: str

    def __repr__(self) -> str:
        return "<sealed>"


class Token(str):
    """A value sealed for its row, ready to be written."""


class SealedAttribute(DeferredAttribute):
    """Opens an Unopened value on its first reading, so that a row costs only what is shown of it."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is not None:
            value = instance.__dict__.get(self.field.attname)
            if type(value) is Unopened:
                opened = self.field.open(value.token, self.field.owner(instance))  # type: ignore[attr-defined]
                instance.__dict__[self.field.attname] = opened
        return super().__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedMixin:
    """Sealed on the way in, opened on the way out, and nothing in between.

    A model whose key the database makes names in `sealed_to` the attribute that its tokens are bound to instead; it
    must never change.
    """

    blind_index: str | None = None
    descriptor_class = SealedAttribute

    if TYPE_CHECKING:  # the package ships no types: to a type checker an attribute is whatever was sealed

        def __get__(self, instance: Any, owner: Any) -> Any: ...

        def __set__(self, instance: Any, value: Any) -> None: ...

        model: type[models.Model]
        name: str
        column: str
        null: bool
        max_length: int | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.serialize = False  # `dumpdata` would write it in clear

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        return name, path, args, {key: value for key, value in kwargs.items() if key != "serialize"}

    # --- one value ---------------------------------------------------------------------------------------------------

    def owner(self, instance: models.Model) -> str:
        """What binds this row's tokens; raises FieldError while the row has no such thing."""
        owner = getattr(instance, self.bound_to)
        if owner is None:
            raise FieldError(f"{self._where}: the row must have its key before a value is sealed for it")
        return str(owner)

    @cached_property
    def bound_to(self) -> str:
        """The attribute of the row that its tokens are bound to."""
        key: Any = self.model._meta.pk
        return str(getattr(self.model, "sealed_to", key.attname))

    def seal(self, value: Any, owner: str) -> Token:
        """The token of a value, for this row alone."""
        text = self.plain(value)
        if self.max_length is not None and len(text) > self.max_length:  # what a plain column's type would say
            raise DataError(f"{self._where}: longer than {self.max_length} characters")
        inside = self.binding(owner) + text.encode() + END
        return Token(box("field").encrypt_at_time(inside.ljust(-(-len(inside) // BLOCK) * BLOCK, b"\0"), 0).decode())

    def open(self, token: str, owner: str) -> Any:
        """The value of a token of this row; raises CannotOpen."""
        try:
            inside = box("field").decrypt(token)
        except InvalidToken:
            raise CannotOpen(f"{self._where} opens with no configured key") from None
        if inside[:BINDING] != self.binding(owner):
            raise CannotOpen(f"{self._where} holds a token that was sealed for another place")
        return self.opened(inside[BINDING:].rstrip(b"\0")[:-1].decode())

    def binding(self, owner: str) -> bytes:
        """The bytes that stand before a value of this row and column."""
        return binding(self._place, owner)

    @cached_property
    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    @property
    def _where(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def plain(self, value: Any) -> str:
        return str(value)

    def opened(self, text: str) -> Any:
        return self.to_python(text)

    # --- what Django asks --------------------------------------------------------------------------------------------

    def to_python(self, value: Any) -> Any:
        # Skips the package's own to_python, which decrypts input and so is an oracle for pasted tokens.
        return super(emf.EncryptedMixin, self).to_python(value)  # type: ignore[misc]

    def from_db_value(self, value: str | None, *_: Any) -> Unopened | None:
        return None if value is None else Unopened(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Token | None:
        value = super().pre_save(model_instance, add)  # type: ignore[misc]
        if hasattr(value, "resolve_expression"):
            raise FieldError(f"{self._where}: a database expression cannot write a sealed column")
        value = self.to_python(value)
        # An empty text and none at all are one thing, or an encrypted nothing would look like a value.
        return None if value is None or (value == "" and self.null) else self.seal(value, self.owner(model_instance))

    def get_db_prep_save(self, value: Any, connection: Any) -> Token | None:
        if value is None or isinstance(value, Token):
            return value
        raise FieldError(f"{self._where} is sealed for its row: save the row")

    def get_lookup(self, name: str) -> Any:
        if name == "isnull":
            return lookups.IsNull
        if self.blind_index and name in ("exact", "iexact", "in"):
            return SealedIn if name == "in" else SealedExact
        return None  # Django then raises FieldError "Unsupported lookup"

    def get_transform(self, name: str) -> Any:
        return None

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        errors: list[checks.CheckMessage] = super().check(**kwargs)  # type: ignore[misc]
        meta = self.model._meta
        for wish in ("unique", "db_index", "primary_key", "unique_for_date"):
            if getattr(self, wish, None):
                errors.append(self._error("E001", f"a sealed field cannot be {wish}; add a BlindIndexField"))
        together = [fields for fields in meta.unique_together if self.name in fields]
        if together or any(self.name in getattr(each, "fields", ()) for each in (*meta.constraints, *meta.indexes)):
            errors.append(self._error("E001", "no index or uniqueness holds on ciphertext; use its BlindIndexField"))
        if getattr(self, "db_default", NOT_PROVIDED) is not NOT_PROVIDED:
            errors.append(self._error("E002", "db_default would stand in the schema in clear"))
        if self.name in {str(o).lstrip("-") for o in meta.ordering or ()}:
            errors.append(self._error("E003", "cannot order by ciphertext"))
        return errors

    def _error(self, number: str, words: str) -> checks.Error:
        return checks.Error(words, obj=self, id=f"sealed.{number}")


class SealedCharField(SealedMixin, emf.EncryptedCharField):
    """Sealed text of one line."""


class SealedTextField(SealedMixin, emf.EncryptedTextField):
    """Sealed text of any length."""


class SealedEmailField(SealedMixin, emf.EncryptedEmailField):
    """Sealed e-mail address."""


class SealedDateField(SealedMixin, emf.EncryptedDateField):
    """Sealed `datetime.date`, ISO 8601 inside."""

    def plain(self, value: dt.date) -> str:
        return value.isoformat()


class SealedDateTimeField(SealedMixin, emf.EncryptedDateTimeField):
    """Sealed aware `datetime.datetime`, ISO 8601 in UTC inside."""

    def plain(self, value: dt.datetime) -> str:
        aware = value if timezone.is_aware(value) else timezone.make_aware(value)
        return aware.astimezone(dt.UTC).isoformat()

    def opened(self, text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text)


class SealedBooleanField(SealedMixin, emf.EncryptedBooleanField):
    """Sealed yes or no."""

    def plain(self, value: bool) -> str:
        return "1" if value else "0"


class SealedIntegerField(SealedMixin, emf.EncryptedBigIntegerField):
    """Sealed integer of 64 bits."""

    default_validators = [MinValueValidator(-(2**63)), MaxValueValidator(2**63 - 1)]
    # The package takes the range from the letters of the class's name.
    validators = models.Field.validators


class SealedJSONField(SealedMixin, emf.EncryptedTextField):
    """Sealed JSON value (objects, lists, strings, numbers)."""

    def to_python(self, value: Any) -> Any:
        return value

    def plain(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def opened(self, text: str) -> Any:
        return json.loads(text)
