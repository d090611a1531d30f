"""Blind indexes: find a sealed value by its keyed hash, without ever storing or sending the value.

`filter(email=…)` on a sealed column is rewritten to its companion `email_bi` = HMAC-SHA256 of the normalised value
under a key of that table and column, cut to 128 bits. So sign-in, joins and ModelForm uniqueness work as on a plain
column.
"""

import hmac
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import models
from django.db.models import lookups
from django.db.models.expressions import Col
from django.utils.translation import gettext_lazy as _

from portal.jalali import TO_LATIN

from .keys import index_keys


def n_text(value: str) -> str:
    """Same words, same text: NFKC, Persian ye and kaf, one space, no case."""
    text = unicodedata.normalize("NFKC", value).replace("ي", "ی").replace("ك", "ک").replace("\u200c", " ")
    return re.sub(r"\s+", " ", text).strip().casefold()


def n_digits(value: str) -> str:
    """The ASCII digits of a number, nothing else."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", value).translate(TO_LATIN))


class BlindIndexField(models.UUIDField):
    """Companion of a sealed field declared before it on the same model."""

    def __init__(self, source: str = "", normalise: Callable[[str], str] = n_text, **kwargs: Any) -> None:
        self.source, self.normalise = source, normalise
        super().__init__(**{"null": True, "blank": True, **kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.UUIDField", args, kwargs  # migrations stay free of this code

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if self.source:
            cls._meta.get_field(self.source).blind_index = name  # type: ignore[union-attr]

    def tags(self, value: Any) -> list[uuid.UUID]:
        """The tags of a value, one an index key, newest first; none for an empty value."""
        normal = self.normalise(str(value)) if value not in (None, "") else ""
        if not normal:
            return []
        keys = index_keys(f"bidx/{self.model._meta.db_table}/{self.column}")
        return [uuid.UUID(bytes=hmac.digest(key, normal.encode(), "sha256")[:16]) for key in keys]

    def pre_save(self, model_instance: models.Model, add: bool) -> uuid.UUID | None:
        tag = next(iter(self.tags(getattr(model_instance, self.source))), None)
        setattr(model_instance, self.attname, tag)
        return tag


class _Rewritten:
    """Column(sealed) → column(companion); values → their tags."""

    lhs: Any
    rhs: Any
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        field = self.lhs.target
        companion = field.model._meta.get_field(field.blind_index)
        values = self.rhs if isinstance(self.rhs, list | tuple | set) else [self.rhs]
        tags = [tag for value in values for tag in companion.tags(value)]
        if not tags:
            raise EmptyResultSet
        return compiler.compile(companion.get_lookup("in")(Col(self.lhs.alias, companion), tags))


class SealedExact(_Rewritten, lookups.Exact):
    """`email="…"` by the companion."""


class SealedIn(_Rewritten, lookups.In):
    """`email__in=[…]` by the companion."""

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)


def companions(model: type[models.Model]) -> dict[str, BlindIndexField]:
    """Each sealed field's companion, by the sealed field's name."""
    return {f.source: f for f in model._meta.concrete_fields if isinstance(f, BlindIndexField) and f.source}


def _with_companions(model: type[models.Model], names: Iterable[str]) -> list[str]:
    names = list(names)
    return names + [f.name for source, f in companions(model).items() if source in names and f.name not in names]


class SealedQuerySet(models.QuerySet):
    """Writes of many rows keep the companions in step."""

    def update(self, **values: Any) -> int:
        for source, field in companions(self.model).items():
            if source in values and field.name not in values:  # bulk_update brings its own
                values[field.name] = next(iter(field.tags(values[source])), None)
        return super().update(**values)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        rows, names = tuple(objs), _with_companions(self.model, fields)
        for field in companions(self.model).values():
            for row in rows if field.name in names else ():
                field.pre_save(row, add=False)
        return super().bulk_update(rows, names, batch_size=batch_size)

    def bulk_create(self, objs: Iterable[Any], *args: Any, update_fields: Any = None, **kwargs: Any) -> Any:
        kwargs["update_fields"] = _with_companions(self.model, update_fields) if update_fields else update_fields
        return super().bulk_create(objs, *args, **kwargs)


class SealedModel(models.Model):
    """A row with sealed columns."""

    objects = SealedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        names = None if update_fields is None else _with_companions(type(self), update_fields)
        super().save(*args, update_fields=names, **kwargs)

    def validate_unique(self, exclude: Any = None) -> None:
        """Report a taken value on the field that people see, not on its companion."""
        excluded, back = set(exclude or ()), {}
        for source, field in companions(type(self)).items():
            field.pre_save(self, add=False)
            back[field.name] = source
            if source not in excluded:
                excluded.discard(field.name)
        try:
            super().validate_unique(exclude=excluded)
        except ValidationError as error:
            found: dict[str, list[ValidationError]] = {}
            for name, problems in error.error_dict.items():
                taken = [ValidationError(_("This is already in use."), code="unique")]
                found.setdefault(back.get(name, name), []).extend(taken if name in back else problems)
            raise ValidationError(found) from None
