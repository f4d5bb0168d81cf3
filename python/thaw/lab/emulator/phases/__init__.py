"""The phases of an execution environment's life, a module for each."""
