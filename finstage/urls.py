"""Where every path of Finstage leads."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from monitoring import views as monitoring_views
from monitoring.paths import WRITTEN
from realtime import views


@extend_schema_view(get=extend_schema(exclude=True, parameters=[OpenApiParameter("lang")]))
class Document(SpectacularAPIView):
    """The interface for programs."""


@extend_schema_view(get=extend_schema(exclude=True, parameters=[OpenApiParameter("script"), OpenApiParameter("lang")]))
class Documents(SpectacularSwaggerSplitView):
    """The interface for people."""


login = LoginView.as_view(
    next_page="watchlist", redirect_authenticated_user=True, extra_context={"is_open": settings.MARKET_DATA_OPEN}
)
urlpatterns = [
    path("", views.watchlist, name="watchlist"),
    path(f"symbols/<{WRITTEN}:ticker>/", views.symbol, name="symbol"),
    path("tasks/", monitoring_views.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", monitoring_views.tasks, name="task"),
    path("login/", login, name="login"),
    path("logout/", LogoutView.as_view(next_page="watchlist"), name="logout"),
    path("", include("monitoring.urls")),
    path("", include("market.urls")),
    path("", include("analysis.urls")),
    path("", include("realtime.urls")),
    path("api/schema/", Document.as_view(), name="schema"),
    path("api/docs/", Documents.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler400 = "finstage.errors.bad_request"
handler403 = "finstage.errors.permission_denied"
handler404 = "finstage.errors.not_found"
handler500 = "finstage.errors.server_error"
