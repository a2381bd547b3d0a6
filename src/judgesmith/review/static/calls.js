// Calls to the server of this page. `status` 0 is no connection.
const csrf = document.documentElement.dataset.csrf;

export async function call(path, body) {
  const asked = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(20000) };
  if (body !== undefined) {
    asked.method = "POST";
    asked.body = JSON.stringify(body);
    asked.headers["Content-Type"] = "application/json";
    asked.headers["X-CSRF"] = csrf;
  }
  try {
    const reply = await fetch(path, asked);
    const data = await reply.json();
    return { status: reply.status, data };
  } catch {
    return { status: 0, data: {} };
  }
}
