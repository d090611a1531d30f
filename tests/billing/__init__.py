"""The assertions of base.py explain themselves as those of tests do."""

import pytest

pytest.register_assert_rewrite("tests.billing.base")
