// A Modbus TCP server of jsmodbus with registers from a file of lines "TABLE ADDRESS VALUE".
//
//   node server.js FILE
//
// Prints its port and serves until its standard input ends.
"use strict";
const fs = require("fs");
const net = require("net");
const modbus = require("jsmodbus");

const TOP = 4096;
const tables = {
  coil: Buffer.alloc(TOP / 8),
  discrete: Buffer.alloc(TOP / 8),
  holding: Buffer.alloc(TOP * 2),
  input: Buffer.alloc(TOP * 2),
};
for (const line of fs.readFileSync(process.argv[2], "utf8").split("\n")) {
  const [table, address, value] = line.trim().split(/\s+/);
  if (!table) continue;
  const at = Number(address);
  if (table === "coil" || table === "discrete") {
    if (Number(value)) tables[table][at >> 3] |= 1 << (at & 7);
  } else tables[table].writeUInt16BE(Number(value), at * 2);
}
const listener = new net.Server();
new modbus.server.TCP(listener, { ...tables, coils: tables.coil });
listener.listen(0, "127.0.0.1", () => console.log(listener.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
