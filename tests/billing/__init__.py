"""The assertions of what tests share explain themselves as those of tests do."""

import pytest

pytest.register_assert_rewrite("tests.billing.base", "tests.billing.faults", "tests.billing.statements")
