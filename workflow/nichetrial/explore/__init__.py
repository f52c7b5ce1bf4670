"""What simulates in order to decide: the best schedule, and Sobol indices."""
