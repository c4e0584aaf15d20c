"""What every broker must do. Each implementation's tests inherit the class and provide the `connect` fixture."""

from tests.contract.publishing_cases import PublishingCases
from tests.contract.settling_cases import SettlingCases
from tests.contract.subscription_cases import SubscriptionCases


class BrokerContract(PublishingCases, SubscriptionCases, SettlingCases):
    """All test cases; the links that ``connect(name)`` opens are closed by its fixture."""
