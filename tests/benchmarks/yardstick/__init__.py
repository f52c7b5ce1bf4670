"""The engine's method written by hand in C, as a yardstick for what the generated code reaches."""
