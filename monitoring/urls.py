"""Paths of the jobs' REST interface."""

from django.urls import path

from monitoring import api

urlpatterns = [
    path("api/tasks/status", api.Status.as_view()),
    path("api/tasks/workers", api.Workers.as_view()),
    path("api/tasks/dashboard", api.Dashboard.as_view()),
    path("api/tasks/kinds", api.Kinds.as_view()),
    path("api/tasks/tasks", api.Tasks.as_view()),
    path("api/tasks/templates", api.Templates.as_view()),
    path("api/tasks/templates/<str:name>", api.Template.as_view()),
    path("api/tasks/submit", api.Submit.as_view()),
    path("api/tasks/quick/<str:kind>", api.Quick.as_view()),
    path("api/tasks/task/<str:task_id>", api.OneTask.as_view()),
    path("api/tasks/task/<str:task_id>/result", api.Result.as_view()),
    path("api/tasks/task/<str:task_id>/cancel", api.Cancel.as_view()),
    path("api/tasks/task/<str:task_id>/retry", api.Retry.as_view()),
]
