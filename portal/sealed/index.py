"""Blind indexes: find a sealed value by its keyed hash, without ever storing or sending the value.

`filter(email=…)` on a sealed column is rewritten to its companion `email_bi` = HMAC-SHA256 of the normalised value
under a key of that table and column, cut to 128 bits. So sign-in, joins and ModelForm uniqueness work as on a plain
column. A BlindTagField keeps a few bits only: it gives candidates, which are compared after they were opened.
"""

import hmac
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.core.exceptions import EmptyResultSet, FieldError, ValidationError
from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import F, OuterRef, lookups
from django.db.models.expressions import Col
from django.utils.translation import gettext_lazy as _

from .keys import index_keys, index_ring
from .normal import n_byte, n_text, n_uuid


class Companion(models.Field):
    """What stands beside a sealed field declared before it on the same model, and lets it be found."""

    stored_as: str  # the field of the migrations, which stay free of this code
    tag: Callable[[bytes], Any]  # what is kept of the value's HMAC

    def __init__(self, source: str = "", normalise: Callable[[str], str] = n_text, **kwargs: Any) -> None:
        self.source, self.normalise = source, normalise
        super().__init__(**{"null": True, "blank": True, **kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, self.stored_as, args, kwargs

    @property
    def purpose(self) -> str:
        """What its keys are derived for."""
        return f"bidx/{self.model._meta.db_table}/{self.column}"

    def tags(self, value: Any) -> list[Any]:
        """The tags of a value, one an index key, newest first; none for an empty value."""
        normal = self.normalise(str(value)) if value not in (None, "") else ""
        if not normal:
            return []
        return [self.tag(hmac.digest(key, normal.encode(), "sha256")) for key in index_keys(self.purpose)]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        tag = next(iter(self.tags(getattr(model_instance, self.source))), None)
        setattr(model_instance, self.attname, tag)
        return tag


class BlindIndexField(Companion, models.UUIDField):
    """128 bits: equal tags are equal values."""

    stored_as = "django.db.models.UUIDField"

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if self.source:
            cls._meta.get_field(self.source).blind_index = name  # type: ignore[union-attr]

    tag = staticmethod(n_uuid)


class BlindTagField(Companion, models.SmallIntegerField):
    """8 bits: many values share a tag, so that a dump does not tell who has the same name."""

    stored_as = "django.db.models.SmallIntegerField"

    tag = staticmethod(n_byte)


class _Rewritten:
    """Column(sealed) → column(companion); values → their tags."""

    lhs: Any
    rhs: Any
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        field = self.lhs.target
        companion = field.model._meta.get_field(field.blind_index)
        values = self.rhs if isinstance(self.rhs, list | tuple | set) else [self.rhs]
        if any(hasattr(value, "as_sql") for value in values):
            raise FieldError(f"{field.name}: a sealed column is compared with values alone")
        tags = [tag for value in values for tag in companion.tags(value)]
        if not tags:
            raise EmptyResultSet
        column, _none = Col(self.lhs.alias, companion).as_sql(compiler, connection)
        if len(tags) == 1:  # as ever but while index keys turn
            return f"{column} = %s", tags
        return f"{column} IN ({', '.join(['%s'] * len(tags))})", tags


class SealedExact(_Rewritten, lookups.Exact):
    """`email="…"` by the companion."""


class SealedIn(_Rewritten, lookups.In):
    """`email__in=[…]` by the companion."""

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)


def companions(model: type[models.Model]) -> dict[str, Companion]:
    """Each sealed field's companion, by the sealed field's name."""
    return {f.source: f for f in model._meta.concrete_fields if isinstance(f, Companion) and f.source}


def _with_companions(model: type[models.Model], names: Iterable[str]) -> list[str]:
    names = list(names)
    return names + [f.name for source, f in companions(model).items() if source in names and f.name not in names]


def _is_sealed(field: Any) -> bool:
    return hasattr(field, "blind_index")


@contextmanager
def _claimed(model: type[models.Model], rows: Iterable[models.Model], names: Any, db: str) -> Iterator[None]:
    """Write `rows` inside. While index keys turn, a value stands under the old tag or the new one, which no UNIQUE
    constraint sees: all its tags are held, and both are looked for. Raises IntegrityError.
    """
    if len(index_ring().masters) < 2:
        yield
        return
    with transaction.atomic(using=db):
        for source, field in companions(model).items():
            if field.unique and (names is None or source in names):
                _claim(field, [(row, field.tags(getattr(row, source))) for row in rows], db)
        yield


def _claim(field: Companion, claims: list[tuple[models.Model, list[uuid.UUID]]], db: str) -> None:
    every = {tag for _row, tags in claims for tag in tags}
    with connections[db].cursor() as cursor:
        for lock in sorted(int.from_bytes(tag.bytes[:8], "big", signed=True) for tag in every):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])  # one order for all: nobody waits in a circle
    rows = field.model._default_manager.using(db)
    for row, tags in claims:
        if rows.filter(**{f"{field.name}__in": tags}).exclude(pk=row.pk).exists():
            raise IntegrityError(f"{field.model._meta.db_table}.{field.column}: this value belongs to another row")


class SealedQuerySet(models.QuerySet):
    """Writes go row by row, each with its own tokens; questions that ciphertext cannot answer raise FieldError."""

    def update(self, **values: Any) -> int:
        fields = [self.model._meta.get_field(name) for name in values]
        if not any(_is_sealed(field) for field in fields):
            return super().update(**values)
        with transaction.atomic(using=self.db):
            rows: list[Any] = list(self.order_by("pk").select_for_update(of=("self",)))
            for row in rows:
                for name, value in values.items():
                    setattr(row, name, value)
                row.save(update_fields=list(values))
        return len(rows)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        names = list(fields)
        if not any(_is_sealed(self.model._meta.get_field(name)) for name in names):
            return super().bulk_update(objs, names, batch_size=batch_size)
        rows: list[Any] = list(objs)
        with transaction.atomic(using=self.db):
            for row in sorted(rows, key=lambda row: str(row.pk)):
                row.save(update_fields=names)
        return len(rows)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> Any:
        if any(_is_sealed(self.model._meta.get_field(name)) for name in options.get("update_fields") or ()):
            raise FieldError("a row that is there already would get tokens that were sealed for another")
        rows = list(objs)
        with _claimed(self.model, rows, None, self.db):
            return super().bulk_create(rows, *args, **options)

    def alike(self, source: str, value: str, at_most: int = 2000) -> "list[Any] | None":
        """Rows whose sealed `source` is this value, by its BlindTagField; None when more than `at_most` share the tag.

        The candidates' values are opened to be compared: 20 µs each.
        """
        field = companions(self.model)[source]
        normal = field.normalise(value)
        candidates = list(self.filter(**{f"{field.name}__in": field.tags(value)})[: at_most + 1])
        if len(candidates) > at_most:
            return None
        return [row for row in candidates if field.normalise(getattr(row, source) or "") == normal]

    # --- what needs the values themselves --------------------------------------------------------------------------

    def order_by(self, *names: Any) -> Self:
        return super().order_by(*self._in_clear(*names))

    def distinct(self, *names: Any) -> Self:
        return super().distinct(*self._in_clear(*names))

    def annotate(self, *args: Any, **kwargs: Any) -> Self:
        self._in_clear(*args, *kwargs.values())
        return super().annotate(*args, **kwargs)

    def alias(self, *args: Any, **kwargs: Any) -> Self:
        self._in_clear(*args, *kwargs.values())
        return super().alias(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._in_clear(*args, *kwargs.values())
        return super().aggregate(*args, **kwargs)

    def values(self, *names: Any, **expressions: Any) -> Any:
        self._in_clear(*(names or self._every_name()), *expressions.values())
        return super().values(*names, **expressions)

    def values_list(self, *names: Any, **options: Any) -> Any:
        self._in_clear(*(names or self._every_name()))
        return super().values_list(*names, **options)

    def _every_name(self) -> list[str]:
        return [field.name for field in self.model._meta.concrete_fields]

    def _in_clear(self, *asked: Any) -> tuple[Any, ...]:
        """The names and expressions themselves, unless one reads a sealed column: its value opens only in its row."""
        for each in asked:
            parts = each.flatten() if hasattr(each, "flatten") else [each]
            read: list[Any] = [part for part in parts if isinstance(part, F) and not isinstance(part, OuterRef)]
            for name in [each] if isinstance(each, str) else [part.name for part in read]:
                if self._is_sealed(name.lstrip("-+")):
                    raise FieldError(f"{name}: a sealed column opens only in its row")
        return asked

    def _is_sealed(self, name: str) -> bool:
        parts = name.split("__")
        if name == "?" or parts[0] in self.query.annotations:
            return False
        _path, field, *_ = self.query.names_to_path(parts, self.model._meta, fail_on_missing=False)
        return _is_sealed(field)


class SealedModel(models.Model):
    """A row with sealed columns."""

    objects = SealedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        names = None if update_fields is None else _with_companions(type(self), update_fields)
        db = options.get("using") or router.db_for_write(type(self), instance=self)
        with _claimed(type(self), [self], names, db):
            super().save(*args, update_fields=names, **options)

    def validate_unique(self, exclude: Any = None) -> None:
        """Report a taken value on the field that people see; every tag of it counts."""
        indexes, excluded = companions(type(self)), set(exclude or ())
        super().validate_unique(exclude=excluded | {field.name for field in indexes.values()})
        others = type(self)._default_manager.exclude(pk=self.pk)
        asked = {s: getattr(self, s) for s, field in indexes.items() if field.unique and s not in excluded}
        taken = [s for s, value in asked.items() if value and others.filter(**{s: value}).exists()]
        if taken:
            raise ValidationError({s: ValidationError(_("This is already in use."), code="unique") for s in taken})
