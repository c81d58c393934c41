"""PCI devices."""

from nova.domain.spec_catalog import Spec, Text

SPECS = [
    Spec('pci_passthrough:alias', Text(r'[^:,]+:\d+(,[^:,]+:\d+)*'), 'Devices: alias:count, by comma.'),
]
