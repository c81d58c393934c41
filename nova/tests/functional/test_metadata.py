"""A whole cloud's guests ask about themselves, through what a metadata proxy would send."""

import httpx

from nova.api.metadata import who
from nova.standalone import config


def test_a_guest_reads_its_metadata_and_leaves_a_password(demo, cloud):
    deployment = cloud.deployment
    server = demo.booted('asks', metadata={'role': 'web'})
    uuid, project = server['id'], server['tenant_id']
    http = httpx.Client(base_url=deployment.url('metadata'), headers={
        'X-Instance-ID': uuid, 'X-Tenant-ID': project,
        'X-Instance-ID-Signature': who.sign(deployment.passwords[config.METADATA], uuid)})
    try:
        said = http.get('/openstack/latest/meta_data.json').json()
        assert (said['uuid'], said['meta'], said['project_id']) == (uuid, {'role': 'web'}, project)
        network = http.get('/openstack/latest/network_data.json').json()
        address = next(iter(server['addresses'].values()))[0]['addr']
        assert [one['ip_address'] for one in network['networks']] == [address]
        assert http.get('/latest/meta-data/local-ipv4').text == address
        assert http.post('/openstack/latest/password', content=b'sealed').status_code == 200
        assert demo.get(f'/servers/{uuid}/os-server-password') == {'password': 'sealed'}
        assert httpx.get(deployment.url('metadata') + '/latest').status_code == 400
    finally:
        demo.delete(uuid)
