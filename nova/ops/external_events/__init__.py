"""POST /os-server-external-events: what other services tell about servers' ports, volumes and devices."""
