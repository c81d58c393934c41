"""Limits and shares of CPU, memory, disk and network."""

from nova.domain.spec_catalog import Choice, Integer, Spec

_LEVEL = Choice(('custom', 'high', 'normal', 'low'))
_WHAT = {'cpu': 'CPU', 'memory': 'memory', 'disk_io': 'disk I/O', 'vif': 'network'}

SPECS = [
    Spec('quota:cpu_shares', Integer(low=0), 'CPU weight relative to other guests.'),
    Spec('quota:cpu_period', Integer(low=1000, high=1000000), 'Period of cpu_quota in microseconds.'),
    Spec('quota:cpu_quota', Integer(), 'Microseconds of CPU time of a vCPU in a period; negative is no limit.'),
]
for _way in ('read', 'write', 'total'):
    for _unit in ('bytes', 'iops'):
        SPECS.append(Spec(f'quota:disk_{_way}_{_unit}_sec', Integer(low=0), f'Disk {_way} {_unit} a second.'))
        SPECS.append(Spec(f'quota:disk_{_way}_{_unit}_sec_max', Integer(low=0), f'In a burst: {_way}.'))
for _way in ('inbound', 'outbound'):
    for _unit, _words in (('average', 'KB/s on average'), ('peak', 'KB/s at most'), ('burst', 'KB in a burst')):
        SPECS.append(Spec(f'quota:vif_{_way}_{_unit}', Integer(low=0), f'{_words}, {_way}.'))
for _name, _text in _WHAT.items():
    SPECS += [
        Spec(f'quota:{_name}_limit', Integer(low=0), f'Upper limit of {_text} (VMware).'),
        Spec(f'quota:{_name}_reservation', Integer(low=0), f'Guaranteed {_text} (VMware).'),
        Spec(f'quota:{_name}_shares_level', _LEVEL, f'Share of {_text} (VMware).'),
        Spec(f'quota:{_name}_shares_share', Integer(low=0), f'Custom share of {_text} (VMware).'),
    ]
