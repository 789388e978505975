// BullMQ: node bullmq.mjs fill|pace|work PORT COUNT|FILE CONCURRENCY
import { Queue, Worker } from "bullmq";
import { now, pace, serve, waits } from "./measured.mjs";

const [command, port, argument, concurrency] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

if (command === "work") {
  const options = { connection, concurrency: Number(concurrency), removeOnComplete: { count: 0 } };
  const worker = new Worker("bench", async ({ data }) => void waits.push(now() - data.at), options);
  await worker.waitUntilReady();
  serve(argument, () => worker.close(true));
} else {
  const queue = new Queue("bench", { connection });
  const count = Number(argument);
  if (command === "fill") {
    const data = { at: now() };
    for (let done = 0; done < count; done += 1000) {
      await queue.addBulk(Array.from({ length: Math.min(1000, count - done) }, () => ({ name: "bench", data })));
    }
  } else {
    await pace(count, 5, (data) => queue.add("bench", data));
  }
  await queue.close();
}
