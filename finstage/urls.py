"""Where every path of Finstage leads."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler400 = "finstage.errors.bad_request"
handler403 = "finstage.errors.permission_denied"
handler404 = "finstage.errors.not_found"
handler500 = "finstage.errors.server_error"
