"""The people and programs with an account, for who runs Finstage."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from finstage.models import User

admin.site.site_header = admin.site.site_title = "Finstage"
admin.site.index_title = "What Finstage holds"
admin.site.register(User, UserAdmin)
