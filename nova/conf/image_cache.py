"""[image_cache]: images that disks of guests are made of."""

from oslo_config import cfg

GROUP = 'image_cache'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('manager_interval', default=2400, min=-1, help='''
Seconds between two looks for images that no disk uses any more; -1 never looks.'''),
    cfg.StrOpt('subdirectory_name', default='_base', help='''
Directory below instances_path in which they are.'''),
    cfg.BoolOpt('remove_unused_base_images', default=True, help='''
Whether such images are deleted.'''),
    cfg.IntOpt('remove_unused_original_minimum_age_seconds', default=24 * 3600, min=0, help='''
How long after its last use an image is kept.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
