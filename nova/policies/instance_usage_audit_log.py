"""Rules: instance usage audit log."""

from nova.policies.base import ADMIN, Rule

LIST = Rule(
    'os_compute_api:os-instance-usage-audit-log:list', ADMIN,
    'List usage audits.', was='os_compute_api:os-instance-usage-audit-log')
SHOW = Rule(
    'os_compute_api:os-instance-usage-audit-log:show', ADMIN,
    'Show usage audits.', was='os_compute_api:os-instance-usage-audit-log')
