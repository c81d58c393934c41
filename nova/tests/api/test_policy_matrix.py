"""Every route asks its rule about the right project: each kind of caller asks about his own and another's.

`nova/tests/policies/test_matrix.py` says who has each rule. Here handlers do nothing, but for those that ask a
rule themselves. The matrix is made of the operations that are declared, so a new one is in it.
"""

import dataclasses
import re

import falcon.testing
import pytest

from nova.api import app
from nova.common import uuids
from nova.objects.group import InstanceGroup
from nova.tests.api import cloud as clouds
from nova.tests.conformance import facts
from nova.tests.conformance.world import KEY
from nova.tests.fixtures import nova_db
from nova.tests.policies.callers import ANYWHERE, IMPLIED, IN_PROJECT

ROLES = facts.load().roles
OPERATIONS = app.operations()
PLAIN = [one for one in OPERATIONS if one.rule is not None]
OPEN = {'/flavors', '/flavors/detail', '/flavors/{flavor_id}'}
"""Anybody may ask these; who has a rule is shown more."""
ASKING = [one for one in OPERATIONS if one.rule is None and one.rules and one.path not in OPEN]
"""Handlers that ask their rule themselves, since path, query or body say whom it is about."""
OWN, OTHER = ('alice', clouds.PROJECT), ('mallory', clouds.OTHER)


def without_effect(operation):
    return dataclasses.replace(operation, handler=lambda req, **fields: None, body=None, query=None,
                               returns=None)


class World:
    """A cloud with a server of each of two projects."""

    def __init__(self, made):
        self.cloud = clouds.Cloud(made)
        self._servers = {project: self.cloud.server(project_id=project, user_id=user).uuid
                         for user, project in (OWN, OTHER)}
        self.silent = falcon.testing.TestClient(app.make_app(
            self.cloud.conf, dbs=self.cloud.dbs, buses=self.cloud.buses, clients=self.cloud.clients,
            served=map(without_effect, PLAIN)))

    def ask(self, http, operation, kind, about=OWN, scope=None):
        """The status of the answer."""
        user, project = about
        fields = {'server_id': self._servers[project], 'project_id': project, 'group_id': None, 'name': 'k'}
        if '{group_id}' in operation.path:
            fields['group_id'] = self._group(project)
        path = re.sub('{([^}]*)}', lambda match: str(fields.get(match[1], uuids.generate())), operation.path)
        headers = {'X-Auth-Token': f'alice:{clouds.PROJECT}', 'X-Roles': ','.join(IMPLIED[kind]) or 'nothing',
                   'OpenStack-API-Version': f'compute {operation.until or facts.MAX}'}
        if scope:
            headers['OpenStack-System-Scope'] = scope
        query = {'user_id': user} if '/os-keypairs' in path and operation.method != 'POST' else {}
        return http.simulate_request(operation.method, f'/v2.1{path}', headers=headers, params=query,
                                     json=self._body(operation, user)).status_code

    def _body(self, operation, user):
        if operation.action:
            return {operation.action: None}
        return {('PUT', '/os-quota-sets/{project_id}'): {'quota_set': {}},
                ('POST', '/os-keypairs'): {'keypair': {
                    'name': uuids.generate(), 'type': 'ssh', 'public_key': KEY, 'user_id': user}},
                ('PUT', '/servers/{server_id}/os-volume_attachments/{volume_id}'): {
                    'volumeAttachment': {'volumeId': uuids.generate()}},
                }.get((operation.method, operation.path))

    def _group(self, project):
        group = InstanceGroup(uuid=uuids.generate(), project_id=project, user_id='u', name='g',
                              policy='affinity', rules={}, members=[])
        self.cloud.dbs.api.write(lambda conn: group.copy().create(conn))
        return group.uuid


@pytest.fixture(scope='module')
def world(tmp_path_factory, supply):
    policy = tmp_path_factory.mktemp('matrix') / 'policy.yaml'
    policy.write_text('{}\n')
    with nova_db.deployment(lambda schema: supply.take('sqlite', schema), 1, **{
            'api.auth_strategy': 'noauth2', 'oslo_policy.policy_file': str(policy)}) as made:
        yield World(made)


def named(operation):
    return f'{operation.method} {operation.path} {operation.action or ""}'.strip()


def role(rule):
    return ROLES[rule.name]


@pytest.mark.parametrize('kind', IMPLIED)
def test_routes_whose_rule_is_declared(world, kind):
    wrong = {}
    for one in PLAIN:
        may = kind in IN_PROJECT[role(one.rule)]
        answer = world.ask(world.silent, one, kind)
        if answer != (one.status(one.until or facts.MAX) if may else 403):
            wrong[named(one)] = answer
        if one.server:
            may, answer = kind in ANYWHERE[role(one.rule)], world.ask(world.silent, one, kind, OTHER)
            if answer >= 400 if may and kind == 'admin' else answer not in (403, 404):
                wrong[f'{named(one)} of another project'] = answer
    assert not wrong


@pytest.mark.parametrize('kind', IMPLIED)
@pytest.mark.parametrize('operation', ASKING, ids=named)
def test_handlers_that_ask_themselves(world, operation, kind):
    """What the caller may not is 403, or not there; what he may is anything else."""
    rule = next(rule for rule in operation.rules if rule.name.count(':') == 2 and 'swap' not in rule.name)
    if '{volume_id}' in operation.path:
        rule = next(rule for rule in operation.rules if 'swap' in rule.name)
    for about, who in ((OWN, IN_PROJECT), (OTHER, ANYWHERE)):
        answer = world.ask(world.cloud.http, operation, kind, about)
        if kind in who[role(rule)]:
            assert answer != 403 and answer < 500
        else:
            assert answer in ((403,) if about is OWN else (403, 404))


@pytest.mark.parametrize('operation', [*PLAIN, *ASKING], ids=named)
def test_a_token_of_the_whole_system_may_nothing(world, operation):
    http = world.silent if operation.rule else world.cloud.http
    assert world.ask(http, operation, 'admin', scope='all') in ((403,) if operation.rule else (403, 404))


def test_every_operation_is_in_the_matrix():
    """The rest is open to everybody by the facts: what is gone, what passes the question on, flavors."""
    rest = {one.path for one in OPERATIONS if one.rule is None and not one.rules} | OPEN
    free = {re.sub('{[^}]*}', '{}', route.path) for route in facts.load().routes
            if not route.policy or ROLES[route.policy[0]] == 'any'}
    assert {re.sub('{[^}]*}', '{}', path) for path in rest} <= free | {
        re.sub('{[^}]*}', '{}', path) for path in OPEN}
