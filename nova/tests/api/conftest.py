"""The cloud that conversations with the Compute API talk to."""

import pathlib
from collections.abc import Iterator

import pytest

from nova.tests.api import cloud as clouds
from nova.tests.fixtures import nova_db


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[clouds.Cloud]:
    with nova_db.deployment(tmp_path, **{'api.auth_strategy': 'noauth2'}) as made:
        yield clouds.Cloud(made)
