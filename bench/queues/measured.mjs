// What both queues share: the clock, the pace of the producer, and the file of latencies.
import { writeFileSync } from "node:fs";

/** Microseconds since 1970. */
export const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

/** How long each job waited from just before it was enqueued until its handler began, microseconds. */
export const waits = [];

/** Says that this worker is ready; when it is asked to stop, writes how long its jobs waited and ends. */
export function serve(file, stop) {
  process.once("SIGTERM", async () => {
    writeFileSync(file, JSON.stringify(waits));
    await stop();
    process.exit(0);
  });
  console.log("ready worker");
}

/** Enqueues one job every so many milliseconds, not faster when one takes longer. */
export async function pace(count, milliseconds, enqueue) {
  const start = performance.now();
  for (let number = 0; number < count; number++) {
    const pause = start + number * milliseconds - performance.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    await enqueue({ at: now() });
  }
}
