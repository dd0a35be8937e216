"""Django, set up by whoever imports this first."""

import django

django.setup()
