// The interface for programs: Swagger's page in our frame and colours. It asks with the login of who reads it.

import "../../components/frame.js";

const element = document.getElementById("document");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;

/** The form's token goes to this site alone, and not along with a key, which needs none. */
function signed(request) {
  const isOurs = new URL(request.url, location.href).origin === location.origin;
  const isRead = ["GET", "HEAD", undefined].includes(request.method);
  if (isOurs && !isRead && !request.headers.Authorization) request.headers["X-CSRFToken"] = token;
  return request;
}

globalThis.SwaggerUIBundle({
  url: element.dataset.url,
  domNode: element,
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null, // a validator on the internet is asked otherwise
  requestInterceptor: signed,
  onComplete: () => element.setAttribute("aria-busy", "false"),
});
