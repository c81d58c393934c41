"""What an image needs of a hypervisor."""

from collections.abc import Sequence

from nova.domain import image_hypervisor
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class ImagePropertiesFilter(BaseHostFilter):
    """Passes hosts that run the image's architecture, hypervisor type and VM mode."""

    run_filter_once_per_request = True
    run_filter_for_rebuild = True

    def _asked(self, wanted: Wanted) -> tuple[str | None, str | None, str | None]:
        return image_hypervisor.wanted(
            wanted.image, self.conf.filter_scheduler.image_properties_default_architecture)

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return (image_hypervisor.version_meets(host_state.hypervisor_version, spec_obj.image)
                and image_hypervisor.suits(self._asked(spec_obj), host_state.supported_instances))

    def filter_all(self, hosts: Sequence[HostState], wanted: Wanted) -> list[HostState]:
        """All of them, where the image asks nothing, as most do."""
        if not any(self._asked(wanted)) and not image_hypervisor.wanted_version(wanted.image):
            return list(hosts)
        return super().filter_all(hosts, wanted)
