"""Run records, the identity of a run, and the state of git: what every job needs."""
