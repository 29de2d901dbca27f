// A page, its files, and a handler for each path and method: what a chapter needs of HTTP.
import { readFile } from "node:fs/promises";
import { log } from "./process.mjs";

/** No body that a handler reads is larger: two megabytes, as in the chapters. */
const MAX_BODY = 2 * 1024 * 1024;

const chapters = new URL("../../chapters/", import.meta.url);

/** Answers with a status and a text. */
export function answer(response, status, text = "", headers = {}) {
  response
    .writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers })
    .end(text);
}

/** A handler that answers with a file of the chapters. */
export async function file(path, type) {
  const content = await readFile(new URL(path, chapters));
  return (request, response) =>
    answer(response, 200, content, { "content-type": `${type}; charset=utf-8` });
}

/** The files that every page from chapter 2 on loads. The client itself is socket.io's. */
export const browserKit = {
  "/workbook/wire-panel.js": {
    GET: await file("browser-kit/static/wire-panel.js", "application/javascript"),
  },
  "/workbook/page.css": { GET: await file("browser-kit/static/page.css", "text/css") },
};

/**
 * A listener for requests, from a table: `{ "/rooms/{name}": { DELETE: handler } }`. The parts
 * of the path that the table has in braces are the handler's further arguments.
 */
export function router(routes) {
  const table = Object.entries(routes).map(([path, methods]) => [
    path.split("/"),
    methods,
  ]);
  return async (request, response) => {
    const parts = request.url.split("?", 1)[0].split("/");
    const fits = ([wanted]) =>
      wanted.length === parts.length &&
      wanted.every((part, n) => (part.startsWith("{") ? parts[n] : part === parts[n]));
    const [wanted, methods] = table.find(fits) ?? [];
    if (!wanted) return answer(response, 404);
    const handler = methods[request.method === "HEAD" ? "GET" : request.method];
    if (!handler) return answer(response, 405, "", { allow: `${Object.keys(methods)}` });
    try {
      const named = parts.filter((_, n) => wanted[n].startsWith("{"));
      await handler(request, response, ...named.map(decodeURIComponent));
    } catch (error) {
      if (error instanceof BadRequest)
        return answer(response, error.status, error.message);
      if (error instanceof URIError) return answer(response, 400, "a path is UTF-8");
      // A client that hangs up in the middle of its request, for one.
      log("a request failed", { error: error.message });
      response.destroy();
    }
  };
}

/** A request that is refused with a status and a sentence. */
export class BadRequest extends Error {
  constructor(message, status = 400) {
    super(message);
    this.status = status;
  }
}

/** The body of a request that is declared as JSON, as no form of another site can. */
export async function json(request) {
  if (request.headers["content-type"]?.split(";")[0].trim() !== "application/json") {
    throw new BadRequest("the body must be application/json");
  }
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // What is left is still read, or the client would meet a reset before the answer.
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  if (size > MAX_BODY) throw new BadRequest("the body is too large", 413);
  try {
    return JSON.parse(Buffer.concat(chunks));
  } catch {
    throw new BadRequest("the body is not JSON");
  }
}
