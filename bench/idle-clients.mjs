// @ts-check
// `node bench/idle-clients.mjs PORT COUNT` opens so many keep-alive connections, asks once on each, and then leaves them idle until it is
// ended. Says `ready` when all have been answered.
import net from 'node:net';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
/** How many connect at a time, so that the accept queue holds them. */
const AT_A_TIME = 200;
const request = `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;

let begun = 0;
let answered = 0;

/** @param {string} why */
function lost(why) {
  process.stderr.write(`a connection was lost: ${why}\n`);
  process.exit(1);
}

function open() {
  if (begun === count) return;
  begun += 1;
  const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
  socket.once('data', () => {
    answered += 1;
    if (answered === count) process.stdout.write('ready\n');
    open();
  });
  socket.on('error', (error) => lost(error.message));
  socket.on('close', () => lost('closed'));
}

for (let i = 0; i < AT_A_TIME; i += 1) open();
