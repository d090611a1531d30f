"""Tell exactly those whom a trouble touches: the circle is written down first, and only grows."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.utils import translation

from notifications.models import Affected, Broadcast, Component
from notifications.models.trouble import Trouble, named
from notifications.owners import owners

from .broadcasts import kill_broadcast, prepare_broadcast

# What nobody approved yet says what no longer holds, once there is something newer to say.
UNAPPROVED = (Broadcast.Status.READY,)
UNFINISHED = (*UNAPPROVED, *Broadcast.RUNNING)


def in_both(say: Callable[[], Any]) -> dict[str, str]:
    """The same in each language, as a broadcast's context keeps it."""
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words[language] = str(say())
    return words


def how_many(components: Iterable[Component]) -> int:
    """How many customers would be told."""
    return int(owners([component.pk for component in components]).count())


def notify(
    trouble: Trouble,
    message: str,
    *,
    by: Any,
    context: dict[str, Any],
    only: str = "all",
    replaces: tuple[str, ...] = UNAPPROVED,
    urgent: bool = False,
) -> Broadcast | None:
    """Prepare the broadcast of this message, under the trouble's lock; None when there is nobody to tell.

    `only` is "all" of the affected, the "untold", or who has "heard". What is not sent yet of an earlier broadcast and
    in a status of `replaces` is stopped: its words no longer hold.
    """
    for stale in Broadcast.objects.filter(source=trouble.source, status__in=replaces):
        kill_broadcast(broadcast=stale, by=by, why=Broadcast.Why.OVER)
    Affected.add(trouble, owners(trouble.component_ids))
    circles = {"all": Affected.objects.of, "untold": Affected.objects.untold, "heard": Affected.objects.heard}
    circle = circles[only](trouble)
    if not circle.exists():
        return None
    return prepare_broadcast(
        reason=Broadcast.Reason(str(trouble._meta.model_name)),
        source=trouble.source,
        message=message,
        context={"components": in_both(lambda: named(trouble.components.all())), "url": trouble.url, **context},
        audience=circle.customer_ids(),
        by=by,
        urgent=urgent,
    )
