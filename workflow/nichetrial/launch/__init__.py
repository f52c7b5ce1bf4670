"""How it runs: Snakemake as a process, locks, Slurm, the summary."""
