"""ML2 mechanism driver ``anyhost``: binds each port on each host, with no agent; see realcloud/faults.py."""

import json
import re
import threading

from neutron_lib import constants, exceptions
from neutron_lib import context as contexts
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api
from neutron_lib.services.trunk import constants as trunks
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_log import log

LOG = log.getLogger(__name__)
DETAILS = {'port_filter': True, 'connectivity': 'l2', 'bridge_name': 'br-int', 'ovs_hybrid_plug': False,
           'datapath_type': 'system'}
NOT_BOUND = (portbindings.VIF_TYPE_UNBOUND, portbindings.VIF_TYPE_BINDING_FAILED)
ENDS = (constants.PORT_STATUS_ACTIVE, constants.PORT_STATUS_ERROR)
"""Of what somebody on the host does about a port that is bound."""

cfg.CONF.register_opts([cfg.StrOpt('faults')], group='anyhost')


def _faults():
    try:
        with open(cfg.CONF.anyhost.faults) as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


class AnyHost(api.MechanismDriver):
    """Says of each port that Open vSwitch has it."""

    def initialize(self):
        pass

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def filter_hosts_with_segment_access(self, context, segments, candidate_hosts, agent_getter):
        return set(candidate_hosts)

    def check_segment_for_agent(self, segment, agent):
        return True

    def responsible_for_ports_allocation(self, context):
        """Whose port has bandwidth of a host; nobody else binds one."""
        return True

    def bind_port(self, context):
        faults = _faults()
        refused = faults.get('refuse_hosts')
        if refused and context.host and re.search(refused, context.host):
            LOG.info('Binding on host %s is refused, as asked for', context.host)
            return
        status = constants.PORT_STATUS_ACTIVE if faults.get('activate_after', 0) == 0 else None
        for segment in context.segments_to_bind:
            context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS, dict(DETAILS), status)
            return

    def create_port_postcommit(self, context):
        self._end_later(context)

    def update_port_postcommit(self, context):
        # A live migration activates another binding, and leaves the port DOWN until somebody says otherwise.
        self._end_later(context)
        self._take_subports(context)

    def _end_later(self, context):
        delay = _faults().get('activate_after', 0)
        if (delay < 0 or not context.host or context.vif_type in NOT_BOUND
                or context.status in ENDS):
            return
        timer = threading.Timer(delay, self._end, (context.current['id'], context.host))
        timer.daemon = True
        timer.start()

    @staticmethod
    def _end(port_id, host):
        status = ENDS[_faults().get('plugging_fails', False)]
        try:
            directory.get_plugin().update_port_status(
                contexts.get_admin_context(), port_id, status, host=host)
        except (exceptions.NeutronException, db_exc.DBError):
            LOG.exception('Port %s could not be made %s', port_id, status)

    def _take_subports(self, context):
        """Those of a trunk are bound where its parent is, as an agent has it done."""
        trunk = context.current.get('trunk_details')
        if trunk and context.host and context.vif_type not in NOT_BOUND:
            ports = [sub['port_id'] for sub in trunk['sub_ports']]
            threading.Thread(target=self._bind, args=(ports, context.host), daemon=True).start()

    @staticmethod
    def _bind(ports, host):
        plugin, admin = directory.get_plugin(), contexts.get_admin_context()
        binding = {portbindings.HOST_ID: host, 'device_owner': trunks.TRUNK_SUBPORT_OWNER}
        for port_id in ports:
            try:
                if plugin.get_port(admin, port_id)[portbindings.HOST_ID] != host:
                    plugin.update_port(admin, port_id, {'port': dict(binding)})
            except (exceptions.NeutronException, db_exc.DBError):
                LOG.exception('Port %s of a trunk could not be bound on %s', port_id, host)
