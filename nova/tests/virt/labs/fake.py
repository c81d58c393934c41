"""Hosts of the fake driver."""

import types
import uuid

from nova import conf as nova_conf
from nova import objects
from nova.clients.fake.image import FakeImage
from nova.tests.virt.labs.base import Lab, Site
from nova.virt.fake.driver import FakeDriver
from nova.virt.fake.fabric import Fabric


class FakeLab(Lab):
    def __init__(self):
        super().__init__()
        fabric, conf = Fabric(), nova_conf.new(config_files=[])
        self.sites = {name: Site(name, FakeDriver(name, fabric=fabric), conf) for name in ('h1', 'h2')}
        self.clients = types.SimpleNamespace(image=FakeImage())
        self.image = self.clients.image.add()

    def address(self, host):
        return host

    def volume(self, megabytes=8):
        device = objects.BlockDeviceMapping(
            uuid=str(uuid.uuid4()), volume_id=str(uuid.uuid4()), source_type='volume',
            destination_type='volume', device_name='/dev/vdb', volume_size=1)
        return device, {'driver_volume_type': 'fake'}

    def file_share(self, h, share):
        """Whatever is to be mounted can be."""

    def grow(self, device, megabytes):
        """Nothing is there that could grow."""

    def vif(self):
        return objects.VIF(id=str(uuid.uuid4()), address='fa:16:3e:00:00:01', type='bridge',
                           network=objects.Network(id='net', bridge='br100'))

    def ready(self, h):
        """It always is."""

    def sees(self, h, what, there=True):
        guest = h.driver.guest(h)
        return (what in guest.volumes + guest.interfaces) == there

    def data_of(self, image_id):
        return self.clients.image.data[image_id]
