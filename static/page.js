// What the server put into this page: the same JSON that the public interface gives.

export const page = JSON.parse(document.getElementById("page-data")?.textContent ?? "null");

/** A read of the public interface; an Error with `requestId` where it does not answer well. */
export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  const error = new Error(problem.detail ?? answer.statusText);
  error.requestId = problem.request_id ?? answer.headers.get("X-Request-ID");
  throw error;
}
