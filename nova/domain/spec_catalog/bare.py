"""Extra specs without a namespace."""

from nova.domain.spec_catalog import Choice, Spec, Truth

SPECS = [
    Spec('group_policy', Choice(('none', 'isolate')), 'Whether suffixed request groups may share a provider.'),
    Spec('hide_hypervisor_id', Truth(), 'Older name of hw:hide_hypervisor_id.'),
]
