"""Making the services of a real cloud misbehave, each way undone at the end of its ``with``."""

import contextlib
import time

import cluster_config
from realcloud import faults

AGES = (2.0, 1.0, 0.5, 0.0)
"""How long ago, in seconds, something was asked for when somebody is taken away."""


def over_time(ask):
    """Ask four times, so that one kill meets four stages of what was asked for."""
    for age, later in zip(AGES, (*AGES[1:], 0.0), strict=True):
        ask()
        time.sleep(age - later)


class Trouble:
    """What can be done to a cloud of tools/realcloud."""

    def __init__(self, cloud):
        self.cloud, self.deployment = cloud, cloud.deployment

    def end(self):
        """Everybody is well again."""
        for name in ('neutron', 'cinder'):
            faults.tell(self.deployment, name)
        self.cloud.start_missing()

    @contextlib.contextmanager
    def told(self, name, **what):
        """``neutron`` or ``cinder`` behaves as `realcloud.faults` describes."""
        faults.tell(self.deployment, name, **what)
        try:
            yield
        finally:
            faults.tell(self.deployment, name)

    def refusals(self, host):
        """How often Neutron has been asked to bind a port on `host`, and refused, as it was told to."""
        with self.deployment.log('neutron').open() as log:
            return sum(f'Binding on host {host} is refused' in line for line in log)

    @contextlib.contextmanager
    def away(self, *names):
        """kill -9 of processes, which come back in the end."""
        for name in names:
            self.cloud.processes.kill(name)
        try:
            yield
        finally:
            self.cloud.start(self.deployment.services)

    @contextlib.contextmanager
    def options(self, **options):
        """Hosts and cell conductors have other options: ``GROUP__NAME`` or NAME of [DEFAULT]."""
        before = dict(self.deployment.options)
        self._configure(before | {name.replace('__', '.'): value for name, value in options.items()})
        try:
            yield
        finally:
            self._configure(before)

    def _configure(self, options):
        self.deployment.options = options
        cluster_config.write_files(self.deployment)
        names = [name for name in self.deployment.services if self.deployment.cell_of(name)]
        self.cloud.processes.stop(names)
        self.cloud.start(names)

    @contextlib.contextmanager
    def short_tokens(self, seconds):
        """Keystone's new tokens live for `seconds`, and no service of ours has an older one."""
        file = self.deployment.etc('keystone') / 'keystone.conf'
        before = file.read_text()
        try:
            self._reconfigure_keystone(file, before.replace('expiration = 86400', f'expiration = {seconds}'))
            neighbours = self.deployment.neighbours
            with self.away(*(name for name in self.deployment.services if name not in neighbours)):
                pass
            yield
        finally:
            self._reconfigure_keystone(file, before)

    def _reconfigure_keystone(self, file, text):
        cluster_config.write(file, text)
        self.cloud.processes.stop(['keystone'])
        self.cloud.start(['keystone'])


class Servers:
    """Servers of a test: plain ones and such as boot from a volume made of an image.

    Attributes:
        user: who boots the next one; the administrator looks at it, and deletes it.
    """

    def __init__(self, user, admin):
        assert admin.token, 'a token that lives as long as the test, however short those are that come'
        self.user, self._admin, self.uuids = user, admin, []

    def boot(self, **fields):
        """Returns the uuid."""
        answer = self.user.boot('trouble', **fields)
        assert answer.status_code == 202, answer.text
        uuid = answer.json()['server']['id']
        self.uuids.append(uuid)
        return uuid

    def boot_from_volume(self, **fields):
        """Returns the uuid."""
        return self.boot(imageRef='', block_device_mapping_v2=[{
            'uuid': self.user.image, 'source_type': 'image', 'destination_type': 'volume', 'volume_size': 1,
            'boot_index': 0, 'delete_on_termination': True}], **fields)

    def boot_both(self):
        """One of each."""
        self.boot()
        self.boot_from_volume()

    def settled(self, seconds=90):
        """Servers by uuid, as the administrator sees them, once none is in an operation."""
        end = time.monotonic() + seconds
        return {uuid: self._admin.ended(uuid, end - time.monotonic()) for uuid in self.uuids}

    def shown(self):
        """Servers by uuid, as the administrator sees them now."""
        return {uuid: self._admin.show(uuid) for uuid in self.uuids}

    def ask_deletion(self, *uuids):
        """DELETE these, or every one."""
        for uuid in uuids or self.uuids:
            assert self._admin.call('DELETE', f'/servers/{uuid}').status_code in (204, 404)

    def delete(self, seconds=90):
        """DELETE every one, and wait until they are gone."""
        self.ask_deletion()
        for uuid in self.uuids:
            self._admin.gone(uuid, seconds)
        self.uuids = []
