"""Test cases that every implementation of a contract inherits."""

import pytest

# pytest explains failed assertions only in modules it knows to be tests
pytest.register_assert_rewrite(
    "tests.contract.publishing_cases", "tests.contract.settling_cases", "tests.contract.subscription_cases"
)
