"""Cinder's NFS driver on a directory of this machine: nothing is mounted, several may attach a volume.

A compute host finds a volume where it would mount the share: MOUNT_POINT_BASE/md5(EXPORT)/NAME.
"""

import json
import os
import time

from cinder import interface
from cinder.volume.drivers import nfs
from oslo_config import cfg

OPTS = [cfg.StrOpt('faults', help='see realcloud/faults.py')]


@interface.volumedriver
class Driver(nfs.NfsDriver):
    """Volumes are plain files; two QEMUs can open a raw one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTS)

    def _ensure_share_mounted(self, nfs_share):
        os.makedirs(self._get_mount_point_for_share(nfs_share), exist_ok=True)

    def _update_volume_stats(self):
        super()._update_volume_stats()
        self._stats['multiattach'] = True

    def _be_slow(self):
        try:
            with open(self.configuration.faults) as stream:
                time.sleep(json.load(stream).get('seconds', 0))
        except FileNotFoundError:
            return

    def create_volume(self, volume):
        self._be_slow()
        made = super().create_volume(volume)
        if volume.encryption_key_id is not None:
            self._name_format(volume)
        return made

    @staticmethod
    def _name_format(volume):
        """Cinder makes an encrypted volume as qcow2, and writes down "raw", so that nobody could read it."""
        with volume.obj_as_admin():
            volume.admin_metadata['format'] = 'qcow2'
            volume.save()

    def extend_volume(self, volume, new_size):
        """Also while a guest uses it, as backends do whose files are raw."""
        if not self._is_volume_attached(volume):
            return super().extend_volume(volume, new_size)
        name = self.get_active_image_from_info(volume)
        os.truncate(os.path.join(self._local_volume_dir(volume), name), new_size << 30)

    def delete_volume(self, volume):
        self._be_slow()
        return super().delete_volume(volume)

    def initialize_connection(self, volume, connector):
        self._be_slow()
        return super().initialize_connection(volume, connector)
