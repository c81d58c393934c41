"""What filters compare with aggregates and host facts."""

from nova.domain.spec_catalog import Spec, Text

SPECS = [
    Spec('aggregate_instance_extra_specs:{name}', Text(), 'Asked of the metadata of aggregates.'),
    Spec('capabilities:{name}', Text(), 'Asked of the facts of hosts.'),
]
