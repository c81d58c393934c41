"""Which directories other hosts may see."""

import pathlib

import pytest

from nova.virt.libvirt import paths

MOUNTS = '''\
/dev/sda1 / ext4 rw,relatime 0 0
filer:/nova /var/lib/nova/instances nfs4 rw,vers=4.2 0 0
/dev/sdb1 /var/lib/nova/instances/local xfs rw 0 0
'''


@pytest.mark.parametrize(('path', 'networked'), [
    ('/var/lib/nova', False), ('/var/lib/nova/instances', True), ('/var/lib/nova/instances/a/b', True),
    ('/var/lib/nova/instances/local/a', False), ('/var/lib/nova/instances2', False)])
def test_what_is_networked(path, networked):
    """So a host that returns after an evacuation removes no disk that is in use elsewhere."""
    assert paths.is_networked(pathlib.Path(path), MOUNTS) is networked
