"""VMware."""

from nova.domain.spec_catalog import Spec, Text

SPECS = [
    Spec('vmware:hw_version', Text(r'vmx-\d+'), 'Version of the virtual hardware.'),
    Spec('vmware:storage_policy', Text(), 'Storage policy of the disks.'),
]
