"""Settings for all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("guilds", "databases")

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("campaign", parent=settings.get_profile("default"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="record the output of golden scripts anew")
