"""Identity client: whether a project exists, over the sandbox's Keystone and in memory."""

from typing import Any

import pytest

from nova import errors
from nova.common import uuids


def test_a_project_that_is_there_and_one_that_is_not(there: Any) -> None:
    client, nobody = there.clients.identity, uuids.generate().replace('-', '')
    if hasattr(client, 'unknown'):
        client.unknown.add(nobody)
    client.check_project(there.admin, there.user.project_id)
    with pytest.raises(errors.identity.ProjectUnknown, match=nobody):
        client.check_project(there.admin, nobody)


def test_who_may_not_look_is_believed(there: Any) -> None:
    """Keystone refuses a member; the field takes the project to exist then."""
    there.clients.identity.check_project(there.user, there.stranger.project_id)
