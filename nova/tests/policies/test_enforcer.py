"""Policy: roles, projects, the operator's file, older names."""

import pytest

from nova import conf as nova_conf
from nova import context, errors, policies
from nova.common import clock
from nova.policies import base, enforcer, keypairs, lock_server, migrate_server, servers


@pytest.fixture
def policy_file(tmp_path):
    path = tmp_path / 'policy.yaml'
    path.write_text('{}\n')
    return path


def build(policy_file):
    conf = nova_conf.new(config_files=[], **{'oslo_policy.policy_file': str(policy_file)})
    return enforcer.Enforcer(conf)


def caller(role, project='p1', **kwargs):
    return context.RequestContext('u1', project, roles=[role], **kwargs)


@pytest.mark.parametrize(('role', 'project', 'rule', 'allowed'), [
    ('reader', 'p1', servers.SHOW, True),
    ('reader', 'p2', servers.SHOW, False),
    ('reader', 'p1', servers.DELETE, False),
    ('member', 'p1', servers.DELETE, True),
    ('member', 'p2', servers.DELETE, False),
    ('member', 'p1', servers.EXTENDED_ATTRIBUTES, False),
    ('manager', 'p1', migrate_server.MIGRATE, True),
    ('member', 'p1', migrate_server.MIGRATE, False),
    ('admin', 'p2', servers.DELETE, True),
    ('admin', 'p1', servers.CROSS_CELL, False),
])
def test_default_roles(policy_file, role, project, rule, allowed):
    asked = build(policy_file)
    assert asked.can(caller(role), rule, {'project_id': project}) is allowed


def test_keys_are_their_users(policy_file):
    asked = build(policy_file)
    assert asked.can(caller('member'), keypairs.SHOW, {'user_id': 'u1'})
    assert not asked.can(caller('member'), keypairs.SHOW, {'user_id': 'u2'})
    assert asked.can(caller('admin'), keypairs.SHOW, {'user_id': 'u2'})


def test_refusal_names_the_rule(policy_file):
    with pytest.raises(errors.Forbidden) as caught:
        build(policy_file).authorize(caller('reader'), servers.DELETE)
    assert caught.value.message == "Policy doesn't allow os_compute_api:servers:delete to be performed."
    assert caught.value.status == 403


def test_operators_file_wins_and_is_read_again_when_it_changes(policy_file, monkeypatch):
    asked = build(policy_file)
    assert not asked.can(caller('reader'), lock_server.LOCK)
    policy_file.write_text('"os_compute_api:os-lock-server:lock": "role:reader"\n')
    now = clock.monotonic()
    monkeypatch.setattr(clock, 'monotonic', lambda: now + 60)
    assert asked.can(caller('reader'), lock_server.LOCK)


def test_checks_read_no_file(policy_file):
    asked = build(policy_file)
    policy_file.unlink()
    assert asked.can(caller('member'), lock_server.LOCK)


def test_older_name_counts(policy_file):
    policy_file.write_text('"os_compute_api:os-migrate-server:migrate_live": "role:reader"\n')
    asked = build(policy_file)
    assert asked.can(caller('reader'), migrate_server.MIGRATE_LIVE_HOST)


def test_redefined_role_moves_every_rule(policy_file):
    policy_file.write_text('"project_member_api": "role:operator and project_id:%(project_id)s"\n')
    asked = build(policy_file)
    assert asked.can(caller('operator'), servers.DELETE)
    assert not asked.can(caller('member'), servers.DELETE)


def test_system_scope_is_refused(policy_file):
    asked = build(policy_file)
    assert not asked.can(context.RequestContext('u', None, roles=['admin'], system_scope='all'), servers.SHOW)


def test_every_rule_parses_and_names_are_unique(policy_file):
    rules = policies.load()
    assert len(rules) == len({rule.name for rule in rules}) > 200
    assert {default.name for default in enforcer.list_rules()} == (
        {rule.name for rule in rules} | set(base.ROLES))
    with pytest.raises(ValueError):
        base.Rule(servers.SHOW.name, base.ANY, 'again')
