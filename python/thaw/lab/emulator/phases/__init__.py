"""What is done to an execution environment, a module for each phase of its life."""
