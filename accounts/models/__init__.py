"""Who you are, who has seen it, and the photo of your ID card."""

from accounts.models.customer import Customer, CustomerManager, new_ref
from accounts.models.look import Look
from accounts.models.photo_id import PhotoId

__all__ = ["Customer", "CustomerManager", "Look", "PhotoId", "new_ref"]
