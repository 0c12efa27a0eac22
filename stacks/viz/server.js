// Serves one page, and what it shows: the swarm's nodes and tasks, as the
// engine's API reports them.
const fs = require("node:fs");
const http = require("node:http");

const PORT = 3000;

// The engine, through the proxy of edge.yaml.
const ENGINE = { host: "socket", port: 2375, timeout: 10000 };

// It sends GET to three paths (below), and passes nothing of a request on.
const ask = (path) =>
  new Promise((resolve, reject) => {
    http
      .get({ ...ENGINE, path }, (answer) => {
        let text = "";
        answer.on("data", (part) => (text += part));
        answer.on("end", () => {
          if (answer.statusCode === 200) return resolve(JSON.parse(text));
          reject(new Error(`the engine answers ${answer.statusCode}`));
        });
      })
      .on("timeout", function () {
        this.destroy(new Error("the engine is silent"));
      })
      .on("error", reject);
  });

const state = async () => {
  const [nodes, services, tasks] = await Promise.all(
    ["/nodes", "/services", "/tasks"].map(ask),
  );
  const named = Object.fromEntries(services.map((s) => [s.ID, s.Spec.Name]));
  const shown = (task) =>
    task.DesiredState === "running" || task.Status.State === "running";
  return {
    nodes: nodes
      .map((node) => ({
        id: node.ID,
        name: node.Description?.Hostname || node.ID,
        role: node.Spec.Role,
        state: node.Status.State,
        availability: node.Spec.Availability,
        leader: Boolean(node.ManagerStatus?.Leader),
      }))
      .sort((one, other) => one.name.localeCompare(other.name)),
    tasks: tasks
      .filter(shown)
      .map((task) => ({
        id: task.ID,
        node: task.NodeID,
        name: `${named[task.ServiceID] || "?"}.${task.Slot || ""}`,
        image: (task.Spec.ContainerSpec?.Image || "").split("@")[0],
        state: task.Status.State,
      }))
      .sort((one, other) => one.name.localeCompare(other.name)),
  };
};

const server = http.createServer(async (request, response) => {
  const say = (status, type, body) => {
    response.writeHead(status, {
      "Content-Type": type,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });
    response.end(body);
  };
  if (request.method !== "GET") {
    say(405, "text/plain", "this only reads\n");
  } else if (request.url === "/") {
    say(200, "text/html; charset=utf-8", fs.readFileSync("/app/page.html"));
  } else if (request.url === "/state") {
    try {
      say(200, "application/json", JSON.stringify(await state()));
    } catch (error) {
      say(502, "application/json", JSON.stringify({ error: error.message }));
    }
  } else {
    say(404, "text/plain", "no such page\n");
  }
});
server.listen(PORT, () => console.log(`the visualizer listens on ${PORT}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
