"""The market over HTTP: one module a resource, with what it is asked, its shape, an example and its view."""
