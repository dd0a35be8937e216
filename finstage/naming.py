"""What the admin calls our rows and their fields, in its reader's language: by the catalogue, as their code names them.

No migration knows of it: those keep what a model's code says, and what is said here is said when it is shown.
"""

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

OURS = ("finstage", "monitoring", "market", "analysis", "realtime")


def translate() -> None:
    """Make the names that Python made of names, such as `created at`, texts of the catalogue."""
    for label in OURS:
        config = apps.get_app_config(label)
        config.verbose_name = _text(config.verbose_name)
        for model in config.get_models():
            meta = model._meta
            if "verbose_name_plural" not in meta.original_attrs:
                meta.verbose_name_plural = str(meta.verbose_name_plural)
            meta.verbose_name, meta.verbose_name_plural = _text(meta.verbose_name), _text(meta.verbose_name_plural)
            for field in meta.local_fields:
                field.verbose_name = _text(field.verbose_name)


def _text(name: str | Promise) -> Promise:
    return name if isinstance(name, Promise) else gettext_lazy(name)
