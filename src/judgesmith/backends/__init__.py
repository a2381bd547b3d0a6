"""torch, transformers, trl and peft: imported here, inside functions, and nowhere else."""
