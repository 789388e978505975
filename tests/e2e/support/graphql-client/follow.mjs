// Follows a deployment with graphql-ws, a client that MikroCloud did not write, and prints one JSON document:
// the numbers of all events and lines seen, in the order they came, how often it was cut off, and how it ended.
//
//   node follow.mjs URL TOKEN DEPLOYMENT CUTS LAST_LINE
//
// Its connection is cut CUTS times at random moments; each time it resumes after the last number it has seen. It is done when it was
// cut that often, has seen the end of the deployment, and a line that contains LAST_LINE.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, deployment, cuts, lastLine] = process.argv.slice(2);
const seen = { events: [], lines: [], cuts: 0, ended: false, last: false };

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: 0,
  on: {
    // Cut at the socket, without the closing handshake, as a network does it.
    opened: (socket) => {
      if (seen.cuts < Number(cuts)) setTimeout(() => socket.terminate(), 20 + Math.random() * 200);
    },
  },
});

const fields = { deploymentEvents: "number status", deploymentLogs: "number text" };

function subscribe(name, numbers, each) {
  const query = `subscription($id: ID!, $after: Int!) { ${name}(deploymentId: $id, after: $after) { ${fields[name]} } }`;
  const variables = { id: deployment, after: numbers.at(-1) ?? 0 };
  return new Promise((resolve, reject) => {
    client.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => {
          if (errors) return reject(errors);
          if (seen.events.length + seen.lines.length === 0) console.error("following");
          numbers.push(data[name].number);
          each(data[name]);
        },
        error: reject,
        complete: resolve,
      },
    );
  });
}

function finish(outcome) {
  console.log(JSON.stringify({ ...seen, ...outcome }));
  process.exit(0);
}

const enough = () => seen.cuts >= Number(cuts) && seen.ended && seen.last;

function check() {
  if (enough()) finish({});
}

async function connection() {
  try {
    await Promise.all([
      subscribe("deploymentEvents", seen.events, (event) => {
        seen.ended ||= ["LIVE", "FAILED", "CANCELLED"].includes(event.status);
        check();
      }),
      subscribe("deploymentLogs", seen.lines, (line) => {
        seen.last ||= line.text.includes(lastLine);
        check();
      }),
    ]);
    finish({ error: "the server completed a subscription" });
  } catch (error) {
    if (Array.isArray(error)) finish({ code: error[0].extensions?.code, message: error[0].message });
    // 1006: the connection is gone without a closing handshake.
    if (error.code !== 1006) finish({ close: error.code, reason: error.reason ?? String(error) });
    seen.cuts += 1;
    check();
  }
}

while (true) await connection();
