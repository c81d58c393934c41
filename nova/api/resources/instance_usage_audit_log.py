"""Audits of usage: which hosts have told of theirs in a period. No host does so yet, and that is what is
told."""

import datetime

from nova import objects
from nova.api.request import Request
from nova.common import clock, problem
from nova.common.jsonutil import JsonObject
from nova.domain import audit_period
from nova.policies import instance_usage_audit_log as rules
from nova.rest import types
from nova.rest.resource import Resource, get

_FORMATS = ('%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d %H:%M:%S')


class InstanceUsageAuditLog(Resource):

    @get('/os-instance_usage_audit_log', rule=rules.LIST, returns=types.OBJECT)
    def index(self, req: Request) -> JsonObject:
        """Show the audits of the last whole period."""
        return {'instance_usage_audit_logs': _log(req, clock.utcnow())}

    @get('/os-instance_usage_audit_log/{before}', rule=rules.SHOW, returns=types.OBJECT)
    def show(self, req: Request, before: str) -> JsonObject:
        """Show the audits of the last whole period before a moment."""
        return {'instance_usage_audit_log': _log(req, _moment(before))}


def _moment(text: str) -> datetime.datetime:
    for form in _FORMATS:
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    raise problem.BadRequest(f'Invalid timestamp for date {text}')


def _log(req: Request, before: datetime.datetime) -> JsonObject:
    period = audit_period.last_completed(req.conf.instance_usage_audit_period, before)
    answers = req.cells.ask(lambda conn: objects.Service.all(conn, binary='nova-compute'))
    hosts = sorted(service.host for _, many in answers for service in many or ())
    return {
        'period_beginning': str(period.begin), 'period_ending': str(period.end), 'num_hosts': len(hosts),
        'num_hosts_done': 0, 'num_hosts_running': 0, 'num_hosts_not_run': len(hosts), 'hosts_not_run': hosts,
        'total_instances': 0, 'total_errors': 0, 'log': {},
        'overall_status': f'0 of {len(hosts)} hosts done. 0 errors.'}
