// graphile-worker: node graphile.mjs fill|pace|work DATABASE COUNT|FILE CONCURRENCY. BATCH is the size of its local queue.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { now, pace, serve, waits } from "./measured.mjs";

const [command, connectionString, argument, concurrency] = process.argv.slice(2);
// Its default logs every job.
const logger = new Logger(() => () => {});

if (command === "work") {
  const taskList = { bench: async ({ at }) => void waits.push(now() - at) };
  // Without a local queue, its default, it fetches jobs one by one.
  const size = Number(process.env.BATCH);
  const batches = size > 0 ? { localQueue: { size }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
  const worker = { connectionString, concurrentJobs: Number(concurrency), logger, ...batches };
  const runner = await run({ taskList, preset: { worker }, noHandleSignals: true });
  serve(argument, () => runner.stop());
} else {
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  const count = Number(argument);
  if (command === "fill") {
    const at = now();
    for (let done = 0; done < count; done += 1000) {
      await utils.addJobs(Array.from({ length: Math.min(1000, count - done) }, () => ({ identifier: "bench", payload: { at } })));
    }
  } else {
    await pace(count, 5, (payload) => utils.addJob("bench", payload));
  }
  await utils.release();
}
