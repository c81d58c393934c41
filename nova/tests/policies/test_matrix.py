"""Every rule there is, asked by every kind of caller about his own project and another's; what the field says
of each rule decides."""

import re

import pytest

from nova import conf as nova_conf
from nova import context, policies
from nova.api import app
from nova.policies import enforcer
from nova.tests.conformance import facts
from nova.tests.policies.callers import ANYWHERE, IMPLIED, IN_PROJECT

ROLES = facts.load().roles


@pytest.fixture(scope='module')
def asked(tmp_path_factory):
    file = tmp_path_factory.mktemp('policy') / 'policy.yaml'
    file.write_text('{}\n')
    return enforcer.Enforcer(nova_conf.new(config_files=[], **{'oslo_policy.policy_file': str(file)}))


def caller(kind, **more):
    return context.RequestContext('u1', 'p1', roles=IMPLIED[kind], **more)


@pytest.mark.parametrize('rule', policies.load(), ids=lambda rule: rule.name)
def test_who_may(asked, rule):
    role = ROLES.get(rule.name)
    assert role is not None, 'the table of facts does not know this rule'
    own, other = {'project_id': 'p1', 'user_id': 'u1'}, {'project_id': 'p2', 'user_id': 'u2'}
    assert {kind for kind in IMPLIED if asked.can(caller(kind), rule, own)} == IN_PROJECT[role]
    assert {kind for kind in IMPLIED if asked.can(caller(kind), rule, other)} == ANYWHERE[role]


@pytest.mark.parametrize('kind', IMPLIED)
def test_a_token_of_the_whole_system_may_nothing(asked, kind):
    system = context.RequestContext('u1', None, roles=IMPLIED[kind], system_scope='all')
    assert not [rule.name for rule in policies.load() if asked.can(system, rule,
                                                                   {'project_id': 'p1', 'user_id': 'u1'})]


def test_every_route_asks_a_rule():
    """Those without are what the field has without, or pass the question on to another service."""
    free = {(route.method, route.path) for route in facts.load().routes if not route.policy}
    unasked = {(one.method, one.path) for one in app.operations()
               if one.rule is None and not one.rules}
    names = {(method, re.sub('{[^}]*}', '{}', path)) for method, path in free}
    assert {(method, re.sub('{[^}]*}', '{}', path)) for method, path in unasked} <= names
