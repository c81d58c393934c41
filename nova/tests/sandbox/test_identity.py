"""Identity: tokens as keystoneauth and keystonemiddleware use them, and what is refused."""

import datetime
import pathlib

import httpx
import keystoneauth1.exceptions as ksa
import openstack
import pytest
from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystonemiddleware import auth_token

from nova.common import clock
from nova.tests.fixtures.sandbox import Running, running_sandbox

HTTP = httpx.Client()


def password_body(running: Running, user: str = 'demo', password: str | None = None, scope=None) -> dict:
    identity = {'methods': ['password'], 'password': {'user': {
        'name': user, 'domain': {'id': 'default'}, 'password': password or running.passwords[user]}}}
    return {'auth': {'identity': identity, **({'scope': scope} if scope else {})}}


def issue(running: Running, **how) -> httpx.Response:
    return HTTP.post(f'{running.auth_url}/auth/tokens', json=password_body(running, **how))


def validate(running: Running, subject: str, **query) -> httpx.Response:
    secret = running.session('nova').get_token()
    return HTTP.get(f'{running.auth_url}/auth/tokens', params=query,
                     headers={'X-Auth-Token': secret, 'X-Subject-Token': subject})


def test_discovery(running: Running) -> None:
    root = HTTP.get(f'{running.url}/identity/')
    assert root.status_code == 300
    assert root.json()['versions']['values'][0]['id'] == 'v3.14'
    assert HTTP.get(running.auth_url).json()['version']['links'][0]['href'] == f'{running.auth_url}/'


def test_wrong_password_in_keystones_envelope(running: Running) -> None:
    answer = issue(running, password='wrong')
    assert answer.status_code == 401
    assert answer.json() == {'error': {'code': 401, 'title': 'Unauthorized',
                                       'message': 'The request you have made requires authentication.'}}
    assert answer.headers['WWW-Authenticate'].startswith('Keystone uri=')
    assert issue(running, user='nobody', password='x').json() == answer.json()


@pytest.mark.parametrize('body', [{}, {'auth': None}, {'auth': {'identity': {'methods': []}}}, [],
                                  {'auth': {'identity': {'methods': ['password'], 'password': {'user': {}}}}}])
def test_malformed_authentication_is_400(running: Running, body) -> None:
    assert HTTP.post(f'{running.auth_url}/auth/tokens', json=body).status_code == 400


def test_project_scope_roles_are_expanded_and_catalog_is_filled(running: Running) -> None:
    scope = {'project': {'name': 'admin', 'domain': {'name': 'Default'}}}
    answer = issue(running, user='admin', scope=scope)
    token = answer.json()['token']
    assert answer.status_code == 201 and answer.headers['X-Subject-Token']
    assert {role['name'] for role in token['roles']} == {'admin', 'manager', 'member', 'reader'}
    urls = {service['type']: service['endpoints'][0]['url'] for service in token['catalog']}
    assert urls['volumev3'] == f'{running.url}/volume/v3/{running.made.projects["admin"]}'
    assert urls['compute'].endswith('/v2.1') and len(token['audit_ids']) == 1


def test_other_scopes(running: Running) -> None:
    unscoped = issue(running).json()['token']
    assert 'project' not in unscoped and 'catalog' not in unscoped and 'roles' not in unscoped
    system = issue(running, user='admin', scope={'system': {'all': True}}).json()['token']
    assert system['system'] == {'all': True}
    domain = issue(running, user='admin', scope={'domain': {'id': 'default'}}).json()['token']
    assert domain['domain']['name'] == 'Default'
    assert issue(running, scope={'system': {'all': True}}).status_code == 401
    assert issue(running, scope={'project': {'id': running.made.projects['admin']}}).status_code == 401


def test_rescoping_keeps_the_end_and_the_chain(running: Running) -> None:
    first = issue(running)
    body = {'auth': {'identity': {'methods': ['token'], 'token': {'id': first.headers['X-Subject-Token']}},
                     'scope': {'project': {'id': running.made.projects['demo']}}}}
    second = HTTP.post(f'{running.auth_url}/auth/tokens', json=body).json()['token']
    assert second['expires_at'] == first.json()['token']['expires_at']
    assert second['audit_ids'][1] == first.json()['token']['audit_ids'][0]
    assert set(second['methods']) == {'password', 'token'}


def test_validate_revoke_and_nocatalog(running: Running) -> None:
    subject = running.session('demo').get_token()
    assert 'catalog' in validate(running, subject).json()['token']
    assert 'catalog' not in validate(running, subject, nocatalog='').json()['token']
    own = {'X-Auth-Token': subject, 'X-Subject-Token': subject}
    assert HTTP.head(f'{running.auth_url}/auth/tokens', headers=own).status_code == 200
    assert HTTP.delete(f'{running.auth_url}/auth/tokens', headers=own).status_code == 204
    assert validate(running, subject).status_code == 404
    assert HTTP.get(f'{running.auth_url}/auth/catalog', headers=own).status_code == 401


def test_a_user_validates_only_own_tokens(running: Running) -> None:
    headers = {'X-Auth-Token': running.session('demo').get_token(),
               'X-Subject-Token': running.session('admin').get_token()}
    assert HTTP.get(f'{running.auth_url}/auth/tokens', headers=headers).status_code == 403


def test_expired_token_and_the_window_for_services(running: Running) -> None:
    subject = running.session('demo').get_token()
    assert HTTP.post(f'{running.url}/sandbox/expire-token', json={'token': subject}).status_code == 204
    assert validate(running, subject).status_code == 404
    assert validate(running, subject, allow_expired='1').status_code == 200
    assert HTTP.get(f'{running.url}/image/v2/images', headers={'X-Auth-Token': subject}).status_code == 401


def test_keystoneauth_authenticates_again_when_a_token_ran_out(running: Running) -> None:
    mine = running.session('demo')
    first = mine.get_token()
    running.sandbox.expire_token(first)
    assert mine.get(f'{running.url}/image/v2/images').status_code == 200
    assert mine.get_token() != first


def test_losing_a_role_or_a_user_ends_tokens(running: Running, admin: openstack.connection.Connection) -> None:
    project = admin.identity.create_project(name='brief')
    user = admin.identity.create_user(name='guest', password='first secret', domain_id='default')
    role = admin.identity.find_role('member')
    admin.identity.assign_project_role_to_user(project, user, role)
    auth = v3.Password(running.auth_url, username='guest', password='first secret', user_domain_id='default',
                       project_id=project.id)
    guest = session.Session(auth=auth)
    subject = guest.get_token()
    assert validate(running, subject).status_code == 200
    admin.identity.unassign_project_role_from_user(project, user, role)
    assert validate(running, subject).status_code == 404
    admin.identity.assign_project_role_to_user(project, user, role)
    assert validate(running, subject).status_code == 200
    admin.identity.update_user(user, password='second secret')
    assert validate(running, subject).status_code == 404
    with pytest.raises(ksa.Unauthorized):
        session.Session(auth=v3.Password(running.auth_url, username='guest', password='first secret',
                                         user_domain_id='default', project_id=project.id)).get_token()
    admin.identity.delete_user(user)
    admin.identity.delete_project(project)


def test_groups_grant_roles(running: Running, admin: openstack.connection.Connection) -> None:
    group = admin.identity.create_group(name='readers', domain_id='default')
    user = admin.identity.create_user(name='visitor', password='long enough', domain_id='default')
    admin.identity.add_user_to_group(user, group)
    admin.identity.assign_project_role_to_group(running.made.projects['demo'], group,
                                                running.made.roles['reader'])
    token = running.sandbox.directory.token(session.Session(auth=v3.Password(
        running.auth_url, username='visitor', password='long enough', user_domain_id='default',
        project_id=running.made.projects['demo'])).get_token())
    assert [role['name'] for role in token['roles']] == ['reader']
    cloud = running.cloud('demo')
    cloud['auth'].update(username='visitor', password='long enough')
    visitor = openstack.connect(**cloud)
    assert [image.name for image in visitor.image.images()] == ['tiny']
    with pytest.raises(openstack.exceptions.ForbiddenException):
        visitor.image.create_image(name='no', allow_duplicates=True)


def test_application_credential(running: Running, demo: openstack.connection.Connection) -> None:
    user = demo.current_user_id
    made = demo.identity.create_application_credential(user, name='robot', roles=[{'name': 'reader'}])
    auth = v3.ApplicationCredential(running.auth_url, application_credential_id=made.id,
                                    application_credential_secret=made.secret)
    robot = session.Session(auth=auth)
    token = running.sandbox.directory.token(robot.get_token())
    assert token['project']['name'] == 'demo' and [role['name'] for role in token['roles']] == ['reader']
    with pytest.raises(openstack.exceptions.BadRequestException):
        demo.identity.create_application_credential(user, name='more', roles=[{'name': 'admin'}])
    demo.identity.delete_application_credential(user, made)
    with pytest.raises(ksa.Unauthorized):
        session.Session(auth=v3.ApplicationCredential(
            running.auth_url, application_credential_id=made.id,
            application_credential_secret=made.secret)).get_token()


def test_expired_application_credential(running: Running, demo: openstack.connection.Connection) -> None:
    past = (clock.utcnow() - datetime.timedelta(minutes=1)).strftime('%Y-%m-%dT%H:%M:%S.%f')
    made = demo.identity.create_application_credential(demo.current_user_id, name='late', expires_at=past)
    with pytest.raises(ksa.Unauthorized):
        session.Session(auth=v3.ApplicationCredential(
            running.auth_url, application_credential_id=made.id,
            application_credential_secret=made.secret)).get_token()


def test_users_may_not_administer(demo: openstack.connection.Connection) -> None:
    for call in (lambda: list(demo.identity.users()), lambda: demo.identity.create_project(name='mine')):
        with pytest.raises(openstack.exceptions.ForbiddenException):
            call()


def test_duplicate_names_conflict(admin: openstack.connection.Connection) -> None:
    with pytest.raises(openstack.exceptions.ConflictException):
        admin.identity.create_project(name='demo', domain_id='default')


def toy(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(environ[f'HTTP_X_{name}'] for name in ('USER_NAME', 'PROJECT_NAME', 'ROLES')).encode()]


def test_keystonemiddleware_in_front_of_an_application(running: Running) -> None:
    service = running.credentials('nova')
    guarded = auth_token.AuthProtocol(toy, {
        'auth_type': 'password', 'www_authenticate_uri': running.auth_url, 'delay_auth_decision': False,
        'token_cache_time': -1, 'service_token_roles_required': True, **service})
    client = httpx.Client(transport=httpx.WSGITransport(app=guarded), base_url='http://toy')
    subject = running.session('demo').get_token()
    assert client.get('/', headers={'X-Auth-Token': subject}).text == 'demo demo member,reader'
    refused = client.get('/', headers={'X-Auth-Token': 'nonsense'})
    assert refused.status_code == 401 and running.auth_url in refused.headers['WWW-Authenticate']
    running.sandbox.expire_token(subject)
    assert client.get('/', headers={'X-Auth-Token': subject}).status_code == 401
    with_service = {'X-Auth-Token': subject, 'X-Service-Token': running.session('nova').get_token()}
    assert client.get('/', headers=with_service).status_code == 200


def test_it_survives_a_restart_and_keeps_no_secret(tmp_path: pathlib.Path) -> None:
    with running_sandbox(tmp_path) as first:
        subject, passwords = first.session('demo').get_token(), first.passwords
        port = int(first.url.split(':')[-1])
        cloud = openstack.connect(**first.cloud('demo'))
        ident = cloud.network.create_port(network_id=first.made.networks['private']).id
    stored = b''.join(path.read_bytes() for path in (tmp_path / 'sandbox').glob('sandbox.sqlite*'))
    assert subject.encode() not in stored
    assert not any(password.encode() in stored for password in passwords.values())
    assert not any(password in repr(first) for password in passwords.values())
    with running_sandbox(tmp_path, passwords=passwords, port=port) as second:
        assert second.made == first.made
        assert validate(second, subject).status_code == 200
        assert openstack.connect(**second.cloud('demo')).network.get_port(ident).id == ident
