"""An app of jobs that move slowly enough to be watched."""
