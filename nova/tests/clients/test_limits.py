"""Unified limits of the sandbox; nova/tests/realcloud has the same tests on Keystone."""

import pytest
from keystoneauth1 import loading
from oslo_limit import opts

from nova import conf
from nova.tests.clients.limit_cases import *  # noqa: F403
from nova.tests.clients.limit_cases import Keystone


@pytest.fixture(scope='module')
def keystone(sandbox):
    users = {name: sandbox.credentials(name) for name in ('admin', 'demo', 'nova')}
    users['nova'] = {name: value for name, value in users['nova'].items() if not name.startswith('project')}
    return Keystone(sandbox.auth_url, sandbox.sandbox_dir, users)


def test_options_are_those_of_oslo_limit():
    ours = conf.new(config_files=[]).oslo_limit
    [(group, options)] = opts.list_opts()
    assert group == 'oslo_limit'
    of_plugins = {option.dest for kind in ('password', 'v2password', 'v3password')
                  for option in loading.get_auth_plugin_conf_options(kind)}
    assert {option.dest for option in options} - of_plugins <= set(ours)
