"""What an image needs of a hypervisor."""

from nova.domain import image_hypervisor
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class ImagePropertiesFilter(BaseHostFilter):
    """Passes hosts that run the image's architecture, hypervisor type and VM mode."""

    run_filter_once_per_request = True
    run_filter_for_rebuild = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        asked = image_hypervisor.wanted(
            spec_obj.image, self.conf.filter_scheduler.image_properties_default_architecture)
        return (image_hypervisor.version_meets(host_state.hypervisor_version, spec_obj.image)
                and image_hypervisor.suits(asked, host_state.supported_instances))
