"""Rules: hosts."""

from nova.policies.base import ADMIN, Rule

LIST = Rule('os_compute_api:os-hosts:list', ADMIN, 'List hosts.', was='os_compute_api:os-hosts')
REBOOT = Rule('os_compute_api:os-hosts:reboot', ADMIN, 'Reboot a host.', was='os_compute_api:os-hosts')
SHOW = Rule('os_compute_api:os-hosts:show', ADMIN, 'Show a host.', was='os_compute_api:os-hosts')
SHUTDOWN = Rule('os_compute_api:os-hosts:shutdown', ADMIN, 'Shut a host down.', was='os_compute_api:os-hosts')
START = Rule('os_compute_api:os-hosts:start', ADMIN, 'Start a host.', was='os_compute_api:os-hosts')
UPDATE = Rule('os_compute_api:os-hosts:update', ADMIN, 'Change a host.', was='os_compute_api:os-hosts')
