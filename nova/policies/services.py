"""Rules: services."""

from nova.policies.base import ADMIN, Rule

DELETE = Rule('os_compute_api:os-services:delete', ADMIN, 'Delete a service.', was='os_compute_api:os-services')
LIST = Rule('os_compute_api:os-services:list', ADMIN, 'List services.', was='os_compute_api:os-services')
UPDATE = Rule(
    'os_compute_api:os-services:update', ADMIN,
    'Enable, disable or force down a service.', was='os_compute_api:os-services')
