"""Who you are, how to reach you, who has seen it, and the photo of your ID card."""

from accounts.models.company import Company, Invitation, Membership
from accounts.models.contact import ContactChange
from accounts.models.customer import Customer, CustomerManager, new_ref
from accounts.models.look import Look
from accounts.models.photo_id import PhotoId
from accounts.models.suspension import Suspension

__all__ = [
    "Company",
    "ContactChange",
    "Customer",
    "CustomerManager",
    "Invitation",
    "Look",
    "Membership",
    "PhotoId",
    "Suspension",
    "new_ref",
]
