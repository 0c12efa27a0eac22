// The backend. It says who it is, where it runs, which version it is, and how
// often it was asked.
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");

const PORT = 3000;
// How long it keeps answering once asked to stop: most nodes hear of it within
// a second or two, busy ones later.
const LAME_DUCK_MS = 12000;
const who = {
  version: process.env.VERSION || "?",
  task: process.env.TASK_NAME || "?",
  node: process.env.NODE_NAME || "?",
  replica: os.hostname(),
};
const began = Date.now();
let served = 0;

// Two versions are bad: one ends before it is of any use, the other some time
// after its first health check.
const DIES_LATER_MS = 30000;
const die = (why) => {
  console.error(`version ${who.version} ${why}`);
  process.exit(1);
};
if (process.env.DIES === "at-start") die("cannot work");
let diesLater = process.env.DIES === "later";

// Configs and secrets are files in the container; the secret is never printed.
const read = (file) => fs.readFileSync(file, "utf8");
const settings = () => JSON.parse(read("/app/settings.json"));
const fingerprint = () => {
  const hash = crypto.createHash("sha256").update(read("/run/secrets/api-key"));
  return hash.digest("hex").slice(0, 12);
};
const seconds = () => Math.round((Date.now() - began) / 1000);

const pages = {
  "/": () => ({ ...settings(), ...who, served, seconds: seconds() }),
  "/healthz": () => "ok",
  "/secret": () => ({ replica: who.replica, sha256: fingerprint() }),
  "/from": (request) => ({
    peer: request.socket.remoteAddress,
    forwarded: request.headers["x-forwarded-for"] || "",
  }),
};

const server = http.createServer((request, response) => {
  const say = (status, body) => {
    response.writeHead(status, {
      "Content-Type": "text/plain",
      "X-Replica": who.replica,
      "X-Version": who.version,
    });
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.end(`${text}\n`);
  };
  let url;
  try {
    url = new URL(request.url, "http://backend");
  } catch {
    return say(400, "no such address");
  }
  served += url.pathname === "/healthz" ? 0 : 1;
  if (url.pathname === "/healthz" && diesLater) {
    diesLater = false;
    setTimeout(() => die("has used up its memory"), DIES_LATER_MS);
  }
  // Only for the lab, and not routed: no real application should have this.
  if (url.pathname === "/crash") {
    say(200, `${who.task} crashes now`);
    setTimeout(() => process.exit(3), 50);
  } else if (url.pathname === "/slow") {
    const ms = Number(url.searchParams.get("ms")) || 2000;
    setTimeout(() => say(200, "slow"), Math.min(ms, 30000));
  } else if (pages[url.pathname]) {
    try {
      say(200, pages[url.pathname](request));
    } catch (error) {
      say(500, error.message);
    }
  } else {
    say(404, "no such page");
  }
});
server.keepAliveTimeout = 1000;
server.listen(PORT, () => {
  console.log(`version ${who.version} listens as ${who.task} on ${who.node}`);
});

// Asked to stop, it goes on answering until every node has heard that it
// leaves; then it lets the last requests finish. As process 1 it has to listen
// for the signal, or it is killed after the grace period.
process.on("SIGTERM", () => {
  console.log("asked to stop");
  setTimeout(() => server.close(() => process.exit(0)), LAME_DUCK_MS);
});
