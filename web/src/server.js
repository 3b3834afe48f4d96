// Asking the server: the link's token becomes a session once, then questions as JSON.

export class Problem extends Error {
  // errors: [{message, help, line}], as the server gives them
  constructor(status, errors) {
    super(errors.map((error) => error.message).join("; "));
    this.status = status;
    this.errors = errors;
  }
}

// The token is in the fragment, which no server, log or other site ever sees; it leaves the address at once.
export async function beginSession() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname);
  const answer = await fetch("/session", { method: "POST", body: JSON.stringify({ token }) });
  if (!answer.ok && (await fetch("/api/start")).status === 401) throw await problemOf(answer);
}

async function problemOf(answer) {
  try {
    return new Problem(answer.status, (await answer.json()).errors);
  } catch {
    return new Problem(answer.status, [{ message: `the server answered ${answer.status}` }]);
  }
}

async function json(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, [{ message: "the server does not answer", help: "is `ztfast serve` still running?" }]);
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}

export const start = () => json("/api/start");

export const ask = (question, asked, signal) =>
  json(`/api/${question}`, { method: "POST", body: JSON.stringify(asked), signal });

export const letGo = (capture) => json(`/api/captures/${capture}`, { method: "DELETE" });

// Uploads a file; onProgress(part) with part from 0 to 1.  fetch cannot tell how far it is.
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/captures");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Problem(request.status, request.response?.errors ?? [{ message: `the server answered ${request.status}` }]));
    };
    request.onerror = () => reject(new Problem(0, [{ message: "the capture did not arrive", help: "is `ztfast serve` still running?" }]));
    request.send(file);
  });
}
