"""A token that is not valid is a 401; one of which the identity service cannot be asked is a 503."""

import json
import logging

import httpx
from oslo_context import context

from nova import conf as confs
from nova.common import auth, problem
from nova.tests.fixtures.sandbox import running_sandbox


def app(environ, start_response):
    try:
        status, said = 200, {'user': auth.from_keystone(environ).user_id}
    except problem.Problem as error:
        status, said = error.status, {'message': error.message, **error.headers}
    start_response(f'{status} .', [('Content-Type', 'application/json')])
    return [json.dumps(said).encode()]


def test_whether_a_token_is_valid_is_one_thing_and_who_says_so_another(tmp_path):
    with running_sandbox(tmp_path) as running:
        file = tmp_path / 'nova.conf'
        options = running.credentials('nova') | {
            'auth_type': 'password', 'www_authenticate_uri': running.auth_url, 'http_request_max_retries': 0}
        lines = [f'{name} = {value}' for name, value in options.items()]
        file.write_text('\n'.join(['[keystone_authtoken]', *lines]))
        conf = confs.new(config_files=[str(file)])
        client = httpx.Client(transport=httpx.WSGITransport(app=auth.keystone(app, conf)), base_url='http://test')
        assert client.get('/', headers={'X-Auth-Token': running.session('demo').get_token()}).status_code == 200
        assert client.get('/', headers={'X-Auth-Token': 'nonsense'}).status_code == 401
        assert client.get('/').status_code == 401
    away = client.get('/', headers={'X-Auth-Token': 'never seen before'})
    assert away.status_code == 503 and away.json()['Retry-After'], away.text
    assert client.get('/').status_code == 401
    assert client.get('/', headers={'nova.token_could_not_be_validated': 'yes'}).status_code == 401


def test_a_line_about_a_token_is_about_its_own_request(tmp_path):
    """Whoever was served by the same thread before has nothing to do with it."""
    seen = []

    class Hear(logging.Handler):
        def emit(self, record):
            seen.append(context.get_current())
    with running_sandbox(tmp_path) as running:
        file = tmp_path / 'nova.conf'
        options = running.credentials('nova') | {
            'auth_type': 'password', 'www_authenticate_uri': running.auth_url}
        lines = [f'{name} = {value}' for name, value in options.items()]
        file.write_text('\n'.join(['[keystone_authtoken]', *lines]))
        wrapped = auth.keystone(app, confs.new(config_files=[str(file)]))
        client = httpx.Client(transport=httpx.WSGITransport(app=wrapped), base_url='http://test')
        before = context.RequestContext(user_id='before', resource_uuid='server', overwrite=True)
        log, handler = logging.getLogger('keystonemiddleware'), Hear()
        log.addHandler(handler)
        try:
            assert client.get('/', headers={'X-Auth-Token': 'nonsense'}).status_code == 401
        finally:
            log.removeHandler(handler)
    assert seen
    assert {(one.request_id == before.request_id, one.user_id, one.resource_uuid) for one in seen} == {
        (False, None, None)}
