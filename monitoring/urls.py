"""Paths of the jobs' REST interface."""

from monitoring.api import queue, submitting, tasks
from monitoring.paths import path

urlpatterns = [
    path("api/tasks/status", queue.Status.as_view()),
    path("api/tasks/workers", queue.Workers.as_view()),
    path("api/tasks/dashboard", queue.Dashboard.as_view()),
    path("api/tasks/minutes", tasks.Minutes.as_view()),
    path("api/tasks/kinds", queue.Kinds.as_view()),
    path("api/tasks/tasks", tasks.Tasks.as_view()),
    path("api/tasks/templates", submitting.Templates.as_view()),
    path("api/tasks/templates/<path:name>", submitting.Template.as_view()),
    path("api/tasks/submit", submitting.Submit.as_view()),
    path("api/tasks/quick/<str:kind>", submitting.Quick.as_view()),
    path("api/tasks/task/<str:task_id>", tasks.OneTask.as_view()),
    path("api/tasks/task/<str:task_id>/result", tasks.Result.as_view()),
    path("api/tasks/task/<str:task_id>/cancel", tasks.Cancel.as_view()),
    path("api/tasks/task/<str:task_id>/retry", tasks.Retry.as_view()),
]
