"""Quotas: limits (`kept`, or of the identity service), what is used (`usage`), and taking up room (`room`).

A `Quota` (`drivers`) is what one project may use, wherever its limits come from.
"""

from nova.objects.quota.drivers import Quota, of
from nova.objects.quota.kept import (
    DEFAULT_CLASS,
    NETWORK,
    RESOURCES,
    Limits,
    class_limits,
    defaults,
    every_project,
    forget,
    limits,
    project_limits,
    set_class_limits,
    set_project_limits,
    set_user_limits,
    user_limits,
)
from nova.objects.quota.room import Room, check_count, count_exactly, lock, recount, resize
from nova.objects.quota.usage import key_pairs, resources, server_groups, usage

__all__ = ['DEFAULT_CLASS', 'NETWORK', 'RESOURCES', 'Limits', 'Quota', 'Room', 'check_count', 'class_limits',
           'count_exactly', 'defaults', 'every_project', 'forget', 'key_pairs', 'limits', 'lock', 'of',
           'project_limits', 'recount', 'resize', 'resources', 'server_groups', 'set_class_limits',
           'set_project_limits', 'set_user_limits', 'usage', 'user_limits']
