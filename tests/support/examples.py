"""How many examples a law is tried on: in proportion to the profile's, which tests/conftest.py registers."""

from hypothesis import settings

_WHOLE = 100  # examples of the profile "full"


def examples(most: int) -> settings:
    """Settings of a law that the profile "full" tries on ``most`` examples."""
    return settings(max_examples=max(1, most * settings.default.max_examples // _WHOLE))
