"""The extension list, which clients of old read to find out what a cloud can do. All of it is always there."""

import dataclasses
from typing import Any

from nova.common import problem
from nova.policies import extensions as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Many, One, Resource, get

_UPDATED = '2014-12-03T00:00:00Z'
_NAMES = {
    'NMN': 'Multinic', 'OS-DCF': 'DiskConfig', 'OS-EXT-AZ': 'ExtendedAvailabilityZone',
    'OS-EXT-IPS': 'ExtendedIps', 'OS-EXT-IPS-MAC': 'ExtendedIpsMac',
    'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes',
    'OS-EXT-STS': 'ExtendedStatus', 'OS-FLV-DISABLED': 'FlavorDisabled', 'OS-FLV-EXT-DATA': 'FlavorExtraData',
    'OS-SCH-HNT': 'SchedulerHints', 'OS-SRV-USG': 'ServerUsage', 'os-admin-actions': 'AdminActions',
    'os-aggregates': 'Aggregates', 'os-attach-interfaces': 'AttachInterfaces',
    'os-availability-zone': 'AvailabilityZone', 'os-block-device-mapping-v2-boot': 'BlockDeviceMappingV2Boot',
    'os-config-drive': 'ConfigDrive', 'os-console-auth-tokens': 'ConsoleAuthTokens',
    'os-console-output': 'ConsoleOutput', 'os-consoles': 'Consoles', 'os-create-backup': 'CreateBackup',
    'os-deferred-delete': 'DeferredDelete', 'os-evacuate': 'Evacuate',
    'os-extended-volumes': 'ExtendedVolumes', 'os-flavor-access': 'FlavorAccess',
    'os-flavor-extra-specs': 'FlavorExtraSpecs', 'os-flavor-manage': 'FlavorManage',
    'os-flavor-rxtx': 'FlavorRxtx', 'os-flavor-swap': 'FlavorSwap', 'os-hosts': 'Hosts',
    'os-hypervisors': 'Hypervisors',
    'os-instance-actions': 'ServerActions', 'os-keypairs': 'Keypairs', 'os-migrations': 'Migrations',
    'os-multiple-create': 'MultipleCreate', 'os-quota-class-sets': 'QuotaClasses', 'os-quota-sets': 'Quotas',
    'os-rescue': 'Rescue', 'os-security-groups': 'SecurityGroups', 'os-server-diagnostics': 'ServerDiagnostics',
    'os-server-external-events': 'ServerExternalEvents', 'os-server-groups': 'ServerGroups',
    'os-server-password': 'ServerPassword', 'os-services': 'Services', 'os-shelve': 'Shelve',
    'os-simple-tenant-usage': 'SimpleTenantUsage', 'os-used-limits': 'UsedLimits', 'os-user-data': 'UserData',
    'os-volumes': 'Volumes',
}


@dataclasses.dataclass(frozen=True)
class Extension:
    alias: str
    name: str


class ExtensionView(Document):
    alias = Field(types.TEXT, show='2.1')
    name = Field(types.TEXT, show='2.1')
    description = Field(types.TEXT, get=lambda e, look: e.name, show='2.1')
    namespace = Field(types.TEXT, get=lambda e, look: '', show='2.1')
    updated = Field(types.TIME, get=lambda e, look: _UPDATED, show='2.1')
    links = Field(types.LINKS, get=lambda e, look: [], show='2.1')


class Extensions(Resource):

    @get('/extensions', rule=rules.EXTENSIONS, returns=Many('extensions', ExtensionView, 'show'))
    def index(self, req: Any) -> list[Extension]:
        """List the extensions."""
        return [Extension(alias, name) for alias, name in sorted(_NAMES.items())]

    @get('/extensions/{alias}', rule=rules.EXTENSIONS, returns=One('extension', ExtensionView))
    def show(self, req: Any, alias: str) -> Extension:
        """Show an extension."""
        if alias not in _NAMES:
            raise problem.NotFound()
        return Extension(alias, _NAMES[alias])
