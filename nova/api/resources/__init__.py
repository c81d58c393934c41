"""Everything that is served and is no server operation: one module a resource. They are found by listing."""
