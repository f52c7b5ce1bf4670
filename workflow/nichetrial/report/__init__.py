"""The pages that a study and a calibration end with."""
