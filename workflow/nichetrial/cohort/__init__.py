"""Virtual mice and particles: sampling, plausibility, calibration."""
