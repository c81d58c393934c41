"""[api]: what the Compute API allows and how it lists."""

from oslo_config import cfg

GROUP = 'api'
OPTS: list[cfg.Opt] = [
    cfg.StrOpt('auth_strategy', default='keystone', choices=['keystone', 'noauth2'], help='''
Who tells who is calling. noauth2 believes whatever the caller says: for tests and closed networks only.'''),
    cfg.IntOpt('max_limit', default=1000, min=0, help='''
Most items of one page of any listing; a request may ask for fewer, not for more.'''),
    cfg.StrOpt('compute_link_prefix', help='''
Start of the links to this API in its answers, where a proxy in front makes it differ from what requests
show.'''),
    cfg.StrOpt('glance_link_prefix', help='''
Start of the links to images in answers.'''),
    cfg.BoolOpt('list_records_by_skipping_down_cells', default=True, help='''
Listings leave out cells that do not answer (or show stubs of their servers, from microversion 2.69 on). When
off, listings fail in which servers would be missing.'''),
    cfg.FloatOpt('cell_timeout', default=10.0, min=0.1, help='''
Seconds that one request waits for cells, all of them together. A list of servers waits for half of that, and
for a fifth (or three times as long as they took) once half of the cells have answered.'''),
    cfg.FloatOpt('cell_probe_interval', default=5.0, min=0.1, help='''
A cell that timed out is left out by further requests; after this many seconds one of them may ask it
again.'''),
    cfg.BoolOpt('instance_list_per_project_cells', default=False, help='''
Ask only the cells in which the project has servers. Pays with many cells of which a project uses few.'''),
    cfg.BoolOpt('enable_instance_password', default=True, help='''
Answers to create, rebuild and rescue carry the generated administrator password.'''),
    cfg.BoolOpt('local_metadata_per_cell', default=False, help='''
The metadata service asks the database of its own cell alone, and needs no API database.'''),
    cfg.IntOpt('metadata_cache_expiration', default=15, min=0, help='''
Seconds for which the metadata service remembers a server.'''),
    cfg.ListOpt('vendordata_providers', default=['StaticJSON'], help='''
Where what the operator says to guests comes from: StaticJSON (a file), DynamicJSON (services).'''),
    cfg.StrOpt('vendordata_jsonfile_path', help='''
File with a JSON object that every guest reads as vendor_data.json.'''),
    cfg.ListOpt('vendordata_dynamic_targets', default=[], help='''
Services that are asked about each server, as name@http://host/path; guests read what they answer in
vendor_data2.json.'''),
    cfg.StrOpt('vendordata_dynamic_ssl_certfile', default='', help='''
Certificates that sign those of these services; unset are the usual ones.'''),
    cfg.IntOpt('vendordata_dynamic_connect_timeout', default=5, min=1, help='''
Seconds in which they have to accept a connection.'''),
    cfg.IntOpt('vendordata_dynamic_read_timeout', default=5, min=1, help='''
Seconds in which they have to answer.'''),
    cfg.BoolOpt('vendordata_dynamic_failure_fatal', default=False, help='''
A service that fails keeps metadata from being told, instead of being left out.'''),
    cfg.IntOpt('idempotency_key_hours', default=24, min=1, help='''
For how long a request that comes again with the same Idempotency-Key header is answered as before, and not done
again. The conductors need the same value: they drop older keys.'''),
    cfg.IntOpt('max_waiting', default=8, min=0, help='''
Requests of one process that may wait for the end of a task, or for events, at the same time. Each holds one of
the web server's threads, so it should be well below their number ([wsgi] default_pool_size). Who finds no room
does not wait: tasks are shown at once, streams of events are refused with 503.'''),
    cfg.StrOpt('dhcp_domain', default='novalocal', help='''
Domain of the host names that metadata and config drives tell guests; names that have a domain keep theirs.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
