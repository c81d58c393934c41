"""The whole control plane in one process: SQLite files, an in-process bus, and the sandbox's neighbours."""
