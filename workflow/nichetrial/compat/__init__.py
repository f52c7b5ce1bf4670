"""Whatever reaches into the internals of another program, each with why and a canary test."""
