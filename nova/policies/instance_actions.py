"""Rules: instance actions."""

from nova.policies.base import ADMIN, PROJECT_READER_OR_ADMIN, Rule

EVENTS = Rule(
    'os_compute_api:os-instance-actions:events', ADMIN,
    'See tracebacks and hosts in the events of an action.')
EVENTS_DETAILS = Rule(
    'os_compute_api:os-instance-actions:events:details', ADMIN,
    'See what went wrong in the events of an action (2.84).')
LIST = Rule(
    'os_compute_api:os-instance-actions:list', PROJECT_READER_OR_ADMIN,
    'List actions on a server.', was='os_compute_api:os-instance-actions')
SHOW = Rule(
    'os_compute_api:os-instance-actions:show', PROJECT_READER_OR_ADMIN,
    'Show an action on a server.', was='os_compute_api:os-instance-actions')
