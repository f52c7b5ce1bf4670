"""Past runs: their differences, their code restored, their archives."""
