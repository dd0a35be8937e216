"""Where every path of Finstage leads."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.utils import translation
from django.views.generic import RedirectView, TemplateView
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView

from analysis.conformance import page as certificates
from finstage.access import api as access
from finstage.accounts import api as accounts
from finstage.accounts import entrance
from finstage.accounts import views as account
from monitoring import views as monitoring_views
from monitoring.paths import WRITTEN
from monitoring.paths import path as program_path
from realtime import views


@extend_schema_view(get=extend_schema(exclude=True, parameters=[OpenApiParameter("lang")]))
class Document(SpectacularAPIView):
    """The interface for programs: one document, in English, whoever reads it."""

    def dispatch(self, request, *args, **kwargs):
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs).render()


urlpatterns = [
    path("", views.watchlist, name="watchlist"),
    path(f"symbols/<{WRITTEN}:ticker>/", views.symbol, name="symbol"),
    path("data/", views.data, name="data"),
    path("replay/", views.replay, name="replay"),
    path("screener/", views.screener, name="screener"),
    path("signals/", views.signals, name="signals"),
    path("conformance/", certificates.conformance, name="conformance"),
    path("indicators/words/", certificates.picker, name="picker_words"),
    path("tasks/", monitoring_views.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", monitoring_views.tasks, name="task"),
    path("account/keys/", account.keys, name="apikeys"),
    path("connections/", views.connections, name="connections"),
    path("account/", account.account, name="account"),
    path("account/profile/", account.profile, name="account_profile"),
    path("account/password/", account.password, name="account_password"),
    path("account/sessions/end/", account.end_sessions, name="account_end_sessions"),
    path("account/sessions/<int:pk>/end/", account.end_session, name="account_end_session"),
    path("account/invite/", account.invite, name="account_invite"),
    path("account/delete/", account.delete, name="account_delete"),
    path("login/", entrance.LogIn.as_view(), name="login"),
    path("register/", entrance.register, name="register"),
    path("reset/", entrance.Reset.as_view(), name="reset"),
    path("reset/sent/", TemplateView.as_view(template_name="registration/reset_sent.html"), name="reset_sent"),
    path("reset/<uidb64>/<token>/", entrance.ResetConfirm.as_view(), name="password_reset_confirm"),
    path("logout/", LogoutView.as_view(next_page="watchlist"), name="logout"),
    path("", include("monitoring.urls")),
    path("", include("market.urls")),
    path("", include("analysis.urls")),
    path("", include("realtime.urls")),
    program_path("api/v2/keys/", access.Keys.as_view()),
    program_path("api/v2/keys/<int:key_id>/", access.Key.as_view()),
    program_path("api/v2/preferences/", accounts.Preferences.as_view()),
    program_path("api/v2/realtime/ticket", access.Ticket.as_view()),
    path("api/schema/", Document.as_view(), name="schema"),
    path("api/docs/realtime/", views.protocol, name="protocol"),
    path("api/docs/", TemplateView.as_view(template_name="docs.html"), name="docs"),
    path("admin/login/", entrance.LogIn.as_view(next_page="admin:index", for_staff=True), name="admin_login"),
    path("admin/password_change/", RedirectView.as_view(url="/account/#password")),
    path("admin/", admin.site.urls),
    path("i18n/setlang/", account.language, name="set_language"),
]

handler400 = "finstage.errors.bad_request"
handler403 = "finstage.errors.permission_denied"
handler404 = "finstage.errors.not_found"
handler500 = "finstage.errors.server_error"
