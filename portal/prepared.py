"""QuerySets whose SQL is written once: for what every page of every customer asks.

Django composes a QuerySet's SQL anew each time it runs, which costs three times what the query itself does (0.6 ms
against 0.2 ms of CPU, measured on Django 5.2.19). The words of the QuerySet stay the one place where the rule stands.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection, models
from django.utils.functional import cached_property
from psycopg import Cursor


class Prepared:
    """`Prepared(build, *examples)`: `build(*examples)` gives the QuerySet; calling it with values gives its rows.

    The examples must be unmistakable: each is found again among the SQL's parameters and stands for its value there.
    The rows are whole and come without joined relations (`select_related`, `only` and `annotate` do not survive).
    """

    def __init__(self, build: Callable[..., models.QuerySet], *examples: Any) -> None:
        self.build, self.examples = build, examples

    @cached_property
    def _compiled(self) -> tuple[type[models.Model], str, tuple[Any, ...], list[str], list[tuple[int, Any]]]:
        queryset = self.build(*self.examples)
        sql, params = queryset.query.sql_with_params()
        if missing := [example for example in self.examples if example not in params]:
            raise LookupError(f"{len(missing)} examples are not among the parameters of {queryset.model.__name__}")
        fields = queryset.model._meta.concrete_fields
        openers = [(i, f.from_db_value) for i, f in enumerate(fields) if hasattr(f, "from_db_value")]
        return queryset.model, sql, params, [f.attname for f in fields], openers

    def __call__(self, *values: Any) -> list[Any]:
        model, sql, params, names, openers = self._compiled
        given = [values[self.examples.index(p)] if p in self.examples else p for p in params]
        connection.ensure_connection()
        # Django's own cursors put the values into the text; psycopg's plain one lets the server keep the plan.
        with connection._prepare_cursor(Cursor(connection.connection)) as cursor:  # type: ignore[attr-defined]
            cursor.execute(sql, given)
            rows = [list(row) for row in cursor.fetchall()]
        for row in rows:
            for i, opened in openers:
                row[i] = opened(row[i], None, connection)
        return [model.from_db(connection.alias, names, row) for row in rows]
