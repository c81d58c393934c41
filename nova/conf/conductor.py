"""[conductor]"""

from oslo_config import cfg

GROUP = 'conductor'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('workers', min=0, help='''
Conductor processes; unset or 0 is one.'''),
    cfg.IntOpt('threads', default=32, min=1, help='''
Tasks that one conductor process advances at the same time. A task waiting for a host takes none.'''),
    cfg.IntOpt('cell_threads', default=16, min=1, help='''
Of a super-conductor, for each cell: tasks of the cell that it advances at the same time. A cell that does not
answer holds up its own only.'''),
    cfg.StrOpt('role', default='both', choices=['cell', 'super', 'both'], help='''
cell: runs the tasks of its cell's servers, reaching neither the API database nor the scheduler. super: chooses
hosts and reaches down into cells. both: for deployments with one cell on one bus.'''),
    cfg.IntOpt('audit_interval', default=86400, min=0, help='''
Seconds between two audits of the deployment by its super-conductors: whether allocations, guests, ports and
attachments are those that servers have, and whether every operation is looked after. One super-conductor at a
time does it; it asks every host, Placement, Neutron and Cinder. 0 is never.'''),
    cfg.BoolOpt('audit_repair', default=False, help='''
Have the audit mend what has one right answer, as nova-manage audit --repair does.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
