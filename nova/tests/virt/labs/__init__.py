"""Two hosts with a driver each, fake or real, on which the same tests run."""
