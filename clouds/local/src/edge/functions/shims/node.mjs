// Serves one function of MikroCloud: a module that takes a web-standard Request and returns a Response.
import http from "node:http";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

function unwrap(module) {
  const main = module.default;
  // `export default` compiled to CommonJS stands one level deeper.
  return main && typeof main === "object" && main.__esModule ? main : module;
}

function handlerOf(loaded) {
  const module = unwrap(loaded);
  const main = module.default;
  if (typeof main === "function") return (request, context) => main(request, context);
  if (main && typeof main.fetch === "function") return (request, context) => main.fetch(request, context);
  const named = {};
  for (const source of [main, module]) {
    if (!source || typeof source !== "object") continue;
    for (const method of METHODS) if (typeof source[method] === "function") named[method] = source[method];
  }
  if (named.GET && !named.HEAD) named.HEAD = named.GET;
  const methods = Object.keys(named);
  if (methods.length === 0) {
    throw new TypeError(
      "the module exports no handler: `export default` a function (request) => Response, an object with fetch(request), " +
        "or functions named GET, POST, ...",
    );
  }
  return (request, context) => {
    const handler = named[request.method];
    if (handler) return handler(request, context);
    return new Response("method not allowed\n", { status: 405, headers: { allow: methods.join(", ") } });
  };
}

function toRequest(incoming, signal) {
  const headers = new Headers();
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1]);
  }
  const protocol = headers.get("x-forwarded-proto") ?? "http";
  // Not `new URL(path, base)`: a path that starts with two slashes would choose the host.
  const url = new URL(`${protocol}://${headers.get("host") ?? "localhost"}${incoming.url}`);
  const hasBody = incoming.method !== "GET" && incoming.method !== "HEAD";
  const body = hasBody ? Readable.toWeb(incoming) : undefined;
  return new Request(url, { method: incoming.method, headers, body, duplex: "half", signal });
}

async function send(response, outgoing, method) {
  if (!(response instanceof Response)) {
    // Another implementation of Response counts too; what is none is the function's mistake.
    if (!response || typeof response.status !== "number" || typeof response.headers?.forEach !== "function") {
      throw new TypeError(`the function returned ${response === null ? "null" : typeof response}, not a Response`);
    }
  }
  outgoing.statusCode = response.status;
  if (response.statusText) outgoing.statusMessage = response.statusText;
  const cookies = response.headers.getSetCookie?.() ?? [];
  response.headers.forEach((value, name) => {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  });
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (!response.body || method === "HEAD") {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  await pipeline(Readable.fromWeb(response.body), outgoing);
}

function fail(error, outgoing) {
  console.error(error);
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
  outgoing.writeHead(500, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  outgoing.end("500 Internal Server Error\nThe function failed; its log says why.\n");
}

const file = path.resolve(process.argv[2]);
const handler = handlerOf(await import(pathToFileURL(file)));

const server = http.createServer(async (incoming, outgoing) => {
  const gone = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  try {
    await send(await handler(toRequest(incoming, gone.signal), {}), outgoing, incoming.method);
  } catch (error) {
    if (!gone.signal.aborted || error?.name !== "AbortError") fail(error, outgoing);
  }
});
server.keepAliveTimeout = 65_000;
server.requestTimeout = 0;
// One call's mistake must not end the calls beside it.
process.on("unhandledRejection", (error) => console.error(error));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
server.listen(Number(process.env.PORT), "127.0.0.1");
