"""The extension list, which clients of old read to find out what a cloud can do. All of it is always there."""

import dataclasses

from nova.api.request import Request
from nova.common import problem
from nova.policies import extensions as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Many, One, Resource, get

_UPDATED = '2014-12-03T00:00:00Z'
_NAMES = {
    'NMN': 'Multinic', 'OS-DCF': 'DiskConfig', 'OS-EXT-AZ': 'ExtendedAvailabilityZone',
    'OS-EXT-IMG-SIZE': 'ImageSize', 'OS-EXT-IPS': 'ExtendedIps', 'OS-EXT-IPS-MAC': 'ExtendedIpsMac',
    'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes', 'OS-EXT-STS': 'ExtendedStatus',
    'OS-FLV-DISABLED': 'FlavorDisabled',
    'OS-FLV-EXT-DATA': 'FlavorExtraData', 'OS-SCH-HNT': 'SchedulerHints', 'OS-SRV-USG': 'ServerUsage',
    'os-access-ips': 'AccessIPs', 'os-admin-actions': 'AdminActions', 'os-admin-password': 'AdminPassword',
    'os-agents': 'Agents', 'os-aggregates': 'Aggregates',
    'os-assisted-volume-snapshots': 'AssistedVolumeSnapshots', 'os-attach-interfaces': 'AttachInterfaces',
    'os-availability-zone': 'AvailabilityZone', 'os-baremetal-ext-status': 'BareMetalExtStatus',
    'os-baremetal-nodes': 'BareMetalNodes', 'os-block-device-mapping': 'BlockDeviceMapping',
    'os-block-device-mapping-v2-boot': 'BlockDeviceMappingV2Boot', 'os-cell-capacities': 'CellCapacities',
    'os-cells': 'Cells', 'os-certificates': 'Certificates', 'os-cloudpipe': 'Cloudpipe',
    'os-cloudpipe-update': 'CloudpipeUpdate', 'os-config-drive': 'ConfigDrive',
    'os-console-auth-tokens': 'ConsoleAuthTokens', 'os-console-output': 'ConsoleOutput',
    'os-consoles': 'Consoles', 'os-create-backup': 'CreateBackup', 'os-create-server-ext': 'Createserverext',
    'os-deferred-delete': 'DeferredDelete', 'os-evacuate': 'Evacuate',
    'os-extended-evacuate-find-host': 'ExtendedEvacuateFindHost',
    'os-extended-floating-ips': 'ExtendedFloatingIps', 'os-extended-hypervisors': 'ExtendedHypervisors',
    'os-extended-networks': 'ExtendedNetworks', 'os-extended-quotas': 'ExtendedQuotas',
    'os-extended-rescue-with-image': 'ExtendedRescueWithImage', 'os-extended-services': 'ExtendedServices',
    'os-extended-services-delete': 'ExtendedServicesDelete', 'os-extended-status': 'ExtendedStatus',
    'os-extended-volumes': 'ExtendedVolumes', 'os-fixed-ips': 'FixedIPs', 'os-flavor-access': 'FlavorAccess',
    'os-flavor-extra-specs': 'FlavorExtraSpecs', 'os-flavor-manage': 'FlavorManage',
    'os-flavor-rxtx': 'FlavorRxtx', 'os-flavor-swap': 'FlavorSwap', 'os-floating-ip-dns': 'FloatingIpDns',
    'os-floating-ip-pools': 'FloatingIpPools', 'os-floating-ips': 'FloatingIps',
    'os-floating-ips-bulk': 'FloatingIpsBulk', 'os-fping': 'Fping',
    'os-hide-server-addresses': 'HideServerAddresses', 'os-hosts': 'Hosts',
    'os-hypervisor-status': 'HypervisorStatus', 'os-hypervisors': 'Hypervisors',
    'os-instance-actions': 'InstanceActions', 'os-instance_usage_audit_log': 'OSInstanceUsageAuditLog',
    'os-keypairs': 'Keypairs', 'os-lock-server': 'LockServer', 'os-migrate-server': 'MigrateServer',
    'os-migrations': 'Migrations', 'os-multiple-create': 'MultipleCreate', 'os-networks': 'Networks',
    'os-networks-associate': 'NetworkAssociationSupport', 'os-pause-server': 'PauseServer',
    'os-personality': 'Personality', 'os-preserve-ephemeral-rebuild': 'PreserveEphemeralOnRebuild',
    'os-quota-class-sets': 'QuotaClasses', 'os-quota-sets': 'Quotas', 'os-rescue': 'Rescue',
    'os-security-group-default-rules': 'SecurityGroupDefaultRules', 'os-security-groups': 'SecurityGroups',
    'os-server-diagnostics': 'ServerDiagnostics', 'os-server-external-events': 'ServerExternalEvents',
    'os-server-group-quotas': 'ServerGroupQuotas', 'os-server-groups': 'ServerGroups',
    'os-server-list-multi-status': 'ServerListMultiStatus', 'os-server-password': 'ServerPassword',
    'os-server-sort-keys': 'ServerSortKeys', 'os-server-start-stop': 'ServerStartStop',
    'os-services': 'Services', 'os-shelve': 'Shelve', 'os-simple-tenant-usage': 'SimpleTenantUsage',
    'os-suspend-server': 'SuspendServer', 'os-tenant-networks': 'OSTenantNetworks',
    'os-used-limits': 'UsedLimits', 'os-used-limits-for-admin': 'UsedLimitsForAdmin',
    'os-user-data': 'UserData', 'os-user-quotas': 'UserQuotas', 'os-virtual-interfaces': 'VirtualInterfaces',
    'os-volume-attachment-update': 'VolumeAttachmentUpdate', 'os-volumes': 'Volumes',
}
"""It has been fixed since 2.1 stopped having extensions: whether a route is there is for the version to say."""


@dataclasses.dataclass(frozen=True)
class Extension:
    alias: str
    name: str


class ExtensionView(Document):
    alias = Field(types.TEXT, show='2.1')
    name = Field(types.TEXT, show='2.1')
    description = Field(types.TEXT, attribute='name', show='2.1')
    namespace = Field(types.TEXT, get=lambda e, look: '', show='2.1')
    updated = Field(types.TIME, get=lambda e, look: _UPDATED, show='2.1')
    links = Field(types.LINKS, get=lambda e, look: [], show='2.1')


class Extensions(Resource):

    @get('/extensions', rule=rules.EXTENSIONS, returns=Many('extensions', ExtensionView, 'show'))
    def index(self, req: Request) -> list[Extension]:
        """List the extensions."""
        return [Extension(alias, name) for alias, name in sorted(_NAMES.items())]

    @get('/extensions/{alias}', rule=rules.EXTENSIONS, returns=One('extension', ExtensionView))
    def show(self, req: Request, alias: str) -> Extension:
        """Show an extension."""
        if alias not in _NAMES:
            raise problem.NotFound()
        return Extension(alias, _NAMES[alias])
