// Says who it is, then sends back what it receives.
const net = require("node:net");
const os = require("node:os");

const server = net.createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.write(`echo of ${os.hostname()}\n`);
  socket.pipe(socket);
});
server.listen(7000, () => console.log("listens on 7000"));
process.on("SIGTERM", () => process.exit(0));
