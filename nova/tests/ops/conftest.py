"""The cloud of the API's conversations, with an image, a network and a flavor in it."""

import pytest

from nova.common import uuids
from nova.tests.api import cloud as clouds
from nova.tests.fixtures import nova_db


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, **{'api.auth_strategy': 'noauth2'}) as made:
        found = clouds.Cloud(made)
        found.image_id = found.clients.image.add()
        found.network_id = found.clients.network.api.add_network(clouds.PROJECT)
        found.small = found.flavor(flavorid='small', name='small', vcpus=2, memory_mb=1024, root_gb=10)
        yield found


@pytest.fixture
def create(cloud):
    """``create(name=..., version=..., hints=..., **server)``: the response of POST /servers."""
    def call(version='2.90', headers=clouds.MEMBER, hints=None, **server):
        body = {'name': 'web', 'flavorRef': 'small', 'imageRef': cloud.image_id,
                'networks': [{'uuid': cloud.network_id}], **server}
        document = {'server': {key: value for key, value in body.items() if value is not None}}
        if hints:
            document['os:scheduler_hints'] = hints
        return cloud.call('POST', '/servers', version, headers, json=document)
    return call


@pytest.fixture
def anyone():
    return uuids.generate
