"""Encrypted columns: the fields of django-encrypted-model-fields, made strict.

The stock fields return ciphertext under a wrong key, decrypt what a form sends, store the repr of an expression and
read their keys at import. These subclasses refuse instead (facts measured on django-encrypted-model-fields 0.6.5).
"""

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.fernet import InvalidToken
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import NOT_PROVIDED, lookups
from django.db.models.expressions import Case, Value, When
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute
from encrypted_model_fields import fields as emf

from .index import SealedExact, SealedIn
from .keys import box


class CannotOpen(Exception):
    """A stored value opens with no configured key. The message names the column, never the value."""


def _is_literal_tree(expression: Any, field: models.Field) -> bool:
    """Whether this is bulk_update's own Case/When/Value tree, whose leaves are sealed one by one."""
    if isinstance(expression, Value):
        return expression.value is None or expression.output_field is field
    if isinstance(expression, When):
        return _is_literal_tree(expression.result, field)
    if isinstance(expression, Case):
        return all(_is_literal_tree(e, field) for e in (*expression.cases, expression.default))
    if isinstance(expression, Cast):
        return all(_is_literal_tree(e, field) for e in expression.get_source_expressions())
    return False


class Unopened(NamedTuple):
    """A value as it came from the database; it is opened when somebody reads the attribute."""

    token: str


class SealedAttribute(DeferredAttribute):
    """Opens an Unopened value on its first reading, so that a row costs only what is shown of it."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is not None:
            value = instance.__dict__.get(self.field.attname)
            if type(value) is Unopened:
                instance.__dict__[self.field.attname] = self.field.from_db_value(value.token)  # type: ignore[attr-defined]
        return super().__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedMixin:
    """Sealed on the way in, opened on the way out, and nothing in between."""

    blind_index: str | None = None
    descriptor_class = SealedAttribute

    if TYPE_CHECKING:  # the package ships no types: to a type checker an attribute is whatever was sealed

        def __get__(self, instance: Any, owner: Any) -> Any: ...

        def __set__(self, instance: Any, value: Any) -> None: ...

    def to_python(self, value: Any) -> Any:
        # Skips the package's own to_python, which decrypts input and so is an oracle for pasted tokens.
        return super(emf.EncryptedMixin, self).to_python(value)  # type: ignore[misc]

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        if value is None:
            return None
        try:
            return self.opened(box("field").decrypt(value.encode()).decode())
        except InvalidToken:
            raise CannotOpen(f"{self.model._meta.label}.{self.name} opens with no configured key") from None  # type: ignore[attr-defined]

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql"):
            if _is_literal_tree(value, self):  # type: ignore[arg-type]
                return value
            raise FieldError(f"{self.name}: a database expression cannot write a sealed column")  # type: ignore[attr-defined]
        value = self.to_python(value)
        return None if value is None else box("field").encrypt(self.plain(value).encode()).decode()

    def plain(self, value: Any) -> str:
        return str(value)

    def opened(self, text: str) -> Any:
        return self.to_python(text)

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
        for wish in ("unique", "db_index", "primary_key", "unique_for_date"):
            if getattr(self, wish, None):
                hint = f"a sealed field cannot be {wish}; add a BlindIndexField"
                errors.append(checks.Error(hint, obj=self, id="sealed.E001"))
        if getattr(self, "db_default", NOT_PROVIDED) is not NOT_PROVIDED:
            errors.append(checks.Error("db_default would stand in the schema in clear", obj=self, id="sealed.E002"))
        if self.name in {str(o).lstrip("-") for o in self.model._meta.ordering or ()}:  # type: ignore[attr-defined]
            errors.append(checks.Error("cannot order by ciphertext", obj=self, id="sealed.E003"))
        return errors


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


class SealedJSONField(SealedMixin, emf.EncryptedTextField):
    """Sealed JSON value (objects, lists, strings, numbers)."""

    def to_python(self, value: Any) -> Any:
        return value

    def plain(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def opened(self, text: str) -> Any:
        return json.loads(text)
