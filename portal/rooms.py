"""What each room keeps under one name, such as `health.py`; found as the admin finds `admin.py`."""

import importlib
from collections.abc import Iterator
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def modules(name: str) -> Iterator[ModuleType]:
    """That module of every room that has one, in the order of INSTALLED_APPS."""
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, name):
            yield importlib.import_module(f"{config.name}.{name}")
