"""The service around the API: configuration, policy, authentication, mounting, description."""

import dataclasses
import pathlib
import subprocess
import sys
from typing import Any, cast
from wsgiref import util

import pytest
from oslo_config import cfg
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.placement import app, direct, openapi, policy, routes
from nova.placement import conf as options
from nova.placement.db import session
from nova.placement.history import VERSIONS
from nova.tests.fixtures import placement


def _database(tmp_path: pathlib.Path) -> dbkit.Database:
    db = dbkit.Database(f'sqlite:///{tmp_path / "p.sqlite"}')
    session.sync(db)
    return db


def _configured(tmp_path: pathlib.Path, text: str) -> cfg.ConfigOpts:
    file = tmp_path / 'placement.conf'
    file.write_text(text)
    return options.load(['--config-file', str(file)])


def test_policy_file_is_honoured(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'policy.yaml').write_text(
        '"placement:resource_providers:list": "role:member"\n"placement:traits:list": "!"\n')
    conf = _configured(tmp_path, '[api]\nauth_strategy = noauth2\n')
    service = app.make_app(conf, _database(tmp_path))
    member = direct.Client(service, 'joe:acme')
    assert member.get('/resource_providers').status_code == 200
    assert member.get('/resource_classes').status_code == 403
    assert direct.Client(service).get('/traits').status_code == 403


def test_rule_names() -> None:
    names = {rule.name for rule in policy.list_rules()}
    assert names >= {
        'admin_api', 'placement:resource_providers:list', 'placement:resource_providers:inventories:update',
        'placement:resource_providers:aggregates:update', 'placement:allocations:manage', 'placement:usages',
        'placement:resource_providers:usages', 'placement:allocation_candidates:list',
        'placement:reshaper:reshape', 'placement:traits:update', 'placement:resource_classes:update'}
    assert len([name for name in names if name.startswith('placement:')]) == 33


BASE_RULES = ('admin_api', 'service_api', 'admin_or_service_api', 'project_reader_api',
              'admin_or_project_reader_or_service_api')
"""Their names are in policy files of operators."""


@pytest.mark.parametrize('rule', BASE_RULES)
def test_an_operator_overrides_a_base_rule(rule: str, tmp_path: pathlib.Path) -> None:
    assert {one.name for one in policy.list_rules() if not one.name.startswith('placement:')} == set(BASE_RULES)
    (tmp_path / 'policy.yaml').write_text(f'"{rule}": "role:guest"\n')
    conf = _configured(tmp_path, '[api]\nauth_strategy = noauth2\n[oslo_policy]\n'
                                 'enforce_new_defaults = false\n')
    guest = direct.Client(app.make_app(conf, _database(tmp_path)), 'joe:acme', headers={'X-Roles': 'guest'})
    asked = {
        'admin_or_service_api': ('GET', '/resource_providers', None),
        'service_api': ('POST', '/reshaper', {'inventories': {}, 'allocations': {}}),
        'admin_api': ('POST', '/reshaper', {'inventories': {}, 'allocations': {}}),
    }
    method, path, body = asked.get(rule, ('GET', '/usages?project_id=acme', None))
    assert guest.request(method, path, json=body).status_code < 300


def test_request_lines_name_user_and_project(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    client = direct.Client(app.make_app(placement.make_conf(), _database(tmp_path)), 'joe doe:acme')
    with caplog.at_level('INFO', 'nova.common.middleware'):
        client.get('/resource_providers')
        client.get('/', headers={'X-Auth-Token': ''})
    lines = [record.message for record in caplog.records if record.name == 'nova.common.middleware']
    assert 'user: joe%20doe project: acme' in lines[0]
    assert 'user: - project: -' in lines[1]


def test_administrators_reshape_until_new_defaults_are_enforced(tmp_path: pathlib.Path) -> None:
    conf = placement.make_conf()
    client = direct.Client(app.make_app(conf, _database(tmp_path)), headers={'X-Roles': 'admin'})
    empty: dict[str, Any] = {'inventories': {}, 'allocations': {}}
    conf.set_override('enforce_new_defaults', True, 'oslo_policy')
    assert client.post('/reshaper', json=empty).status_code == 403


def test_keystone_headers_cannot_be_forged(tmp_path: pathlib.Path) -> None:
    conf = _configured(tmp_path, '[keystone_authtoken]\nauth_type = password\nauth_url = http://127.0.0.1:1/\n'
                                 'username = placement\npassword = x\nproject_name = service\n')
    made = app.make_app(conf, _database(tmp_path))
    client = direct.Client(made, token=None, headers={
        'X-Identity-Status': 'Confirmed', 'X-User-Id': 'mallory', 'X-Roles': 'admin', 'X-Project-Id': 'p'})
    assert client.get('/resource_providers').status_code == 401
    assert client.get('/').status_code == 200
    answered: list[tuple[str, str]] = []
    environ: dict[str, Any] = {'PATH_INFO': '/resource_providers'}
    util.setup_testing_defaults(environ)
    list(made(environ, lambda status, headers, *_: answered.extend(headers)))
    assert [value[:8] for name, value in answered if name.lower() == 'www-authenticate'] == ['Keystone']


def test_links_below_a_mount_point(tmp_path: pathlib.Path) -> None:
    client = direct.Client(app.make_app(placement.make_conf(), _database(tmp_path)), mount='/placement')
    made = client.post('/resource_providers', json={'name': 'host'})
    uuid = made.json()['uuid']
    assert made.json()['links'][0]['href'] == f'/placement/resource_providers/{uuid}'
    assert made.headers['location'].endswith(f'/placement/resource_providers/{uuid}')
    assert client.get('').json()['versions'][0]['id'] == 'v1.0'


def test_cors(tmp_path: pathlib.Path) -> None:
    conf = placement.make_conf()
    db = _database(tmp_path)
    app.make_app(conf, db)
    conf.set_override('allowed_origin', ['http://horizon.example'], 'cors')
    client = direct.Client(app.make_app(conf, db))
    answer = client.get('/', headers={'Origin': 'http://horizon.example'})
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers['access-control-allow-origin'] == 'http://horizon.example'


def test_configuration_comes_from_the_environment(tmp_path: pathlib.Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'placement.conf').write_text('[placement]\nmax_allocation_candidates = 7\n')
    monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))
    monkeypatch.setenv('OS_PLACEMENT_DATABASE__CONNECTION', f'sqlite:///{tmp_path / "env.sqlite"}')
    conf = options.load()
    assert conf.placement.max_allocation_candidates == 7
    assert conf.placement_database.connection.endswith('env.sqlite')
    assert conf.api.auth_strategy == 'keystone'


def test_the_wsgi_module_serves(tmp_path: pathlib.Path) -> None:
    script = ('from nova.placement import direct, wsgi\n'
              'print(direct.Client(wsgi.application).get("/traits").status_code)')
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=False, env={
            'PATH': '', 'OS_API__AUTH_STRATEGY': 'noauth2', 'OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP': 'true',
            'OS_PLACEMENT_CONFIG_DIR': str(tmp_path),
            'OS_PLACEMENT_DATABASE__CONNECTION': f'sqlite:///{tmp_path / "env.sqlite"}'})
    assert done.stdout.split()[-1] == '200', done.stderr


def test_without_a_database_it_says_so() -> None:
    with pytest.raises(session.NotConfigured, match='connection'):
        app.make_app(placement.make_conf())


@pytest.mark.parametrize('version', VERSIONS, ids=str)
def test_every_version_is_described(version: Any) -> None:
    document = openapi.document(routes.TABLE, version)
    described = {(path, method) for path, methods in document['paths'].items() for method in methods}
    assert described == {(route.path, route.method.lower()) for route in routes.TABLE
                         if route.serves(version)}
    for path, methods in document['paths'].items():
        for operation in methods.values():
            assert {'4XX', '503'} < operation['responses'].keys()
            assert min(operation['responses']).startswith('20')
            fields = {field['name'] for field in operation['parameters'] if field['in'] == 'path'}
            assert all('{' + name + '}' in path for name in fields) and operation['summary']


def _parameters(version: str) -> dict[str, Any]:
    document = openapi.document(routes.TABLE, VERSIONS[[str(one) for one in VERSIONS].index(version)])
    return {field['name']: field for field in document['paths']['/allocation_candidates']['get']['parameters']}


def test_groups_and_repeated_keys_are_described() -> None:
    old, new = _parameters('1.24'), _parameters('1.39')
    assert old['member_of']['schema']['type'] == 'array' and old['required']['schema']['type'] == 'string'
    assert 'groups' not in old
    assert {new[key]['schema']['type'] for key in ('member_of', 'required', 'same_subtree')} == {'array'}
    assert (new['groups']['style'], new['groups']['explode']) == ('form', True)
    assert any(key.startswith('^(resources|') for key in new['groups']['schema']['patternProperties'])


class _Gone:
    """A database that nobody reaches."""

    def read(self, snapshot: bool = False) -> Any:
        raise db_exc.DBConnectionError('gone')


def test_a_lost_database_is_503(tmp_path: pathlib.Path) -> None:
    conf = placement.make_conf()
    app.make_app(conf, _database(tmp_path))
    handles = app.make_service(conf, _database(tmp_path))
    client = direct.Client(app.serve(dataclasses.replace(handles, db=cast(Any, _Gone()))))
    assert client.get('/resource_providers').status_code == 503
