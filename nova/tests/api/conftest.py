"""The cloud that conversations with the Compute API talk to."""

from collections.abc import Iterator
from typing import Any

import pytest

from nova.tests.api import cloud as clouds


@pytest.fixture
def cloud(tmp_path: Any) -> Iterator[clouds.Cloud]:
    made = clouds.Cloud(tmp_path)
    yield made
    made.dbs.dispose()
