"""Random numbers and video memory."""

from nova.domain.spec_catalog import Integer, Spec, Truth

SPECS = [
    Spec('hw_rng:allowed', Truth(), 'The guest may have a random number device.'),
    Spec('hw_rng:rate_bytes', Integer(low=0), 'Bytes that it may read in a period.'),
    Spec('hw_rng:rate_period', Integer(low=0), 'Length of a period in milliseconds.'),
    Spec('hw_video:ram_max_mb', Integer(low=0), 'Most video memory that an image may ask for, in MB.'),
]
