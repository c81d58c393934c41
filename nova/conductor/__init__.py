"""Conductors: they run the tasks of a cell (role cell), or choose hosts and reach down into cells (super)."""
