"""Documents made from declarations: policy samples with the calls they guard, OpenAPI of any version.

    python -m nova.cmd.generate openapi 2.60
    oslopolicy-sample-generator --config-file etc/nova/nova-policy-generator.conf
    oslo-config-generator --config-file etc/nova/nova-config-generator.conf
"""

import argparse
import sys

from oslo_policy import policy

from nova import policies
from nova.api import app
from nova.common import jsonutil
from nova.common.microversion import V
from nova.policies import base
from nova.rest import openapi
from nova.schema import history


def _guarded() -> dict[str, list[policy.Operation]]:
    """Rule name to the calls that ask it."""
    calls: dict[str, list[policy.Operation]] = {}
    for operation in app.operations():
        path = f'{operation.path} ({operation.action})' if operation.action else operation.path
        for rule in (operation.rule, *operation.rules):
            call: policy.Operation = {'method': operation.method, 'path': path}
            if rule is not None and call not in calls.setdefault(rule.name, []):
                calls[rule.name].append(call)
    return calls


def list_rules() -> list[policy.RuleDefault]:
    """For oslo.policy's sample generator: every rule, with the calls that it guards."""
    calls = _guarded()
    roles = [policy.RuleDefault(name, check, description)
             for name, (check, description) in base.ROLES.items()]
    return roles + [rule.default(calls.get(rule.name)) for rule in policies.load()]


def main(argv: list[str] | None = None) -> int:
    """Print the OpenAPI document of a microversion."""
    parser = argparse.ArgumentParser(prog='nova.cmd.generate')
    kinds = parser.add_subparsers(dest='kind', required=True)
    kinds.add_parser('openapi').add_argument('version', nargs='?', default=str(history.MAX))
    options = parser.parse_args(argv if argv is not None else sys.argv[1:])
    document = openapi.build(app.operations(), V(options.version), 'OpenStack Compute')
    sys.stdout.write(f'{jsonutil.text(document)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
