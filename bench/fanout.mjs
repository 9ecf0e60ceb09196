// A server made of npm's `ws` alone: each POST has all its watchers sent the frame that the file holds, built once.
// usage: node fanout.mjs WS-MODULE FRAME-FILE; prints its URL. PLACE in the frame becomes the instant it was made.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [module, file] = process.argv.slice(2);
const { WebSocketServer } = await import(pathToFileURL(module));
const [before, after] = readFileSync(file, "utf8").split("PLACE");
const frame = () => Buffer.from(before + new Date().toISOString() + after);

const server = createServer((request, response) => {
    const made = frame();
    for (const watcher of watchers.clients) watcher.send(made, { binary: false });
    request.resume();
    response.end();
});
const watchers = new WebSocketServer({ server, perMessageDeflate: false });
watchers.on("connection", (watcher) => watcher.send(frame(), { binary: false }));
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
