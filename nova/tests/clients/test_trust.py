"""What a user entrusts a task with, and what it is worth."""

from typing import Any

import pytest

from nova import errors
from nova.clients.trust import Trust
from nova.context import RequestContext
from nova.objects.network import NetworkRequest
from nova.tests.clients import conftest


def test_a_trust_of_other_credentials_is_of_no_use(caplog: pytest.LogCaptureFixture) -> None:
    """[neutron] differs between nova-api and nova-conductor: the build fails, and the log says why."""
    one, other = Trust(['one']), Trust(['other'])
    user = RequestContext('user', 'project', auth_token='precious')
    task = user.from_dict(user.to_dict())
    trust = one.entrust(user)
    assert trust is not None and 'precious' not in trust
    assert one.trusted(task, trust).auth_token == 'precious'
    for wrong in (trust, 'no seal'):
        with pytest.raises(errors.task.NotEntrusted):
            other.trusted(task, wrong)
    assert '[neutron]' in caplog.text and 'precious' not in caplog.text


def test_nobody_acts_for_a_user_without_his_word() -> None:
    """Our own credentials are no substitute: they may do more than he."""
    with pytest.raises(errors.task.NotEntrusted):
        Trust(['one']).trusted(RequestContext('user', 'project'), None)


def test_without_credentials_no_token_is_kept() -> None:
    """A key that everybody knows keeps nothing secret; and there is nothing that we may and a user may not."""
    user = RequestContext('user', 'project', auth_token='precious')
    assert Trust([]).entrust(user) is None
    assert Trust([]).trusted(RequestContext('user', 'project'), None).auth_token is None


def test_a_word_that_came_late_still_counts(sandbox: Any) -> None:
    """The token ran out before its task made anything with it: with ours beside it, it is good enough."""
    there = conftest.sandbox_neighbours(sandbox)
    network, server = there.network(), conftest.Server(there.user.project_id or '')
    sandbox.sandbox.directory.expire(there.user.auth_token)
    port, = there.clients.network.make(there.user, server, [NetworkRequest(network_id=network)])
    volume = there.clients.volume.create(there.user, {'size': 1, 'metadata': {}})
    assert there.clients.network.api.port(port)['project_id'] == there.user.project_id
    assert there.clients.volume.show(None, volume)['os-vol-tenant-attr:tenant_id'] == there.user.project_id
    there.clients.volume.delete(volume)


def test_a_word_that_is_worth_nothing_is_told(sandbox: Any, caplog: pytest.LogCaptureFixture) -> None:
    there = conftest.sandbox_neighbours(sandbox, vouches=False)
    network, server = there.network(), conftest.Server(there.user.project_id or '')
    sandbox.sandbox.directory.expire(there.user.auth_token)
    with pytest.raises(errors.network.NetworkServiceFailed, match='token of the request') as caught:
        there.clients.network.make(there.user, server, [NetworkRequest(network_id=network)])
    assert not caught.value.again and 'send_service_user_token' in caplog.text
