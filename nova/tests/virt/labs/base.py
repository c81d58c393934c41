"""What tests of drivers need of whatever hosts there are."""

import abc
import threading
import time
import uuid

from nova import context, objects
from nova.compute import servers
from nova.objects.move import Move

CONTEXT = context.RequestContext('user', 'project', request_id='req-virt')
PATIENCE = 300.0
"""Seconds that a guest of an interpreted CPU gets to do something: many more than it needs, because a machine
that is busy with other things shall not make a test fail."""


class Handle:
    """`handles.Host` of a test."""

    def __init__(self, lab, site, instance):
        self.lab, self.site, self.instance = lab, site, instance
        self.context, self.task, self.attempt, self.host = CONTEXT, 'task', 1, site.name
        self.conf, self.driver, self.clients = site.conf, site.driver, lab.clients
        self.journal = site.journals.of(instance.uuid)
        self.cancelled, self.signals, self.told = threading.Event(), set(), []

    def progress(self, told):
        self.told.append(told)


class Site:
    """One host: its driver and what outlives that."""

    def __init__(self, name, driver, conf):
        self.name, self.driver, self.conf = name, driver, conf
        self.journals = servers.ServerJournals()


class Lab(abc.ABC):
    """Two hosts, `h1` and `h2`.

    Attributes:
        clients: the image service is `clients.image`, with the image `image` that boots.
    """

    def __init__(self):
        self.sites, self.clients, self.image, self.made = {}, None, None, []

    def server(self, vcpus=1, memory_mb=160, root_gb=1, properties=None, extra=None, **values):
        """A server that a guest can be made of; destroyed at the end of the test, wherever it is."""
        flavor = objects.Flavor(flavorid='1', name='small', vcpus=vcpus, memory_mb=memory_mb, root_gb=root_gb,
                                extra_specs=extra or {})
        meta = objects.ImageMeta(id=self.image, name='guest', status='active', disk_format='qcow2',
                                 properties=objects.ImageProperties.from_image(properties or {}))
        given = {'display_name': 'guest', 'hostname': 'guest', 'image_ref': self.image, **values}
        made = objects.Instance.new(project_id='project', user_id='user', host='h1', flavor=flavor,
                                    image_meta=meta, **given)
        made.clean()
        self.made.append(made)
        return made

    def h(self, instance, host='h1'):
        return Handle(self, self.sites[host], instance)

    def move(self, kind='migration', dest='h2', new_flavor=None, instance=None, source='h1', **values):
        flavor = instance.flavor
        move = Move(migration=str(uuid.uuid4()), kind=kind, source=source, source_node=source, dest=dest,
                    dest_node=dest, dest_ip=self.address(dest), old_flavor=flavor,
                    new_flavor=new_flavor or flavor)
        return Moving(move, **values)

    # What differs

    @abc.abstractmethod
    def address(self, host):
        """Where the other host reaches it."""

    @abc.abstractmethod
    def volume(self, megabytes=8):
        """A new volume as a device, and how a host connects it."""

    @abc.abstractmethod
    def vif(self):
        """A new interface, which hosts can plug."""

    @abc.abstractmethod
    def ready(self, h):
        """Wait until the guest answers what it is asked."""

    @abc.abstractmethod
    def sees(self, h, what, there=True):
        """Whether the guest comes to have a volume or an interface, or to have it no more."""

    @staticmethod
    def until(condition, seconds=PATIENCE):
        """Whether a condition comes true in time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def clean(self):
        for made in self.made:
            for site in self.sites.values():
                h = Handle(self, site, made)
                site.driver.destroy(h)
        self.made = []


class Moving:
    """A move with what its flow adds for live migrations."""

    def __init__(self, move, block_migration=None):
        self._move, self.block_migration = move, block_migration

    def __getattr__(self, name):
        return getattr(self._move, name)
