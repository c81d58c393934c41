"""Amounts and traits that Placement is asked for."""

from nova.domain.spec_catalog import Choice, Integer, Spec

SPECS = [
    Spec('resources{group}:{class}', Integer(low=0), 'Amount of a class; 0 drops what the flavor says.'),
    Spec('trait{group}:{trait}', Choice(('required', 'forbidden')), 'Trait that a provider must have or lack.'),
]
