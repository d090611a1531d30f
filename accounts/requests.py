"""A request that `@login_required` let through, for the types of views."""

from accounts.acting import Acting
from accounts.models import Customer
from portal.areas import AreaRequest


class CustomerRequest(AreaRequest):
    """Its `user` is a customer. `customer` and `acting` are there on pages of an area (portal/areas.py)."""

    user: Customer
    customer: Customer
    acting: Acting
