"""The cloud that conversations with the Compute API talk to."""

from collections.abc import Iterator

import pytest

from nova.tests.api import cloud as clouds
from nova.tests.fixtures import databases, nova_db


@pytest.fixture
def cloud(lend: databases.Lend) -> Iterator[clouds.Cloud]:
    with nova_db.deployment(lend, **{'api.auth_strategy': 'noauth2'}) as made:
        yield clouds.Cloud(made)
