"""Rules: flavor access."""

from nova.policies.base import ADMIN, Rule

LIST = Rule('os_compute_api:os-flavor-access', ADMIN, 'List the projects that may use a flavor.')
ADD_TENANT_ACCESS = Rule(
    'os_compute_api:os-flavor-access:add_tenant_access', ADMIN,
    'Let a project use a flavor.')
REMOVE_TENANT_ACCESS = Rule(
    'os_compute_api:os-flavor-access:remove_tenant_access', ADMIN,
    'Take access to a flavor from a project.')
