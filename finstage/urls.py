"""Where every path of Finstage leads."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from realtime import views

urlpatterns = [
    path("", views.watchlist, name="watchlist"),
    path("symbols/<str:ticker>/", views.symbol, name="symbol"),
    path("", include("monitoring.urls")),
    path("", include("market.urls")),
    path("", include("analysis.urls")),
    path("", include("realtime.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler400 = "finstage.errors.bad_request"
handler403 = "finstage.errors.permission_denied"
handler404 = "finstage.errors.not_found"
handler500 = "finstage.errors.server_error"
