"""The dialects for SQLAlchemy, made known where the project is not installed: import the fixture to have them."""

import tomllib
from pathlib import Path

import pytest
from sqlalchemy.dialects import registry

TOP = Path(__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def dialects() -> None:
    """Make the project's entry points known."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, place in project["entry-points"]["sqlalchemy.dialects"].items():
        module, _, attribute = place.partition(":")
        registry.register(name, module, attribute)
