"""The metadata service: who is believed, what is told, and what a guest may leave."""

import base64
import json

import falcon.testing
import pytest

from nova import errors
from nova.api.metadata import app, vendordata, who
from nova.tests.api.cloud import PROJECT

SECRET = 'shared'


@pytest.fixture
def ask(cloud):
    """Asks as Neutron's proxy does; ``project`` and ``signature`` may be others."""
    cloud.conf.set_override('service_metadata_proxy', True, 'neutron')
    cloud.conf.set_override('metadata_proxy_shared_secret', SECRET, 'neutron')
    http = falcon.testing.TestClient(app.make_app(cloud.conf, dbs=cloud.dbs, clients=cloud.clients))

    def ask(path, server, method='GET', project=PROJECT, signature=None, **more):
        headers = {'X-Instance-ID': server.uuid, 'X-Tenant-ID': project,
                   'X-Instance-ID-Signature': signature or who.sign(SECRET, server.uuid)}
        return http.simulate_request(method, path, headers=headers, **more)
    ask.http = http
    return ask


def test_what_is_told(cloud, ask):
    server = cloud.server(user_data=base64.b64encode(b'#!').decode(), metadata={'role': 'web'})
    said = ask('/openstack/latest/meta_data.json', server)
    assert said.headers['content-type'].startswith('application/json')
    assert (said.json['uuid'], said.json['meta']) == (server.uuid, {'role': 'web'})
    assert ask('/latest/meta-data/hostname', server).text == 'one.novalocal'
    assert ask('/latest/user-data', server).content == b'#!'
    assert ask('/openstack', server).text.split('\n')[-1] == 'latest'
    assert 'meta_data.json' in ask('/openstack/latest/', server).text.split('\n')
    assert ask('/latest/meta-data/nothing', server).status_code == 404
    assert ask('/2001-01-01', server).status_code == 404
    assert ask('/latest', server, 'DELETE').status_code == 405


def test_entropy_is_the_server_s_own(cloud, ask):
    one, two = (json.loads(ask('/openstack/latest/meta_data.json', cloud.server()).text)['random_seed']
                for _ in range(2))
    assert one != two and len(base64.b64decode(one)) == 512


def test_who_is_believed(cloud, ask):
    server, other = cloud.server(), cloud.server()
    path = '/latest/meta-data'
    assert ask(path, server, signature='0' * 64).status_code == 403
    assert ask(path, server, signature=who.sign(SECRET, other.uuid)).status_code == 403
    assert ask(path, server, signature=who.sign('guessed', server.uuid)).status_code == 403
    assert ask(path, server, project='another').status_code == 404
    cloud.call('DELETE', f'/servers/{server.uuid}')
    assert ask.http.simulate_get(path).status_code == 400
    assert ask.http.simulate_get(path, headers={'X-Instance-ID': other.uuid}).status_code == 400
    two = {'X-Instance-ID': f'{other.uuid},{server.uuid}', 'X-Tenant-ID': PROJECT}
    assert ask.http.simulate_get(path, headers=two).status_code == 400
    assert ask.http.simulate_get('/healthcheck').text == 'OK'


def test_a_server_that_is_none(cloud, ask):
    server = cloud.server()
    server.uuid = '00000000-0000-4000-8000-000000000000'
    assert ask('/latest/meta-data', server).status_code == 404


def test_a_cell_that_is_away(cloud, ask):
    server = cloud.server()
    cloud.break_cell(1)
    assert ask('/latest/meta-data', server).status_code == 503


def test_a_sealed_password_is_left_once(cloud, ask):
    server = cloud.server()
    path = '/openstack/latest/password'
    assert ask(path, server).text == ''
    assert ask(path, server, 'POST', body='x' * 1021).status_code == 400
    assert ask(path, server, 'POST', body='\xff').status_code == 400
    assert ask(path, server, 'POST', body='sealed').status_code == 200
    assert ask(path, server, 'POST', body='again').status_code == 409
    assert ask(path, server).text == 'sealed'
    assert cloud.call('GET', f'/servers/{server.uuid}/os-server-password').json == {'password': 'sealed'}
    assert ask('/openstack/2012-08-10/password', server, 'POST', body='x').status_code == 404
    assert ask('/openstack/latest/meta_data.json', server, 'POST', body='x').status_code == 404


def test_without_a_proxy_the_address_tells(cloud):
    http = falcon.testing.TestClient(app.make_app(cloud.conf, dbs=cloud.dbs, clients=cloud.clients))
    assert http.simulate_get('/latest/meta-data', remote_addr='198.51.100.7').status_code == 404
    server = cloud.server()
    assert http.simulate_get('/latest', headers={'X-Instance-ID': server.uuid}).status_code == 400


def test_a_secret_is_needed(cloud):
    cloud.conf.set_override('service_metadata_proxy', True, 'neutron')
    with pytest.raises(errors.Invalid, match='metadata_proxy_shared_secret'):
        app.make_app(cloud.conf, dbs=cloud.dbs, clients=cloud.clients)


def test_one_cell_needs_no_api_database(cloud, ask):
    server = cloud.server(cell=0)
    cloud.conf.set_override('local_metadata_per_cell', True, 'api')

    class OneCell:
        main = cloud.db(0)
    http = falcon.testing.TestClient(app.make_app(cloud.conf, dbs=OneCell(), clients=cloud.clients))
    headers = {'X-Instance-ID': server.uuid, 'X-Tenant-ID': PROJECT,
               'X-Instance-ID-Signature': who.sign(SECRET, server.uuid)}
    assert http.simulate_get('/latest/meta-data/hostname', headers=headers).text == 'one.novalocal'


class Answers:
    """A session whose services answer as told."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def post(self, url, json, timeout, verify):
        self.asked.append((url, json['instance-id']))
        return self.answers[url]


class Answer:
    def __init__(self, body):
        self.body = body

    def raise_for_status(self):
        pass

    def json(self):
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


def test_what_the_operator_says(cloud, tmp_path):
    file = tmp_path / 'vendor.json'
    file.write_text('{"org": "us"}')
    for name, value in (('vendordata_providers', ['StaticJSON', 'DynamicJSON']),
                        ('vendordata_jsonfile_path', str(file)),
                        ('vendordata_dynamic_targets', ['join@http://a/', 'bad@http://b/'])):
        cloud.conf.set_override(name, value, 'api')
    session = Answers({'http://a/': Answer({'token': 't'}), 'http://b/': Answer(ValueError('no JSON'))})
    found = vendordata.Vendordata(cloud.conf, session)
    server = cloud.server()
    assert found.static() == {'org': 'us'}
    assert found.dynamic(server) == {'join': {'token': 't'}, 'bad': {}}
    assert session.asked == [('http://a/', server.uuid), ('http://b/', server.uuid)]
    cloud.conf.set_override('vendordata_dynamic_failure_fatal', True, 'api')
    with pytest.raises(errors.Unavailable):
        found.dynamic(server)


@pytest.mark.parametrize('text', ['[]', '{', None])
def test_a_file_that_is_no_object(cloud, tmp_path, text):
    file = tmp_path / 'vendor.json'
    if text is not None:
        file.write_text(text)
    cloud.conf.set_override('vendordata_jsonfile_path', str(file), 'api')
    with pytest.raises(errors.Invalid, match='vendordata_jsonfile_path'):
        vendordata.Vendordata(cloud.conf)
