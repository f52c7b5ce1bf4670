"""What runs: the plan of a study, resources, estimate, verification."""
