// The backend: says who it is, where it runs, its version, and how many
// requests it has served.
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");

const PORT = 3000;
// How long it goes on answering after SIGTERM: most nodes hear within a second
// or two that it leaves, busy ones later.
const LAME_DUCK_MS = 12000;
const who = {
  version: process.env.VERSION || "?",
  task: process.env.TASK_NAME || "?",
  node: process.env.NODE_NAME || "?",
  replica: os.hostname(),
};
const began = Date.now();
let served = 0;

// Version 0 is the bad one: it starts, and exits before it is ever healthy.
if (who.version === "0") {
  console.error("version 0 cannot work");
  process.exit(1);
}

// Configs and secrets are files. Both are read on request; of the secret only a
// hash is shown.
const settings = () => JSON.parse(fs.readFileSync("/app/settings.json", "utf8"));
const fingerprint = () =>
  crypto.createHash("sha256").update(fs.readFileSync("/run/secrets/api-key")).digest("hex").slice(0, 12);

const pages = {
  "/": () => ({ ...settings(), ...who, served, seconds: Math.round((Date.now() - began) / 1000) }),
  "/healthz": () => "ok",
  "/secret": () => ({ replica: who.replica, sha256: fingerprint() }),
  "/from": (request) => ({ peer: request.socket.remoteAddress, forwarded: request.headers["x-forwarded-for"] || "" }),
};

const server = http.createServer((request, response) => {
  const say = (status, body) => {
    response.writeHead(status, { "Content-Type": "text/plain", "X-Replica": who.replica, "X-Version": who.version });
    response.end((typeof body === "string" ? body : JSON.stringify(body)) + "\n");
  };
  let url;
  try {
    url = new URL(request.url, "http://backend");
  } catch {
    return say(400, "no such address");
  }
  served += url.pathname === "/healthz" ? 0 : 1;
  // For the lab only: a public application would not let anyone do this.
  if (url.pathname === "/crash") {
    say(200, `${who.task} crashes now`);
    setTimeout(() => process.exit(3), 50);
  } else if (url.pathname === "/slow") {
    setTimeout(() => say(200, "slow"), Math.min(Number(url.searchParams.get("ms")) || 2000, 30000));
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
server.listen(PORT, () => console.log(`version ${who.version} listens as ${who.task} on ${who.node}`));

// On SIGTERM it goes on answering until every node knows that it leaves, then
// lets the last requests finish. Process 1 has to handle the signal itself:
// otherwise it is killed when the grace period ends.
process.on("SIGTERM", () => {
  console.log("asked to stop");
  setTimeout(() => server.close(() => process.exit(0)), LAME_DUCK_MS);
});
