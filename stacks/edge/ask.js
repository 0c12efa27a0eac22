// A client for the lesson about clients' addresses: it asks a node for a page
// over HTTPS, and prints the answer's status and text. It reads the CA's
// certificate from standard input.
//
//   node ask.js NODE URL [X-FORWARDED-FOR] <root.pem
const fs = require("node:fs");
const https = require("node:https");

const [node, url, forwarded] = process.argv.slice(2);
const { host, pathname } = new URL(url);
const headers = forwarded ? { host, "X-Forwarded-For": forwarded } : { host };
const options = {
  host: node,
  path: pathname,
  servername: host,
  headers,
  ca: fs.readFileSync(0),
  timeout: 20000,
};

const request = https.get(options, (response) => {
  let text = "";
  response.on("data", (part) => (text += part));
  response.on("end", () => console.log(response.statusCode, text.trim()));
});
request.on("timeout", () => request.destroy(new Error("no answer")));
request.on("error", (error) => console.log(`failed: ${error.message}`));
