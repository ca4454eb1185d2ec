"""Slips of the keyboard in what customers write, mended by the words of the bot's own texts before all else."""
