// Calls a manager as a node does: gRPC, which is HTTP/2, inside TLS, on port
// 2377. Three calls, the first without the node's certificate; it prints the
// status of each answer. A heartbeat without a session changes nothing.
//
//   docker run --rm --interactive --network host \
//     --volume /var/lib/docker/swarm/certificates:/certificates:ro \
//     node:20 node - MANAGER <stacks/managers/call.js
const fs = require("node:fs");
const http2 = require("node:http2");

const address = `https://${process.argv[2]}:2377`;
const read = (name) => fs.readFileSync(`/certificates/swarm-${name}`, "utf8");
// The engine keeps a line of its own in the key's file, which TLS cannot read.
const key = read("node.key").replace(/^[\w-]+: .*\n+/gm, "");
const node = { key, cert: read("node.crt") };
// The manager shows a certificate too: this name has to be in it, and the
// swarm's CA has to have signed it.
const expect = { ca: read("root-ca.crt"), servername: "swarm-manager" };

const call = (who, method, certificate) =>
  new Promise((done, fail) => {
    const session = http2.connect(address, { ...expect, ...certificate });
    const request = session.request({
      ":method": "POST",
      ":path": `/docker.swarmkit.v1.${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const answer = {};
    session.on("error", fail);
    request.on("error", fail);
    request.on("response", (headers) => Object.assign(answer, headers));
    request.on("trailers", (headers) => Object.assign(answer, headers));
    request.on("end", () => {
      const told = decodeURIComponent(answer["grpc-message"] || "ok");
      const why = told.split("desc = ").pop();
      console.log(`${who} ${method}: status ${answer["grpc-status"]}, ${why}`);
      const tls = session.socket.getProtocol();
      const role = session.socket.getPeerCertificate().subject.OU;
      done(`${tls}, ${session.alpnProtocol}; the other side is a ${role}`);
      session.close();
    });
    request.resume();
    // An empty message: a flag and its length, all zero.
    request.end(Buffer.alloc(5));
  });

(async () => {
  await call("nobody", "Dispatcher/Heartbeat", {});
  await call("node", "Dispatcher/Heartbeat", node);
  console.log(await call("node", "Control/ListNodes", node));
})().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
