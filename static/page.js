// What the server put into this page: the same JSON that the public interface gives.

export const page = JSON.parse(document.getElementById("page-data")?.textContent ?? "null");

/** A read of the public interface; an Error with `requestId` where it does not answer well. */
export async function get(path) {
  return answered(await fetch(path, { headers: { Accept: "application/json" } }));
}

/** An act through the public interface. The Error of a refusal has `errors`, messages by field, too. */
export async function post(path, body = {}, headers = {}) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const said = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token, ...headers };
  return answered(await fetch(path, { method: "POST", headers: said, body: JSON.stringify(body) }));
}

async function answered(answer) {
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  const error = new Error(problem.detail ?? answer.statusText);
  error.requestId = problem.request_id ?? answer.headers.get("X-Request-ID");
  error.status = answer.status;
  error.errors = problem.errors ?? {};
  throw error;
}
