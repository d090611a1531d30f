"""For whom somebody acts: for herself, or for a company whose member she is."""

from dataclasses import dataclass

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest

from accounts.models import Customer, Membership
from accounts.models.company import MAY

IN_SESSION = "company"  # the company's id


@dataclass(frozen=True)
class Acting:
    """`customer` is whose things the pages show; without a membership it is the person herself."""

    customer: Customer
    membership: Membership | None = None

    @property
    def role(self) -> str:
        return self.membership.role if self.membership else ""

    @property
    def areas(self) -> frozenset[str] | None:
        """Which pages she opens; None for all."""
        return MAY[self.membership.role] if self.membership else None

    @property
    def reads(self) -> frozenset[str] | None:
        """Messages of which purposes she reads; None for all."""
        return self.membership.reads if self.membership else None

    def may(self, area: str) -> bool:
        return self.areas is None or area in self.areas


def acting(request: HttpRequest) -> Acting:
    """Looked up anew for each request: who is removed is out at the next click."""
    person: Customer = get_user(request)  # type: ignore[assignment]  # what stands behind the lazy `request.user`
    if company := request.session.get(IN_SESSION):
        memberships = Membership.objects.visible_to(person).select_related("company__customer")
        found = memberships.filter(company=company, company__customer__is_active=True).first()
        if found:
            return Acting(found.company.customer, found)
        del request.session[IN_SESSION]
    return Acting(person)


def act_for(request: HttpRequest, membership: Membership | None) -> None:
    """From the next page on; None for herself."""
    if membership:
        request.session[IN_SESSION] = str(membership.company_id)
    else:
        request.session.pop(IN_SESSION, None)
