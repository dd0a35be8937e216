"""/api/tasks/: the jobs over HTTP. Whoever may submit a job may see, cancel and retry it; staff may all."""
